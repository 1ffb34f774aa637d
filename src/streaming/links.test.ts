import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import pino from "pino";
import { has } from "../../test/support/debian.ts";
import { fixture } from "../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import { packetsOf } from "../../test/support/packets.ts";
import { until } from "../../test/support/until.ts";

interface Link {
  readonly id: string;
  readonly url: string;
  readonly pageUrl: string;
  readonly hlsUrl: string;
  readonly dashUrl: string;
  readonly rtspUrl: string;
  readonly expiresAt: string;
}

const lines: string[] = [];
const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
let kinora: TestKinora;
let admin: TestUser;
let maria: TestUser;
let film: string;
beforeAll(async () => {
  kinora = await startTestKinora({ auth: { grantLifetime: "1h" } }, { log });
  admin = await TestUser.signIn(kinora, "root");
  maria = await TestUser.signIn(kinora, "maria");
  ({ id: film } = await maria.upload(await fixture("h264-aac-subtitles.mp4"), { name: "Film" }));
});
afterAll(() => kinora.close());

async function link(user = maria, titleId = film, more: object = {}): Promise<Link> {
  const response = await user.post("/api/links", { titleId, ...more });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Link;
}

const grantOf = ({ url }: Pick<Link, "url">) => new URL(url).searchParams.get("grant") ?? "";
const codeOf = async (response: Response) => [response.status, (await response.json()).code];
const statusOf = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response.status;
};

test("a link is four URLs, absolute by the host the request named, and counts for the configured time", async () => {
  const made = await link();
  const [grant, { host }] = [grantOf(made), new URL(kinora.url)];
  const base = `http://${host}/stream/${film}`;
  expect(made).toEqual({
    id: expect.any(String),
    url: `${base}/faststart?grant=${grant}`,
    pageUrl: `http://${host}/watch/${film}?grant=${grant}`,
    hlsUrl: `${base}/hls/master.m3u8?grant=${grant}`,
    dashUrl: `${base}/dash/manifest.mpd?grant=${grant}`,
    rtspUrl: `${kinora.rtspUrl}/${film}?grant=${grant}`,
    expiresAt: expect.any(String),
  });
  const seconds = (Date.parse(made.expiresAt) - Date.now()) / 1000;
  expect(seconds).toBeGreaterThan(3_500);
  expect(seconds).toBeLessThanOrEqual(3_600);
  const body = JSON.stringify({ titleId: film });
  const headers = { "Content-Type": "application/json", Host: "localhost:1234" };
  const named: Link = await (await maria.fetch("/api/links", { method: "POST", body, headers })).json();
  expect(named.url).toStartWith("http://localhost:1234/stream/");
});

test("publicUrl stands in all URLs, in the RTSP one when that server listens on all addresses", async () => {
  const data = { rtsp: { listen: "0.0.0.0:0" }, publicUrl: "https://video.example.org" };
  const other = await startTestKinora(data);
  try {
    const user = await TestUser.signIn(other, "root");
    const { id } = await user.upload(await fixture("h264-only.mp4"));
    const made = await link(user, id);
    for (const url of [made.url, made.hlsUrl, made.dashUrl])
      expect(url).toStartWith(`https://video.example.org/stream/${id}/`);
    const { port } = new URL(other.rtspUrl ?? "");
    expect(made.rtspUrl).toStartWith(`rtsp://video.example.org:${port}/${id}?grant=`);
  } finally {
    await other.close();
  }
});

test("how long it counts can be said in seconds or with a unit, up to the configured time", async () => {
  for (const expiresIn of [60, "60s", "1m"]) {
    const seconds = (Date.parse((await link(maria, film, { expiresIn })).expiresAt) - Date.now()) / 1000;
    expect(Math.round(seconds)).toBe(60);
  }
  for (const expiresIn of [0, -1, 1.5, "", "1", "1y", "0s", "61m", 3_601, null, [1]])
    expect(await codeOf(await maria.post("/api/links", { titleId: film, expiresIn }))).toEqual([
      400,
      "invalid-request",
    ]);
});

