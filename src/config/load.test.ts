import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { effectiveSettings } from "./effective.ts";
import { ConfigError } from "./errors.ts";
import { type ConfigInputs, loadConfig } from "./load.ts";

const folder = mkdtempSync(join(tmpdir(), "kinora-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileWith(text: string): string {
  const path = join(folder, `kinora-${files++}.yaml`);
  writeFileSync(path, text);
  return path;
}

const load = (inputs: ConfigInputs) => loadConfig({ env: {}, ...inputs });
const env = (variables: Record<string, string>) => load({ env: variables });
const yaml = (text: string) => load({ file: fileWith(text) });

async function problemsOf(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${error}`);
  return error.message.replaceAll(/file \S+\.yaml/g, "file");
}

test("without a file and variables everything has its default", async () => {
  const { config, settings } = await load({ file: fileWith("") });
  expect(settings.size).toBe(0);
  expect(config.listen).toEqual({ host: "127.0.0.1", port: 8080 });
  expect(config.rtsp.listen).toEqual({ host: "127.0.0.1", port: 8554 });
  expect(config.registration).toBe("open");
  expect(config.auth).toEqual({
    defaultRole: "editor",
    tokenLifetime: 30_000,
    grantLifetime: 12 * 3_600_000,
    keyLifetime: 30 * 86_400_000,
    sessionLifetime: 31 * 86_400_000,
  });
  expect(config.upload.maxSize).toBe(64 * 2 ** 30);
  expect(config.database).toEqual({ kind: "sqlite", path: join(config.data, "kinora.db") });
});

test("values are parsed to their types", async () => {
  const { config } = await yaml(`
listen: "[::1]:0"
data: ~/kinora
publicUrl: https://video.example.org/
trustedProxies: [10.0.0.0/8, "fd00::/8"]
library:
  folders: [/srv/a, { path: /srv/b, visibility: public }]
database: sqlite:/var/kinora.db
storage: file:///srv/media
upload: { maxSize: 1.5 GiB }
auth: { tokenLifetime: 500ms }
`);
  expect(config.listen).toEqual({ host: "::1", port: 0 });
  expect(config.data).toBe(join(homedir(), "kinora"));
  expect(config.publicUrl?.origin).toBe("https://video.example.org");
  expect(config.trustedProxies).toEqual(["10.0.0.0/8", "fd00::/8"]);
  expect(config.library.folders).toEqual([
    { path: "/srv/a", visibility: "members" },
    { path: "/srv/b", visibility: "public" },
  ]);
  expect(config.database).toEqual({ kind: "sqlite", path: "/var/kinora.db" });
  expect(config.storage).toEqual({ kind: "file", path: "/srv/media" });
  expect(config.upload.maxSize).toBe(1.5 * 2 ** 30);
  expect(config.auth.tokenLifetime).toBe(500);
});

test("the environment wins over the file, and the command line over both", async () => {
  const file = fileWith("listen: 127.0.0.1:1\ndata: /a\nlog: { level: warn }");
  const { config, settings } = await load({
    file,
    env: { KINORA_LISTEN: "127.0.0.1:2", KINORA_DATA: "/b" },
    set: { listen: "127.0.0.1:3" },
  });
  expect(config.listen.port).toBe(3);
  expect(config.data).toBe("/b");
  expect(config.log.level).toBe("warn");
  expect(settings.get("listen")?.source).toBe("command line");
  expect(settings.get("data")?.source).toBe("environment KINORA_DATA");
  expect(settings.get("log.level")?.source).toBe(`file ${file}`);
});

test("KINORA_CONFIG names the file, and --config wins over it", async () => {
  const [one, other] = [fileWith("data: /one"), fileWith("data: /other")];
  expect((await env({ KINORA_CONFIG: one })).config.data).toBe("/one");
  expect((await load({ file: other, env: { KINORA_CONFIG: one } })).config.data).toBe("/other");
});

test("lists in variables are separated by commas", async () => {
  const { config } = await env({
    KINORA_TRUSTED_PROXIES: "127.0.0.1, ::1",
    KINORA_LIBRARY_FOLDERS: "/srv/a,/srv/b",
  });
  expect(config.trustedProxies).toEqual(["127.0.0.1", "::1"]);
  expect(config.library.folders.map(({ path }) => path)).toEqual(["/srv/a", "/srv/b"]);
});

test("folders of the command line are added to those of the file", async () => {
  const { config } = await load({ file: fileWith("library: { folders: [/srv/a] }"), folders: ["/srv/b"] });
  expect(config.library.folders.map(({ path }) => path)).toEqual(["/srv/a", "/srv/b"]);
});

test("an empty variable and a key with nothing after it are not set", async () => {
  const { config } = await load({
    file: fileWith("publicUrl:\nupload:\nregistration: "),
    env: { KINORA_REDIS: "", KINORA_LISTEN: "" },
  });
  expect(config.publicUrl).toBeNull();
  expect(config.listen.port).toBe(8080);
});

test("variables that Kubernetes makes for a service named kinora are not taken for settings", async () => {
  const foreign = { KINORA_PORT: "tcp://10.0.0.1:80", KINORA_SERVICE_HOST: "10.0.0.1", KINORA_PORT_80_TCP: "x" };
  expect((await env(foreign)).settings.size).toBe(0);
});

describe("a problem names the field, its source, what was expected and what came:", () => {
  const span = "a time span with a unit (ms, s, m, h, d) from 10ms to 1d, such as 30s";
  const address = "host:port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080";
  const cases: [() => Promise<unknown>, string][] = [
    [() => env({ KINORA_LISTEN: "8080" }), `listen (environment KINORA_LISTEN): expected ${address}, got "8080"`],
    [
      () => env({ KINORA_LISTEN: "127.0.0.1:70000" }),
      `listen (environment KINORA_LISTEN): expected ${address}, got "127.0.0.1:70000"`,
    ],
    [() => env({ KINORA_LISTEN: "::1:80" }), `listen (environment KINORA_LISTEN): expected ${address}, got "::1:80"`],
    [() => yaml("listen: 8080"), `listen (file): expected ${address}, got "8080"`],
    [() => yaml("auth: { tokenLifetime: 30 }"), `auth.tokenLifetime (file): expected ${span}, got "30"`],
    [() => yaml("auth: { tokenLifetime: 2d }"), `auth.tokenLifetime (file): expected ${span}, got "2d"`],
    [() => yaml("auth: { tokenLifetime: [1s] }"), `auth.tokenLifetime (file): expected ${span}, got ["1s"]`],
    [
      () => env({ KINORA_UPLOAD_MAX_SIZE: "64 gigs" }),
      'upload.maxSize (environment KINORA_UPLOAD_MAX_SIZE): expected a size with a unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), such as 64GiB, got "64 gigs"',
    ],
    [
      () => env({ KINORA_REGISTRATION: "yes" }),
      'registration (environment KINORA_REGISTRATION): expected one of open, invite, closed, got "yes"',
    ],
    [
      () => yaml("publicUrl: video.example.org"),
      'publicUrl (file): expected an http:// or https:// address without a path, such as https://video.example.org, got "video.example.org"',
    ],
    [
      () => yaml("trustedProxies: [10.0.0.0/33]"),
      'trustedProxies (file): expected an address or CIDR range, such as 127.0.0.1 or 10.0.0.0/8, got ["10.0.0.0/33"]',
    ],
    [() => yaml("upload: 5"), "upload (file): expected keys and values, got 5"],
    [() => yaml("[1]"), "configuration (file): expected keys and values, got [1]"],
    [() => yaml("lisen: 127.0.0.1:80"), "lisen (file): there is no such setting. Did you mean listen?"],
    [
      () => yaml("upload: { maxsize: 1GiB }"),
      "upload.maxsize (file): there is no such setting. Did you mean upload.maxSize?",
    ],
    [() => yaml("zzzzzzzzzz: 1"), "zzzzzzzzzz (file): there is no such setting."],
    [
      () => env({ KINORA_LISTENS: "1" }),
      "KINORA_LISTENS (environment): there is no such setting. Did you mean KINORA_LISTEN?",
    ],
    [() => load({ set: { lisen: "1" } }), "lisen (command line): there is no such setting. Did you mean listen?"],
    [
      () => env({ KINORA_DATABASE: "mysql://kinora:secret@db/kinora?sslmode=yes" }),
      'database (environment KINORA_DATABASE): expected sqlite:PATH, such as sqlite:/var/lib/kinora/kinora.db, or mysql://user:password@host:3306/name with ssl, ca, pool or timeout after a `?`, got "mysql://kinora:•••@db/kinora?sslmode=yes"',
    ],
    [
      () => yaml("storage: s3://bucket"),
      "s3.accessKeyId (not set): must be set with storage in S3 (KINORA_S3_ACCESS_KEY_ID and KINORA_S3_SECRET_ACCESS_KEY)",
    ],
    [
      () => yaml("storage: s3://bucket/films?acl=public"),
      'storage (file): expected file:PATH, such as file:/srv/media, or s3://bucket/prefix with endpoint, region or timeout after a `?`, got "s3://bucket/films?acl=public"',
    ],
    [
      () => env({ KINORA_REDIS: "redis://:secret@localhost/films" }),
      "redis (environment KINORA_REDIS): expected redis://host:6379 or rediss://host:6379, with user:password@ before the host and /database after it where wanted",
    ],
    [
      () => yaml("nats: http://kinora:hunter2@localhost"),
      "nats (file): expected nats://host:4222 or tls://host:4222, with user:password@ before the host where wanted",
    ],
    [
      () => env({ KINORA_SECRET: "hunter2" }),
      "secret (environment KINORA_SECRET): expected at least 32 characters, such as `openssl rand -base64 32` prints",
    ],
    [
      () => yaml("library: { folders: [{ path: /srv, visible: true }] }"),
      'library.folders (file): expected a list, each a path, or {path, visibility} with visibility private, members or public, got [{"path":"/srv","visible":true}]',
    ],
  ];
  test.each(cases)("%#", async (loading, message) => {
    expect(await problemsOf(loading())).toBe(message);
  });
});

test("all problems are told at once", async () => {
  const problems = await problemsOf(load({ file: fileWith("a: 1\nlisten: x"), env: { KINORA_B: "1" } }));
  expect(problems.split("\n")).toHaveLength(3);
});

test("a file that is named but not there, or is no YAML, stops the start", async () => {
  expect(await problemsOf(load({ file: join(folder, "none.yaml") }))).toContain("cannot be read: ENOENT");
  expect(await problemsOf(yaml("a: [1"))).toContain("configuration (file): cannot be read: ");
});

describe("registration", () => {
  test.each(["127.0.0.1:0", "127.9.9.9:1", "localhost:1", "[::1]:1", "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.0.0.1]:1"])(
    "is open by default on %s",
    async (listen) => {
      const { config } = await env({ KINORA_LISTEN: listen });
      expect([config.registration, config.loopbackOnly]).toEqual(["open", true]);
    },
  );
  test.each([
    "0.0.0.0:8080",
    "[::]:8080",
    "192.168.1.5:80",
    "128.0.0.1:80",
    "localhost.example.org:80",
    "127.example.org:1",
  ])("must be named on %s", async (listen) => {
    expect(await problemsOf(env({ KINORA_LISTEN: listen }))).toBe(
      "registration (not set): must be named (open, invite or closed) when listen is not a loopback address: others will reach this Kinora",
    );
    const { config } = await env({ KINORA_LISTEN: listen, KINORA_REGISTRATION: "open" });
    expect([config.registration, config.loopbackOnly]).toEqual(["open", false]);
  });
});

test.each([
  ["nats://broker", { servers: ["broker:4222"], tls: false, login: null }],
  ["tls://a:1,tls://[::1]:2", { servers: ["a:1", "[::1]:2"], tls: true, login: null }],
  ["nats://me:p%40ss@broker:5000", { servers: ["broker:5000"], tls: false, login: { user: "me", password: "p@ss" } }],
])("the broker's address %s is understood", async (nats, expected) => {
  expect((await load({ set: { nats } })).config.nats).toEqual(expected);
});

test("behind a broker the process that runs auth must be told who may register, the others need not", async () => {
  const { config } = await load({ set: { nats: "nats://broker", listen: "0.0.0.0:8080" } });
  expect(config.registration).toBeNull();
  expect(config.firstNeedsCode).toBe(true);
});

test("a MySQL address has its options, its password is decoded, and is shown nowhere", async () => {
  const url = "mysql://kinora:p%40ss%3Aword@db.internal:3307/films?ssl=true&ca=/etc/ca.pem&pool=25&timeout=3s";
  const loaded = await env({ KINORA_DATABASE: url });
  expect(loaded.config.database).toEqual({
    kind: "mysql",
    ...{ host: "db.internal", port: 3307, user: "kinora", password: "p@ss:word", name: "films" },
    ...{ tls: "verify", ca: "/etc/ca.pem", poolSize: 25, statementMs: 3_000 },
  });
  const shown = effectiveSettings(loaded)
    .map(({ line }) => line)
    .join("\n");
  expect(shown).toContain("mysql://kinora:•••@db.internal:3307/films");
  expect(shown).not.toContain("word");
  const { config } = await env({ KINORA_DATABASE: "mysql://kinora:x@db/kinora" });
  expect(config.database).toMatchObject({ port: 3306, tls: "off", ca: null, poolSize: 10, statementMs: 10_000 });
});

test("S3 takes the usual variables where its own are not set, and shows no secret", async () => {
  const address = {
    KINORA_STORAGE: "s3://films/kinora/?endpoint=http://127.0.0.1:9000&region=eu-central-1&timeout=5s",
  };
  const amazon = {
    AWS_ACCESS_KEY_ID: "AKIATHEIRS",
    AWS_SECRET_ACCESS_KEY: "their-secret",
    AWS_SESSION_TOKEN: "token-1",
  };
  const theirs = await env({ ...address, ...amazon });
  expect(theirs.config.storage).toEqual({
    kind: "s3",
    ...{
      bucket: "films",
      prefix: "kinora/",
      endpoint: "http://127.0.0.1:9000",
      region: "eu-central-1",
      timeoutMs: 5_000,
    },
  });
  expect(theirs.config.s3Credentials).toEqual({
    ...{ accessKeyId: "AKIATHEIRS", secretAccessKey: "their-secret", sessionToken: "token-1" },
  });
  const ours = await env({
    ...{ ...address, ...amazon, KINORA_S3_ACCESS_KEY_ID: "ours", KINORA_S3_SECRET_ACCESS_KEY: "our-secret" },
  });
  expect(ours.config.s3Credentials).toMatchObject({ accessKeyId: "ours", secretAccessKey: "our-secret" });
  const shown = JSON.stringify([effectiveSettings(theirs), effectiveSettings(ours)]);
  for (const secret of ["AKIATHEIRS", "their-secret", "token-1", "our-secret"]) expect(shown).not.toContain(secret);
});
