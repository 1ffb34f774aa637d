import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CommandLine, PASSWORD, type Ran } from "../../test/support/client.ts";
import { fixture } from "../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let root: CommandLine;
let ada: CommandLine;
/** Signed in as nobody. */
let stranger: CommandLine;

beforeAll(async () => {
  kinora = await startTestKinora();
  [root, ada, stranger] = [new CommandLine(), new CommandLine(), new CommandLine()];
  await root.signIn(kinora.url, "root");
  await ada.signIn(kinora.url, "ada");
});
afterAll(async () => {
  for (const somebody of [root, ada, stranger]) somebody[Symbol.dispose]();
  await kinora.close();
});

const problemIn = ({ stderr }: Ran) => JSON.parse(stderr) as Record<string, unknown>;
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const sessionOf = (who: CommandLine): string =>
  JSON.parse(readFileSync(join(who.configFolder, "servers.json"), "utf8")).servers[kinora.url].session;
const counts = async (cookie: string) =>
  (await fetch(`${kinora.url}/api/session`, { headers: { Cookie: cookie } })).status === 200;

interface Uploaded {
  readonly items: { readonly file: string; readonly title: { id: string; name: string; tags: string[] } | null }[];
}
async function upload(who: CommandLine, name: string): Promise<{ id: string; name: string }> {
  const { items } = (await who.json(["upload", await fixture("h264-only.mp4"), "--name", name])) as Uploaded;
  if (!items[0]?.title) throw new Error("it was not uploaded");
  return items[0].title;
}