test("whoever may see a title may make a link to it, nobody else; what is private is passed on by its owner alone", async () => {
  const viewer = new TestUser(kinora);
  await admin.post("/api/users", { username: "viewer", password: "correct horse battery", role: "viewer" });
  await viewer.post("/api/session", { username: "viewer", password: "correct horse battery" });
  const ask = (user: TestUser, titleId = film) => user.post("/api/links", { titleId });
  expect(await codeOf(await ask(new TestUser(kinora)))).toEqual([401, "unauthorized"]);
  expect(await codeOf(await ask(viewer))).toEqual([404, "wrong-media-id"]);
  expect(await codeOf(await ask(maria, Bun.randomUUIDv7()))).toEqual([404, "wrong-media-id"]);
  expect(await codeOf(await maria.post("/api/links", { titleId: film, more: 1 }))).toEqual([400, "invalid-request"]);
  expect(await codeOf(await ask(admin))).toEqual([403, "private-to-owner"]);
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "members" });
  expect((await ask(viewer)).status).toBe(201);
  expect((await ask(admin)).status).toBe(201);
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "private" });
});

test("an admin's link to somebody's title ends when that is made private, and what the admin watches does not", async () => {
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "members" });
  const made = await link(admin);
  const stream = await (await admin.post("/api/streams", { titleId: film, protocol: "hls" })).json();
  expect([await statusOf(made.url), await statusOf(stream.url)]).toEqual([200, 200]);
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "private" });
  expect([await statusOf(made.url), await statusOf(stream.url)]).toEqual([404, 200]);
  const page = `/api/titles/${film}?grant=${grantOf(made)}`;
  expect((await new TestUser(kinora).get(page)).status).toBe(404);
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "public" });
  expect(await statusOf(made.url)).toBe(200);
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "private" });
  await admin.send("DELETE", `/api/streams/${stream.id}`);
});

/** Every address that a playlist or manifest leads to, children and all. */
async function follow(url: string, seen = new Map<string, Response>()): Promise<Map<string, Response>> {
  if (seen.has(url)) return seen;
  const response = await fetch(url);
  seen.set(url, response);
  const type = response.headers.get("Content-Type") ?? "";
  const text = /mpegurl|dash/.test(type) ? await response.text() : "";
  if (text === "") await response.body?.cancel();
  for (const reference of type.includes("dash") ? referencesOfMpd(text) : referencesOfHls(text))
    await follow(new URL(reference, url).href, seen);
  return seen;
}

const referencesOfHls = (text: string) =>
  text
    .split("\n")
    .flatMap((line) =>
      line.startsWith("#") ? [...line.matchAll(/URI="([^"]*)"/g)].map(([, uri = ""]) => uri) : [line],
    )
    .filter((reference) => reference !== "");

function referencesOfMpd(text: string): string[] {
  const [, base = ""] = /<BaseURL>([^<]*)<\/BaseURL>/.exec(text) ?? [];
  const sets = text.split("<AdaptationSet").slice(1);
  return sets.flatMap((set) => {
    const [, id = ""] = /<Representation id="([^"]*)"/.exec(set) ?? [];
    const [, own] = /<BaseURL>([^<]*)<\/BaseURL>/.exec(set) ?? [];
    const templates = [...set.matchAll(/(?:initialization|media)="([^"]*)"/g)].map(([, template = ""]) => template);
    const filled = templates.map((one) => base + one.replace("$RepresentationID$", id).replace("$Number$", "1"));
    return own === undefined ? filled : [base + own];
  });
}

test("every child of the playlists and the manifest carries the grant and is answered", async () => {
  const { hlsUrl, dashUrl, url } = await link();
  const hls = await follow(hlsUrl);
  const dash = await follow(dashUrl);
  const kinds = ["playlist.m3u8", "iframes.m3u8", "init.mp4", "1.m4s", "1.vtt"];
  for (const kind of kinds) expect([...hls.keys()].some((one) => one.includes(`/${kind}?grant=`))).toBe(true);
  for (const kind of ["init.mp4", "1.m4s", ".vtt"])
    expect([...dash.keys()].some((one) => one.includes(`${kind}?grant=`))).toBe(true);
  for (const [one, { status }] of [...hls, ...dash]) expect([one, status]).toEqual([one, 200]);
  expect(await statusOf(url)).toBe(200);
  const subtitles = `${url.replace("/faststart?", "/subtitles?")}`;
  expect((await (await fetch(subtitles)).json()).items.length).toBeGreaterThan(0);
  expect(await statusOf(url.replace("/faststart?", "/original?"))).toBe(200);
  expect(await codeOf(await fetch(url.replace("/faststart?", "/nothing?")))).toEqual([404, "not-found"]);
});

