import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandLine, PASSWORD } from "../../test/support/client.ts";
import { fixture } from "../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import { KEY, TerminalSession } from "../../test/support/terminal.ts";
import { codeOf } from "../../test/support/totp.ts";
import { until } from "../../test/support/until.ts";

let kinora: TestKinora;
let root: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

const { enter, down, interrupt } = KEY;
const terminal = (who: CommandLine, args: string[] = [], cols = 100) =>
  new TerminalSession(who.command(...args), { cwd: who.home, env: who.environment, cols });

/** A player that plays until it is ended, and says that it does by a file. */
function installPlayer(who: CommandLine): string {
  const folder = join(who.home, "players");
  const started = join(who.home, "started");
  mkdirSync(folder);
  writeFileSync(join(folder, "mpv"), `#!/bin/sh\ntouch '${started}'\nexec sleep 60\n`);
  chmodSync(join(folder, "mpv"), 0o755);
  who.env = { PATH: `${folder}:${process.env.PATH ?? ""}` };
  return started;
}

test("kinora alone: connect, make an account, search, pick, rename, tag, play, stop, sign out", async () => {
  const { id } = await root.upload(await fixture("h264-only.mp4"), { name: "Sea \u001b[31m" });
  await root.upload(await fixture("h264-aac.mp4"), { name: "Lake" });
  await root.send("PATCH", `/api/titles/${id}`, { visibility: "members" });
  expect((await root.post("/api/users", { username: "ada", password: PASSWORD, role: "admin" })).status).toBe(201);
  using ada = new CommandLine();
  const started = installPlayer(ada);
  using session = terminal(ada);
  await session.answers("Server", `${kinora.url}${enter}`);
  await session.answers("Name", `ada${enter}`);
  await session.answers("Password", `${PASSWORD}${enter}`);
  await session.sees("You are ada (admin)");
  await session.answers("What now?", enter);
  await session.answers("Search", `sea${enter}`);
  await session.answers("Which one?", enter);
  await session.answers("What with it?", `${down}${down}${enter}`);
  await session.answers("Name", `Ocean${enter}`);
  await session.answers("What with it?", `${down}${down}${down}${enter}`);
  await session.answers("Tags", `blue, deep${enter}`);
  await session.sees("Tags: blue, deep");
  expect(await (await root.get(`/api/titles/${id}`)).json()).toMatchObject({ name: "Ocean", tags: ["blue", "deep"] });
  await session.answers("What with it?", enter);
  await session.sees("Playing Ocean with mpv. Ctrl+C stops.");
  await until(() => existsSync(started));
  const streams = async () => ((await (await root.get("/api/streams")).json()) as { items: unknown[] }).items.length;
  expect(await streams()).toBe(1);
  session.type(interrupt);
  await session.sees("Stopped.");
  expect(await streams()).toBe(0);
  await session.sees("What with it?");
  session.type(interrupt);
  expect(await session.exited).toBe(130);
  expect(session.raw).not.toContain(PASSWORD);
  expect(session.text).not.toContain("grant=");
  expect(session.raw).not.toContain("Sea \u001b[31m");
}, 60_000);

test("at a terminal login asks, hides the password, and offers to make the account", async () => {
  using eve = new CommandLine();
  using session = terminal(eve, ["login", "eve", "--server", kinora.url]);
  await session.answers("Password", `${PASSWORD}${enter}`);
  await session.answers("There is no account eve", `y${enter}`);
  await session.answers("The password again", `${PASSWORD}${enter}`);
  await session.sees("as eve (editor)");
  expect(await session.exited).toBe(0);
  expect(session.raw).not.toContain(PASSWORD);
}, 60_000);

test("where the account has a second factor, login asks for its code; a script gives it", async () => {
  const fay = await TestUser.signIn(kinora, "fay", PASSWORD);
  const begun = await (await fay.post("/api/auth/two-factor/enable", { password: PASSWORD })).json();
  const { totpURI } = begun as { totpURI: string };
  await fay.post("/api/auth/two-factor/verify-totp", { code: codeOf(totpURI, -1) });
  using who = new CommandLine();
  const login = ["login", "fay", "--server", kinora.url];
  const without = await who.run([...login, "--password-stdin", "--json"], PASSWORD);
  expect([without.code, JSON.parse(without.stderr).code]).toEqual([5, "two-factor-required"]);
  using session = terminal(who, login);
  await session.answers("Password", `${PASSWORD}${enter}`);
  await session.answers("Code of the app", `${codeOf(totpURI)}${enter}`);
  await session.sees("as fay (editor)");
  expect(await session.exited).toBe(0);
  const backup = (begun as { backupCodes: string[] }).backupCodes[0] ?? "";
  const scripted = await who.run([...login, "--password-stdin", "--two-factor-code", backup], PASSWORD);
  expect(scripted.stdout).toContain("as fay (editor)");
}, 60_000);

test("a table fits the terminal, wide characters take two columns; several of a name are a list to choose from", async () => {
  using root = new CommandLine();
  await root.signIn(kinora.url, "root");
  await root.json([
    "upload",
    await fixture("h264-only.mp4"),
    "--name",
    "漢字 漢字 漢字 漢字 漢字 漢字 漢字 漢字",
    "--tag",
    "x",
  ]);
  await root.json(["upload", await fixture("h264-only.mp4"), "--name", "漢字"]);
  using table = terminal(root, ["search", "漢字"], 72);
  expect(await table.exited).toBe(0);
  const lines = table.text.trimEnd().split("\r\n");
  expect(lines.map((line) => Bun.stringWidth(line) <= 72)).toEqual([true, true, true]);
  expect(lines[0]).toMatch(/^NAME +LENGTH +TAGS +ID$/);
  const idColumn = (line = "") => Bun.stringWidth(line.slice(0, line.search(/[0-9a-f]{8}-/)));
  expect(idColumn(lines[1])).toBe(idColumn(lines[2]));
  expect(lines.join()).toContain("…");
  using choice = terminal(root, ["show", "字 漢"]);
  await choice.sees("Container");
  using list = terminal(root, ["show", "漢"]);
  await list.answers("Which one?", `${down}${enter}`);
  await list.sees("漢字 漢字 漢字");
  expect(await list.exited).toBe(0);
}, 60_000);

test("delete asks; no is no", async () => {
  using root = new CommandLine();
  await root.signIn(kinora.url, "root");
  using session = terminal(root, ["delete", "Lake"]);
  await session.answers("Delete Lake?", enter);
  await session.sees("Nothing was deleted.");
  expect(await session.exited).toBe(1);
  expect((await root.run(["show", "Lake"])).code).toBe(0);
}, 60_000);

test("a progress bar is drawn while a file goes, and removed", async () => {
  using root = new CommandLine();
  await root.signIn(kinora.url, "root");
  using session = terminal(root, ["upload", await fixture("h264-aac.mp4"), "--name", "Bar"]);
  expect(await session.exited).toBe(0);
  expect(session.text).toContain("[####################] 100 %");
  expect(session.text).toContain(": Bar  ");
  expect(session.raw).toContain("\r\u001b[K");
}, 60_000);