describe("signing in", () => {
  test("keeps the session in a file that nobody else can read, and logout ends it on the server", async () => {
    using maria = new CommandLine();
    const { stdout, stderr } = await maria.run(
      ["login", "maria", "--server", kinora.url, "--create", "--password-stdin"],
      `${PASSWORD}\n`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: `Signed in to ${kinora.url} as maria (editor).\n`, stderr: "" });
    expect([modeOf(maria.configFolder), modeOf(join(maria.configFolder, "servers.json"))]).toEqual(["700", "600"]);
    expect(readdirSync(maria.configFolder)).toEqual(["servers.json"]);
    const session = sessionOf(maria);
    expect(await counts(session)).toBe(true);
    expect(await maria.json(["logout"])).toEqual({ server: kinora.url, signedOut: true });
    expect(await counts(session)).toBe(false);
    expect(await maria.json(["logout", "--server", kinora.url])).toEqual({ server: kinora.url, signedOut: false });
    expect(problemIn(await maria.run(["search", "--json"]))).toMatchObject({ code: "not-signed-in", exitCode: 3 });
  });

  test("signing in again leaves no session behind", async () => {
    using maria = new CommandLine();
    await maria.signIn(kinora.url, "twice");
    const first = sessionOf(maria);
    await maria.signIn(kinora.url, "twice");
    expect([await counts(first), await counts(sessionOf(maria))]).toEqual([false, true]);
  });

  test("a wrong password is code 3, an unknown name 4, a file in the place of the folder keeps no session", async () => {
    const login = (name: string, password: string) =>
      stranger.run(["login", name, "--server", kinora.url, "--password-stdin", "--json"], password);
    const wrong = await login("ada", "not the password");
    expect([wrong.code, problemIn(wrong)]).toMatchObject([3, { code: "unauthorized", status: 401 }]);
    const unknown = await login("nobody-yet", PASSWORD);
    expect([unknown.code, problemIn(unknown)]).toMatchObject([4, { code: "unknown-user" }]);
    expect(unknown.stdout).toBe("");
    writeFileSync(join(stranger.home, "file"), "");
    stranger.env = { XDG_CONFIG_HOME: join(stranger.home, "file") };
    expect((await login("ada", PASSWORD)).code).toBe(1);
    stranger.env = {};
  });

  test("without a terminal nothing is asked: code 2 says what is missing", async () => {
    const { code, stderr } = await stranger.run(["login"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("kinora login NAME --password-stdin")]);
  });

  test("passwords are never arguments", async () => {
    for (const args of [["login"], ["passwd"], ["users", "add"], ["users", "reset-password"]]) {
      const { stdout } = await stranger.run([...args, "--help"]);
      expect(stdout).not.toMatch(/--password[ =<]/);
    }
  });

  test("a file that others could read is narrowed and told; a link or somebody else's is refused", async () => {
    using maria = new CommandLine();
    await maria.signIn(kinora.url, "careless");
    const file = join(maria.configFolder, "servers.json");
    chmodSync(file, 0o644);
    const { code, stderr } = await maria.run(["search"]);
    expect([code, modeOf(file)]).toEqual([0, "600"]);
    expect(stderr).toContain("could be read or changed by others");
    copyFileSync(file, join(maria.home, "elsewhere"));
    rmSync(file);
    symlinkSync(join(maria.home, "elsewhere"), file);
    expect(problemIn(await maria.run(["search", "--json"]))).toMatchObject({ code: "unsafe-file", exitCode: 1 });
  });

  test("a server that is not there is code 6, one that is no Kinora as well", async () => {
    const away = await stranger.run(
      ["login", "ada", "--server", "127.0.0.1:1", "--password-stdin", "--json"],
      PASSWORD,
    );
    expect([away.code, problemIn(away)]).toMatchObject([6, { code: "server-unreachable" }]);
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<h1>hello</h1>") });
    const args = ["login", "ada", "--server", `127.0.0.1:${other.port}`, "--password-stdin", "--json"];
    const refused = await stranger.run(args, PASSWORD);
    await other.stop(true);
    expect([refused.code, problemIn(refused)]).toMatchObject([6, { code: "not-kinora" }]);
  });

  test("an answer without end is cut off", async () => {
    const chunk = new Uint8Array(1 << 20).fill(0x20);
    let sent = 0;
    const body = () =>
      new ReadableStream<Uint8Array>(
        {
          pull: (controller) => {
            sent++;
            controller.enqueue(chunk);
          },
        },
        { highWaterMark: 0 },
      );
    const headers = { "Content-Type": "application/json" };
    const endless = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(body(), { headers }) });
    const args = ["login", "ada", "--server", `127.0.0.1:${endless.port}`, "--password-stdin", "--json"];
    const refused = await stranger.run(args, PASSWORD);
    await endless.stop(true);
    expect([refused.code, problemIn(refused)]).toMatchObject([6, { code: "not-kinora" }]);
    expect(sent).toBeLessThan(200);
  });

  test("a server that sends on to another one gets no credential there", async () => {
    let asked = 0;
    const thief = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(String(++asked)) });
    const sender = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.redirect(thief.url.href, 307) });
    const args = ["login", "ada", "--server", `127.0.0.1:${sender.port}`, "--password-stdin", "--json"];
    const { code, stderr } = await stranger.run(args, PASSWORD);
    await Promise.all([thief.stop(true), sender.stop(true)]);
    expect([code, asked, JSON.parse(stderr).code]).toEqual([6, 0, "redirected"]);
  });

  test("passwd: the present session goes on, the others end, and the new password counts", async () => {
    using maria = new CommandLine();
    using elsewhere = new CommandLine();
    await maria.signIn(kinora.url, "changer");
    await elsewhere.signIn(kinora.url, "changer");
    expect((await maria.run(["passwd", "--password-stdin"], `wrong password\n${PASSWORD} 2\n`)).code).toBe(3);
    const changed = await maria.json(["passwd", "--password-stdin"], `${PASSWORD}\n${PASSWORD} 2\n`);
    expect(changed).toEqual({ server: kinora.url, changed: true });
    expect((await maria.run(["search"])).code).toBe(0);
    expect((await elsewhere.run(["search"])).code).toBe(3);
    await elsewhere.signIn(kinora.url, "changer", `${PASSWORD} 2`);
  });
});