test.skipIf(!has("ffmpeg"))("each of its URLs gives ffprobe every packet of the original", async () => {
  const path = await fixture("h264-aac.mp4");
  const { id } = await maria.upload(path);
  const { url, hlsUrl, dashUrl } = await link(maria, id);
  // Edit lists leave out what only primes the decoder, and players of segments may show it: so what is shown, of what is there.
  const all = new Set((await packetsOf(path, "-ignore_editlist", "1")).map(({ hash }) => hash));
  const shown = (await packetsOf(path)).filter(({ isDiscarded }) => !isDiscarded).map(({ hash }) => hash);
  for (const one of [url, hlsUrl, dashUrl]) {
    const got = new Set((await packetsOf(one)).map(({ hash }) => hash));
    const missing = shown.filter((hash) => !got.has(hash));
    // Of DASH ffmpeg ends with the track that ends first, by grant or not: the last packet of the other is left.
    expect(missing).toEqual(one === dashUrl ? shown.slice(-1).filter((hash) => !got.has(hash)) : []);
    expect([...got].filter((hash) => !all.has(hash))).toEqual([]);
  }
});

test("a revoked link is refused at once, whatever it leads to; others go on", async () => {
  const made = await link();
  const other = await link();
  const all = [...(await follow(made.hlsUrl)).keys(), ...(await follow(made.dashUrl)).keys(), made.url];
  expect((await maria.send("DELETE", `/api/links/${made.id}`)).status).toBe(204);
  for (const url of all) expect([url, await statusOf(url)]).toEqual([url, 401]);
  expect(await statusOf(other.url)).toBe(200);
  expect(await codeOf(await maria.send("DELETE", `/api/links/${made.id}`))).toEqual([404, "not-found"]);
});

test("links are listed with their titles, to those who made them; admins see and revoke all", async () => {
  const user = await TestUser.signIn(kinora, "lister");
  const { id } = await user.upload(await fixture("h264-only.mp4"), { name: "Short" });
  const first = await link(user, id);
  const second = await link(user, id);
  const list = async (who: TestUser, query = "") =>
    (await (await who.get(`/api/links${query}`)).json()) as {
      items: { id: string; titleName: string | null }[];
      nextCursor: string | null;
    };
  const { items, nextCursor } = await list(user);
  expect(items.map((one) => one.id)).toEqual([second.id, first.id]);
  expect(items[0]).toEqual({
    id: second.id,
    collectionId: null,
    collectionName: null,
    titleId: id,
    titleName: "Short",
    user: { id: expect.any(String), username: "lister" },
    createdAt: expect.any(String),
    expiresAt: second.expiresAt,
  } as never);
  expect(JSON.stringify(items)).not.toContain(grantOf(second).slice(-20));
  expect(nextCursor).toBeNull();
  const page = await list(user, "?limit=1");
  expect(page).toMatchObject({ items: [{ id: second.id }], nextCursor: second.id, longestSeconds: 3600 });
  expect((await list(user, `?limit=1&cursor=${page.nextCursor}`)).items[0]?.id).toBe(first.id);
  expect((await list(maria)).items.some((one) => one.id === first.id)).toBe(false);
  expect((await list(admin)).items.some((one) => one.id === first.id)).toBe(false);
  expect((await list(admin, "?all=true&limit=200")).items.some((one) => one.id === first.id)).toBe(true);
  expect(await codeOf(await maria.get("/api/links?all=true"))).toEqual([403, "forbidden"]);
  expect(await codeOf(await maria.get("/api/links?more=1"))).toEqual([400, "invalid-request"]);
  expect(await codeOf(await new TestUser(kinora).get("/api/links"))).toEqual([401, "unauthorized"]);
  expect(await codeOf(await maria.send("DELETE", `/api/links/${first.id}`))).toEqual([404, "not-found"]);
  expect(await statusOf(first.url)).toBe(200);
  expect((await admin.send("DELETE", `/api/links/${first.id}`)).status).toBe(204);
  expect(await statusOf(first.url)).toBe(401);
  await user.send("DELETE", `/api/titles/${id}`);
  expect((await list(user)).items).toMatchObject([{ id: second.id, titleName: null }]);
});

