import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { fixture } from "../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import { SqlAuthStore } from "../adapters/sql/sql-auth-store.ts";
import { openSqlite } from "../adapters/sqlite/sqlite-database.ts";
import { loadSecrets } from "../config/secrets.ts";
import { TOKEN_CLOCK_SKEW_SECONDS } from "./contract.ts";
import { SigningKeys } from "./signing-keys.ts";

let kinora: TestKinora;
let root: TestUser;
let secretFilm: string;
let publicFilm: string;
let keys: SigningKeys;
let token: string;
let grant: string;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
  ({ id: secretFilm } = await root.upload(await fixture("h264-only.mp4")));
  ({ id: publicFilm } = await root.upload(await fixture("h264-only.mp4")));
  await root.send("PATCH", `/api/titles/${publicFilm}`, { visibility: "public" });
  token = (await newToken()).token;
  grant = (await newLink()).grant;
  const { database } = openSqlite(join(kinora.data, "kinora.db"));
  const secret = loadSecrets(kinora.data, () => undefined).authSecret;
  keys = new SigningKeys(new SqlAuthStore(database), secret, { lifetimeMs: 86_400_000, keptMs: 86_400_000 });
  await keys.maintain();
  await database.destroy();
});
afterAll(() => kinora.close());

const newToken = async (): Promise<{ token: string; id: string; expiresAt: string }> =>
  (await root.post("/api/tokens")).json();

async function newLink(): Promise<{ grant: string; id: string }> {
  const { id, url } = await (await root.post("/api/links", { titleId: secretFilm })).json();
  return { id, grant: new URL(url).searchParams.get("grant") ?? "" };
}

/** The same credential with other claims or header, signed with Kinora's own key or another one. */
function resigned(text: string, claims: object, header: object = {}, key = keys.current.privateKey): Promise<string> {
  const old = decodeProtectedHeader(text);
  return new SignJWT({ ...decodeJwt(text), ...claims })
    .setProtectedHeader({ ...old, alg: old.alg ?? "", ...header })
    .sign(key);
}

async function statuses(credential: string, shown: "header" | "url"): Promise<Record<string, number>> {
  const headers: Record<string, string> = shown === "header" ? { Authorization: `Bearer ${credential}` } : {};
  const query = shown === "url" ? `?grant=${credential}` : "";
  const media = [
    `/stream/${secretFilm}/original`,
    `/stream/${publicFilm}/original`,
    `/stream/${secretFilm}/hls/1/1.m4s`,
  ];
  const paths = shown === "url" ? media : [...media, "/api/session", "/api/titles", "/api/links"];
  const found: Record<string, number> = {};
  for (const path of paths) {
    const response = await new TestUser(kinora).fetch(path + query, { headers });
    await response.body?.cancel();
    found[path] = response.status;
  }
  return found;
}

const seconds = (fromNow: number) => Date.now() / 1000 + fromNow;

/** Whatever must not count, made of a token for the header and of a grant for the URL. */
const refused: Readonly<Record<string, (valid: string) => string | Promise<string>>> = {
  empty: () => "",
  truncated: (valid) => valid.slice(0, -10),
  "without its signature": (valid) => `${valid.split(".").slice(0, 2).join(".")}.`,
  "with two parts": (valid) => valid.split(".").slice(0, 2).join("."),
  "with alg none": (valid) => new UnsecuredJWT(decodeJwt(valid)).encode(),
  "with HS256 and the id of our key as secret": async (valid) => {
    const secret = new TextEncoder().encode(decodeProtectedHeader(valid).kid);
    return new SignJWT(decodeJwt(valid))
      .setProtectedHeader({ ...decodeProtectedHeader(valid), alg: "HS256" })
      .sign(secret);
  },
  "signed with a foreign key": async (valid) =>
    resigned(valid, {}, {}, (await generateKeyPair("EdDSA")).privateKey as CryptoKey),
  "with a foreign key in its header": async (valid) => {
    const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
    return resigned(valid, {}, { jwk: await exportJWK(publicKey), kid: undefined }, privateKey as CryptoKey);
  },
  expired: (valid) => resigned(valid, { exp: seconds(-TOKEN_CLOCK_SKEW_SECONDS - 1.5) }),
  "without an expiry": (valid) => resigned(valid, { exp: undefined }),
  "not counting yet": (valid) => resigned(valid, { nbf: seconds(TOKEN_CLOCK_SKEW_SECONDS + 30) }),
  "of another issuer": (valid) => resigned(valid, { iss: "somebody" }),
  "for another audience": (valid) => resigned(valid, { aud: "kinora:other" }),
  "of another type": (valid) => resigned(valid, {}, { typ: "JWT" }),
  "without an id": (valid) => resigned(valid, { jti: undefined }),
};
const all = (status: number, found: Record<string, number>) =>
  Object.fromEntries(Object.keys(found).map((path) => [path, status]));

test("tokens count for 30 seconds unless the configuration says otherwise", async () => {
  const { expiresAt } = await newToken();
  expect(Math.abs(Date.parse(expiresAt) - Date.now() - 30_000)).toBeLessThan(5_000);
});

for (const [name, make] of Object.entries(refused)) {
  test(`a token or grant that is ${name} gets 401 everywhere`, async () => {
    const fresh = await newToken();
    const asToken = await statuses(await make(fresh.token), "header");
    expect(asToken).toEqual(all(401, asToken));
    const asGrant = await statuses(await make(grant), "url");
    expect(asGrant).toEqual(all(401, asGrant));
  });
}

test("a grant used as a token and a token used as a grant get 401 everywhere", async () => {
  token = (await newToken()).token;
  const [asToken, asGrant] = [await statuses(grant, "header"), await statuses(token, "url")];
  expect(asToken).toEqual(all(401, asToken));
  expect(asGrant).toEqual(all(401, asGrant));
  // Not even with the other's audience, or its type.
  const audience = await statuses(
    await resigned(token, { aud: "kinora:grant", title: secretFilm, use: "link" }),
    "url",
  );
  expect(audience).toEqual(all(401, audience));
  const type = await statuses(await resigned(grant, {}, { typ: "kinora-token+jwt" }), "header");
  expect(type).toEqual(all(401, type));
});

test("a revoked token and a revoked grant get 401 everywhere", async () => {
  const made = await newToken();
  const link = await newLink();
  expect(Object.values(await statuses(made.token, "header"))).not.toContain(401);
  expect((await statuses(link.grant, "url"))[`/stream/${secretFilm}/original`]).toBe(200);
  await root.send("DELETE", `/api/tokens/${made.id}`);
  await root.send("DELETE", `/api/links/${link.id}`);
  const [asToken, asGrant] = [await statuses(made.token, "header"), await statuses(link.grant, "url")];
  expect(asToken).toEqual(all(401, asToken));
  expect(asGrant).toEqual(all(401, asGrant));
});

test("between clocks two seconds are allowed: what expired a second ago still counts", async () => {
  const { token: fresh } = await newToken();
  expect(TOKEN_CLOCK_SKEW_SECONDS).toBe(2);
  const path = `/stream/${secretFilm}/original`;
  // Signed anew for each try: a slow machine must not turn one second into two.
  const tries = Array.from({ length: 5 }, async () => [
    (await statuses(await resigned(fresh, { exp: seconds(-0.5) }), "header"))[path],
    (await statuses(await resigned(grant, { exp: seconds(-0.5) }), "url"))[path],
  ]);
  expect(await Promise.all(tries)).toContainEqual([200, 200]);
});