describe("titles", () => {
  test("upload, search, show, rename, tag, untag, delete and restore, as text and as JSON", async () => {
    const made = (await ada.json([
      "upload",
      await fixture("h264-aac.mp4"),
      "--tag",
      "sea",
      "--tag",
      "sun",
    ])) as Uploaded;
    const id = made.items[0]?.title?.id ?? "";
    expect(made.items).toEqual([
      { file: await fixture("h264-aac.mp4"), title: expect.anything(), error: null },
    ] as never);
    expect(await ada.json(["search", "--tag", "sea", "--mine"])).toMatchObject({ items: [{ id }], nextCursor: null });
    const shown = await ada.run(["show", id]);
    expect(shown.stdout).toMatch(/^SHA-256 +[0-9a-f]{64}$/m);
    expect(shown.stdout).toMatch(/^Video +h264, 640×360, 25 frames\/s$/m);
    expect(shown.stdout).toMatch(/^State +ready$/m);
    expect(await ada.json(["rename", id, "Holiday by the sea"])).toMatchObject({ id, name: "Holiday by the sea" });
    expect((await ada.run(["rename", id, "Holiday by the sea"])).stdout).toBe("Holiday by the sea (as it was)\n");
    expect((await ada.run(["rename", id, "At the sea"])).stdout).toBe("Holiday by the sea → At the sea\n");
    const edited = await ada.run(["edit", id, "--name", "Holiday by the sea", "--visibility", "public"]);
    expect(edited.stdout).toBe("At the sea → Holiday by the sea (private → public)\n");
    const back = await ada.run(["edit", id, "--visibility", "private", "--description", "x"]);
    expect(back.stdout).toBe("Holiday by the sea (public → private, another description)\n");
    expect(await ada.json(["tag", "Holiday", "2026", "beach"])).toMatchObject({
      tags: ["sea", "sun", "2026", "beach"],
    });
    expect(await ada.json(["untag", "holiday by", "sun", "beach"])).toMatchObject({ tags: ["sea", "2026"] });
    expect(await ada.json(["edit", id, "--visibility", "members", "--description", "two\nlines"])).toMatchObject({
      visibility: "members",
      description: "two\nlines",
    });
    expect((await root.run(["search", "holiday"])).stdout).toContain("Holiday by the sea");
    expect((await ada.run(["delete", id])).code).toBe(2);
    expect(await ada.json(["delete", "Holiday", "--yes"])).toEqual({ id, name: "Holiday by the sea", deleted: true });
    expect((await ada.run(["show", id])).code).toBe(4);
    expect(await ada.json(["restore", id])).toMatchObject({ id, name: "Holiday by the sea" });
  });

  test("a name that several have is told with their ids, a whole name wins over a part", async () => {
    const first = await upload(ada, "Lighthouse");
    const second = await upload(ada, "Lighthouse at night");
    expect(await ada.json(["show", "lighthouse"])).toMatchObject({ id: first.id });
    const { code, stderr } = await ada.run(["show", "lightho", "--json"]);
    expect([code, JSON.parse(stderr)]).toMatchObject([7, { code: "ambiguous-title", exitCode: 7 }]);
    const expected = {
      id: second.id,
      name: "Lighthouse at night",
      createdAt: expect.any(String),
      sizeBytes: expect.any(Number),
    };
    expect(JSON.parse(stderr).candidates).toContainEqual(expected);
    expect((await ada.run(["show", "lightho"])).stderr).toMatch(
      new RegExp(`${second.id}  20.*B, ada  Lighthouse at night`),
    );
    expect((await ada.run(["show", "no such thing"])).code).toBe(4);
  });

  test("what is not allowed is code 5, bad input 2", async () => {
    const { id } = await upload(root, "Shared");
    await root.json(["edit", id, "--visibility", "members"]);
    const refused = await ada.run(["rename", id, "Mine"]);
    // She has the role already: another one is not what helps.
    expect([refused.code, refused.stderr]).toEqual([5, "kinora: You may watch this video but not change it.\n"]);
    const long = await root.run(["tag", id, "x".repeat(65)]);
    expect([long.code, long.stderr]).toEqual([
      2,
      "kinora: The body is not valid. tags.0: expected 64 characters at most\n",
    ]);
    const missing = await root.run(["untag", id, "nope"]);
    expect(missing).toEqual({ code: 0, stdout: "Shared\n", stderr: "Shared has no tag nope.\n" });
  });

  test.each([
    [["stop", "nope"], "stream-not-found", "There is no stream with the id nope: that is no id.\nkinora streams shows"],
    [
      ["link", "--revoke", "nope"],
      "link-not-found",
      "There is no link with the id nope: that is no id.\nkinora link --list",
    ],
    [["restore", "nope"], "title-not-found", "There is no title with the id nope: that is no id.\nkinora delete shows"],
  ] as const)("%p: code 4, with what helps", async (args, code, text) => {
    const { stderr, code: exit } = await ada.run(args);
    expect([exit, stderr]).toEqual([4, expect.stringContaining(`kinora: ${text}`)]);
    expect(JSON.parse((await ada.run([...args, "--json"])).stderr)).toMatchObject({ code, exitCode: 4 });
  });

  test("names cannot send anything to the terminal but text", async () => {
    const evil = "\u001b]0;owned\u0007\u001b[2J\u009b31mred\u202egpj";
    const user = await TestUser.signIn(kinora, "evil");
    const { id } = await user.upload(await fixture("h264-only.mp4"));
    expect((await user.send("PATCH", `/api/titles/${id}`, { name: evil, description: evil })).status).toBe(200);
    using somebody = new CommandLine();
    await somebody.signIn(kinora.url, "evil");
    for (const args of [
      ["search"],
      ["show", id],
      ["search", "--json"],
      ["show", id, "--json"],
      ["delete", id, "--yes"],
    ]) {
      const { stdout, stderr } = await somebody.run(args);
      expect(stdout).toContain("owned");
      expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    }
  });
});