test("after a restart links count, revoked ones do not, and the list is the same", async () => {
  const own = await startTestKinora();
  try {
    const user = await TestUser.signIn(own, "root");
    const { id } = await user.upload(await fixture("h264-only.mp4"));
    const [kept, revoked] = [await link(user, id), await link(user, id)];
    await user.send("DELETE", `/api/links/${revoked.id}`);
    await own.restart();
    const moved = ({ url }: Link) => url.replace(/^http:\/\/[^/]+/, own.url);
    expect(await statusOf(moved(kept))).toBe(200);
    expect(await statusOf(moved(revoked))).toBe(401);
    expect((await (await user.get("/api/links")).json()).items).toMatchObject([{ id: kept.id }]);
  } finally {
    await own.close();
  }
});

describe("a link counts", () => {
  test("for its title alone, public ones included", async () => {
    const { id } = await maria.upload(await fixture("h264-only.mp4"));
    await maria.send("PATCH", `/api/titles/${id}`, { visibility: "public" });
    const { url } = await link();
    expect(await codeOf(await fetch(url.replace(film, id)))).toEqual([404, "wrong-media-id"]);
    expect(await codeOf(await fetch(url.replace(film, Bun.randomUUIDv7())))).toEqual([404, "wrong-media-id"]);
  });

  test("only while the one who made it may see the title", async () => {
    const user = await TestUser.signIn(kinora, "guest");
    const { id } = await maria.upload(await fixture("h264-only.mp4"));
    const change = (visibility: string) => maria.send("PATCH", `/api/titles/${id}`, { visibility });
    await change("members");
    const { url } = await link(user, id);
    expect(await statusOf(url)).toBe(200);
    await change("private");
    expect(await codeOf(await fetch(url))).toEqual([404, "wrong-media-id"]);
    await change("members");
    expect(await statusOf(url)).toBe(200);
    await maria.send("DELETE", `/api/titles/${id}`);
    expect(await codeOf(await fetch(url))).toEqual([404, "wrong-media-id"]);
  });

  test("only as long as their account is as it was", async () => {
    const user = await TestUser.signIn(kinora, "leaver");
    const { id } = await user.upload(await fixture("h264-only.mp4"));
    const { user: account } = (await (await user.get("/api/session")).json()) as { user: { id: string } };
    const first = await link(user, id);
    expect((await user.send("DELETE", "/api/session")).status).toBe(204);
    expect(await statusOf(first.url)).toBe(200);
    await admin.send("PATCH", `/api/users/${account.id}`, { disabled: true });
    expect(await codeOf(await fetch(first.url))).toEqual([401, "unauthorized"]);
    await admin.send("PATCH", `/api/users/${account.id}`, { disabled: false });
    expect(await statusOf(first.url)).toBe(401);
  });

  test("until it expires", async () => {
    const { url } = await link(maria, film, { expiresIn: 1 });
    expect(await statusOf(url)).toBe(200);
    await until(async () => (await statusOf(url)) === 401);
  });
});

test("in a URL a grant counts, for media and what a page shows of it; no token does, and a grant that does not count is refused beside a cookie", async () => {
  const made = await link();
  const grant = grantOf(made);
  const { token } = (await (await maria.post("/api/tokens")).json()) as { token: string };
  const { key } = (await (await maria.post("/api/auth/api-key/create", { name: "k" })).json()) as { key: string };
  const base = `${kinora.url}/stream/${film}/original`;
  const bearer = { headers: { Authorization: `Bearer ${token}` } };
  expect(await statusOf(base, bearer)).toBe(200);
  for (const query of [`token=${token}`, `access_token=${token}`, `grant=${token}`, `grant=${key}`, "grant=", "grant"])
    expect([query, ...(await codeOf(await fetch(`${base}?${query}`)))]).toEqual([query, 401, "unauthorized"]);
  const forged = [grant.slice(0, -5), `${grant}x`, `${grant}&grant=${grant}`, "a.b.c", "x".repeat(9_000)];
  for (const wrong of forged) {
    expect(await statusOf(`${base}?grant=${wrong}`)).toBe(401);
    expect(await statusOf(`${base}?grant=${wrong}`, { headers: { Cookie: maria.cookie } })).toBe(401);
    expect(await statusOf(`${base}?grant=${wrong}`, bearer)).toBe(401);
  }
  for (const path of [`/api/titles/${film}/progress`, "/api/session", "/api/links", "/api/events"])
    expect([path, await statusOf(`${kinora.url}${path}?grant=${grant}`)]).toEqual([path, 401]);
  expect(await statusOf(base, { headers: { Authorization: `Bearer ${grant}` } })).toBe(401);
  expect(await statusOf(base, { headers: { Cookie: `kinora.session_token=${grant}` } })).toBe(401);
  expect(await statusOf(`${kinora.url}/api/links`, { headers: { Authorization: `Bearer ${grant}` } })).toBe(401);
});

test("the grant is no part of an ETag, and what it leads to is nobody else's to keep", async () => {
  const { id } = await maria.upload(await fixture("h264-only.mp4"));
  await maria.send("PATCH", `/api/titles/${id}`, { visibility: "public" });
  const made = await link(maria, id);
  const grant = grantOf(made);
  for (const path of ["faststart", "original", "hls/master.m3u8", "dash/manifest.mpd", "hls/1/1.m4s", "subtitles"]) {
    const plain = await fetch(`${kinora.url}/stream/${id}/${path}`);
    const carried = await fetch(`${kinora.url}/stream/${id}/${path}?grant=${grant}`);
    expect(await plain.text()).not.toContain(grant);
    await carried.body?.cancel();
    expect(plain.headers.get("ETag")).toBe(carried.headers.get("ETag") as string);
    expect(plain.headers.get("Cache-Control")).toStartWith("public");
    expect(carried.headers.get("Cache-Control")).toBe("private, no-cache");
    const headers = { "If-None-Match": carried.headers.get("ETag") ?? "" };
    expect(await statusOf(`${kinora.url}/stream/${id}/${path}?grant=${grant}`, { headers })).toBe(304);
  }
});

test("by grant any page may read media, never with cookies; without one none may", async () => {
  const { hlsUrl, url } = await link();
  const origin = { Origin: "https://elsewhere.example" };
  const asked = { ...origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range" };
  const preflight = await fetch(hlsUrl, { method: "OPTIONS", headers: asked });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe("*");
  expect(preflight.headers.get("Access-Control-Allow-Methods")).toContain("GET");
  expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("Range");
  expect(preflight.headers.has("Access-Control-Allow-Credentials")).toBe(false);
  const ranged = await fetch(url, { headers: { ...origin, Range: "bytes=0-9" } });
  expect([ranged.status, (await ranged.bytes()).length]).toEqual([206, 10]);
  const refused = await fetch(`${url}x`, { headers: origin });
  for (const { headers } of [ranged, refused]) {
    expect(headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(headers.has("Access-Control-Allow-Credentials")).toBe(false);
    expect(headers.get("Access-Control-Expose-Headers")).toContain("Content-Range");
    expect(headers.get("Cross-Origin-Resource-Policy")).toBe("cross-origin");
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  }
  const { pathname } = new URL(url);
  const plain = await maria.fetch(pathname, { headers: origin });
  await plain.body?.cancel();
  expect(plain.headers.has("Access-Control-Allow-Origin")).toBe(false);
  expect(plain.headers.get("Cross-Origin-Resource-Policy")).toBe("same-origin");
  expect((await maria.fetch(pathname, { method: "OPTIONS", headers: asked })).status).toBe(405);
  const api = await fetch(`${kinora.url}/api/titles?grant=${grantOf({ url })}`, { headers: origin });
  expect(api.headers.has("Access-Control-Allow-Origin")).toBe(false);
});

test("a grant stands in no log, metric or error", async () => {
  const { url, hlsUrl } = await link();
  const grant = grantOf({ url });
  const answers = [
    await fetch(hlsUrl.replace("master", "nothing")),
    await fetch(`${url}x`),
    await fetch(url.replace(film, Bun.randomUUIDv7())),
    await fetch(url, { headers: { Range: "bytes=999999999-" } }),
    await fetch(url, { method: "POST" }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).not.toContain(grant.slice(0, 60));
  }
  await (await fetch(url)).arrayBuffer();
  const metrics = await admin.get("/metrics");
  expect(metrics.status).toBe(200);
  expect(await metrics.text()).not.toContain("eyJ");
  expect(lines.some((line) => line.includes(film))).toBe(true);
  expect(lines.filter((line) => line.includes("eyJ") || line.includes("grant="))).toEqual([]);
});