describe("uploads", () => {
  test("of several files the failed ones are told and the code is 8; when all fail it is the first's", async () => {
    writeFileSync(join(ada.home, "notes.txt"), "no video");
    const good = await fixture("h264-only.mp4");
    const { code, stdout, stderr } = await ada.run(["upload", good, "notes.txt", "missing.mp4", "--json"]);
    expect(code).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({
      items: [
        { file: good, error: null },
        { file: "notes.txt", title: null, error: { code: "not-a-video" } },
        { file: "missing.mp4", title: null, error: { code: "no-such-file" } },
      ],
    });
    expect(JSON.parse(stderr)).toMatchObject({ code: "some-failed", exitCode: 8 });
    expect((await ada.run(["upload", "missing.mp4", "notes.txt"])).code).toBe(2);
    expect((await ada.run(["upload", good, good, "--name", "x"])).code).toBe(2);
  });
});

describe("administration", () => {
  test("users: add, list, role, disable, enable, reset-password, invite, delete", async () => {
    await root.json(["users", "add", "eve", "--role", "viewer", "--password-stdin"], `${PASSWORD}\n`);
    using eve = new CommandLine();
    await eve.signIn(kinora.url, "eve");
    expect(await root.json(["users", "role", "eve", "editor"])).toMatchObject({ username: "eve", role: "editor" });
    expect(await root.json(["users", "disable", "EVE"])).toMatchObject({ disabled: true });
    expect((await eve.run(["search"])).code).toBe(3);
    expect(await root.json(["users", "enable", "eve"])).toMatchObject({ disabled: false });
    await root.json(["users", "reset-password", "eve", "--password-stdin"], "another password\n");
    await eve.signIn(kinora.url, "eve", "another password");
    const { items } = (await root.json(["users", "list"])) as { items: { username: string }[] };
    expect(items.map(({ username }) => username)).toContain("eve");
    expect(await root.json(["users", "invite", "--role", "viewer", "--expires", "2h"])).toMatchObject({
      role: "viewer",
    });
    expect((await root.run(["users", "delete", "eve"])).code).toBe(2);
    expect((await root.run(["users", "delete", "eve", "--videos-to", "nobody", "-y"])).code).toBe(4);
    const gone = await root.run(["users", "delete", "eve", "--videos-to", "root", "-y"]);
    expect(gone.stdout).toBe("Deleted eve: their videos go to root.\n");
    expect((await root.run(["users", "role", "eve", "viewer"])).code).toBe(4);
    expect((await root.run(["users", "role", "ada", "king"])).code).toBe(2);
    expect((await root.run(["users", "disable", "root"])).code).toBe(7);
    expect((await ada.run(["users", "list"])).code).toBe(5);
  });

  test("services and rescan", async () => {
    const { items } = (await ada.json(["services"])) as { items: { service: string }[] };
    expect(items.map(({ service }) => service)).toContain("streaming");
    expect(await root.json(["rescan", "--wait"])).toMatchObject({ items: [] });
    expect((await ada.run(["rescan"])).code).toBe(5);
  });

  test("links are made, listed and revoked", async () => {
    const { id } = await upload(ada, "Linked");
    const made = (await ada.json(["link", "Linked", "--expires", "2h"])) as { id: string; url: string };
    expect((await fetch(made.url)).status).toBe(200);
    expect(await ada.json(["link", "--list"])).toMatchObject({ items: [{ id: made.id, titleId: id }] });
    expect(await ada.json(["link", "--revoke", made.id])).toEqual({ id: made.id, revoked: true });
    expect((await fetch(made.url)).status).toBe(401);
    expect((await ada.run(["link"])).code).toBe(2);
    const soon = await ada.run(["link", "Linked", "--expires", "soon"]);
    expect([soon.code, soon.stderr]).toEqual([
      2,
      expect.stringMatching(/^kinora: option '--expires <span>' .*such as 90m/),
    ]);
    const long = await ada.run(["link", "Linked", "--expires", "30d"]);
    expect([long.code, long.stderr]).toEqual([2, "kinora: A link counts for 12 hours at most.\n"]);
  });
});

describe("usage", () => {
  test("a mistyped command is code 2 and names the one that is near; with --json it is JSON", async () => {
    const { code, stderr } = await ada.run(["serch"]);
    expect([code, stderr]).toEqual([2, "kinora: There is no command serch.\nDid you mean kinora search?\n"]);
    const json = await ada.run(["search", "--bogus", "--json"]);
    expect([json.code, JSON.parse(json.stderr)]).toMatchObject([2, { code: "usage", exitCode: 2 }]);
  });

  test("kinora alone without a terminal prints the help and ends with code 2", async () => {
    const { code, stderr, stdout } = await ada.run([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: kinora");
    expect(stderr).toContain("kinora serve starts the server.");
  });
});
