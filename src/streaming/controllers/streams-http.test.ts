import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { fixture } from "../../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../../test/support/kinora.ts";
import { until } from "../../../test/support/until.ts";
import type { StreamHandle, StreamSummary } from "../contract.ts";

const PER_USER = 3;
/** For the tests that wait until time is over. */
const LIFETIME_MS = 700;
const GRACE_MS = 1_500;

let kinora: TestKinora;
let admin: TestUser;
let ada: TestUser;
let bob: TestUser;
let titleId = "";
/** The same with tokens and a grace that are over soon. */
let hasty: TestKinora;
let eve: TestUser;
let hastyTitleId = "";
beforeAll(async () => {
  kinora = await startTestKinora({ streams: { perUser: PER_USER } });
  hasty = await startTestKinora({ auth: { tokenLifetime: LIFETIME_MS }, streams: { grace: GRACE_MS } });
  eve = await TestUser.signIn(hasty, "eve");
  hastyTitleId = (await eve.upload(await fixture("h264-aac.mp4"))).id;
  admin = await TestUser.signIn(kinora, "root");
  ada = await TestUser.signIn(kinora, "ada");
  bob = await TestUser.signIn(kinora, "bob");
  titleId = (await ada.upload(await fixture("h264-aac.mp4"))).id;
});
afterAll(async () => {
  await hasty.close();
  await kinora.close();
});
afterEach(async () => {
  const { items } = await listOf(admin);
  for (const { id } of items) await admin.send("DELETE", `/api/streams/${id}`);
});

async function listOf(user: TestUser): Promise<{ items: StreamSummary[] }> {
  return (await user.get("/api/streams")).json() as Promise<{ items: StreamSummary[] }>;
}

async function startStream(user: TestUser, body: Record<string, unknown> = {}, init: RequestInit = {}) {
  const response = await user.fetch("/api/streams", {
    method: "POST",
    body: JSON.stringify({ titleId: titleId, protocol: "hls", ...body }),
    ...init,
    headers: { "Content-Type": "application/json", ...init.headers },
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as StreamHandle;
}

/** A token of a user's session, which renews itself by hand. */
async function tokenOf(user: TestUser): Promise<{ token: string; id: string; expiresAt: string }> {
  return (await user.post("/api/tokens")).json() as Promise<{ token: string; id: string; expiresAt: string }>;
}
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

/** Somebody without a cookie. */
const nobody = (where = kinora) => new TestUser(where);

/** An open event stream of a controller and what it has brought. */
class Events {
  text = "";
  ended = false;
  readonly status: number;
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.#abort = abort;
    this.#read(response).catch(() => undefined);
  }

  static async open(user: TestUser, id: string, init: RequestInit = {}): Promise<Events> {
    const abort = new AbortController();
    const response = await user.fetch(`/api/streams/${id}/events`, { ...init, signal: abort.signal });
    const events = new Events(response, abort);
    if (response.status === 200) await until(() => events.text.includes("hello"));
    return events;
  }

  /** `name reason` of each. */
  get names(): string[] {
    return [...this.text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, name = "", data = ""]) => {
      const { reason } = JSON.parse(data) as { reason?: string };
      return reason ? `${name} ${reason}` : name;
    });
  }

  leave(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<void> {
    for await (const chunk of response.body ?? []) this.text += new TextDecoder().decode(chunk);
    this.ended = true;
  }
}

describe("a stream", () => {
  test("is answered with all that a player needs, and its owner and admins see it without its secret", async () => {
    const before = Date.now();
    const hls = await startStream(ada);
    expect(hls).toMatchObject({ protocol: "hls", sdp: null, syncTopic: `StreamerSync.${hls.id}` });
    expect(hls.url).toStartWith(`${kinora.url}/stream/${titleId}/hls/master.m3u8?grant=`);
    expect(Date.parse(hls.expiresAt) - before).toBeWithin(30_000, 40_000);
    const rtsp = await startStream(ada, { protocol: "rtsp" });
    expect(rtsp.url).toMatch(new RegExp(`^rtsp://127\\.0\\.0\\.1:\\d+/${titleId}\\?grant=[^&]+$`));
    const { items } = await listOf(ada);
    expect(items.map(({ id }) => id)).toEqual([rtsp.id, hls.id]);
    expect(items[0]).toMatchObject({ state: "running", title: { id: titleId }, user: { username: "ada" } });
    const all = await listOf(admin);
    expect(all.items.map(({ id }) => id)).toEqual([rtsp.id, hls.id]);
    expect(JSON.stringify(all)).not.toContain("grant");
    expect((await listOf(bob)).items).toEqual([]);
  });
});

/** From now until the stream is gone. */
async function goneAfter(id: string): Promise<number> {
  const begin = performance.now();
  await until(async () => (await listOf(admin)).items.every((stream) => stream.id !== id));
  return performance.now() - begin;
}

describe("is stopped within a second", () => {
  test("when its token is revoked", async () => {
    const token = await tokenOf(ada);
    const me = nobody();
    const { id } = await startStream(me, {}, bearer(token.token));
    const events = await Events.open(ada, id);
    expect((await ada.send("DELETE", `/api/tokens/${token.id}`)).status).toBe(204);
    expect(await goneAfter(id)).toBeLessThan(1_000);
    await until(() => events.ended);
    expect(events.names).toEqual(["stopped revoked"]);
  });

  test("when the session that made it signs out", async () => {
    const carl = await TestUser.signIn(kinora, "carl");
    const { id } = await startStream(carl, { titleId: await membersTitle() });
    const events = await Events.open(carl, id);
    await carl.send("DELETE", "/api/session");
    expect(await goneAfter(id)).toBeLessThan(1_000);
    await until(() => events.ended);
    expect(events.names).toEqual(["stopped revoked"]);
  });

  test("when its title is hidden from its viewer, or deleted", async () => {
    const shared = await membersTitle();
    const [hidden, own] = [await startStream(bob, { titleId: shared }), await startStream(ada, { titleId: shared })];
    const events = await Events.open(bob, hidden.id);
    await ada.send("PATCH", `/api/titles/${shared}`, { visibility: "private" });
    expect(await goneAfter(hidden.id)).toBeLessThan(1_000);
    await until(() => events.ended);
    expect(events.names).toEqual(["stopped title-unavailable"]);
    expect((await listOf(ada)).items.map(({ id }) => id)).toEqual([own.id]);
    await ada.send("DELETE", `/api/titles/${shared}`);
    expect(await goneAfter(own.id)).toBeLessThan(1_000);
  });

  test("by an admin, who need not be its owner", async () => {
    const { id } = await startStream(ada);
    const events = await Events.open(ada, id);
    expect((await admin.send("DELETE", `/api/streams/${id}`)).status).toBe(204);
    await until(() => events.ended);
    expect(events.names).toEqual(["stopped stopped"]);
  });
});

/** A title of ada's that all members may see. */
async function membersTitle(): Promise<string> {
  const { id } = await ada.upload(await fixture("h264-only.mp4"));
  await ada.send("PATCH", `/api/titles/${id}`, { visibility: "members" });
  return id;
}

describe("time: a stream", () => {
  test("asks for renewal and stops when it gets none; its list is empty then", async () => {
    const { id } = await startStream(eve, { titleId: hastyTitleId });
    const events = await Events.open(eve, id);
    await until(() => events.ended);
    expect(events.names).toEqual(["authentication-requested", "stopped expired"]);
    const { stopsAt } = JSON.parse(/^data: (.*)$/m.exec(events.text)?.[1] ?? "") as { stopsAt: string };
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(stopsAt));
    expect((await listOf(eve)).items).toEqual([]);
    expect((await eve.post(`/api/streams/${id}/refresh`)).status).toBe(404);
  });

  test("goes on while it is refreshed, by tokens that are renewed, with the same URL", async () => {
    let token = await tokenOf(eve);
    const me = nobody(hasty);
    const stream = await startStream(me, { titleId: hastyTitleId }, bearer(token.token));
    expect(stream.expiresAt).toBe(token.expiresAt);
    const events = await Events.open(me, stream.id, bearer(token.token));
    const begin = Date.now();
    while (Date.now() - begin < 1.5 * (LIFETIME_MS + GRACE_MS)) {
      await Bun.sleep(LIFETIME_MS / 4);
      const renewed = await me.fetch("/api/tokens/refresh", { method: "POST", ...bearer(token.token) });
      token = (await renewed.json()) as typeof token;
      const answer = await me.fetch(`/api/streams/${stream.id}/refresh`, { method: "POST", ...bearer(token.token) });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ ...stream, expiresAt: token.expiresAt });
    }
    expect(events.names.filter((name) => name.startsWith("stopped"))).toEqual([]);
    await until(() => events.ended);
    expect(events.names.at(-1)).toBe("stopped expired");
  });

  test("that asks already says so to whoever begins to listen, and goes on when it is refreshed", async () => {
    const { id } = await startStream(eve, { titleId: hastyTitleId });
    await until(async () => (await listOf(eve)).items.some(({ state }) => state === "asking"));
    const events = await Events.open(eve, id);
    await until(() => events.names.includes("authentication-requested"));
    expect((await eve.post(`/api/streams/${id}/refresh`)).status).toBe(200);
    expect((await listOf(eve)).items).toMatchObject([{ id, state: "running" }]);
    events.leave();
  });
});

describe("what is asked of streams", () => {
  test("more of them than one user may have are refused", async () => {
    for (let n = 0; n < PER_USER; n++) await startStream(ada);
    const response = await ada.post("/api/streams", { titleId, protocol: "hls" });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([403, "quota-exceeded"]);
    await startStream(admin);
  });

  test("a title that is not there or not theirs to see is the same 404", async () => {
    for (const [user, id] of [
      [bob, titleId],
      [ada, Bun.randomUUIDv7()],
    ] as const) {
      const response = await user.post("/api/streams", { titleId: id, protocol: "hls" });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, "wrong-media-id"]);
    }
  });

  test.each([
    ["an unknown protocol", { protocol: "mms" }],
    ["no protocol", { protocol: undefined }],
    ["an id that is none", { titleId: "../../etc/passwd" }],
    ["an unknown field", { clientAddress: "192.0.2.1" }],
    ["a port without RTP", { clientPort: 5004 }],
    ["RTP without a port", { protocol: "rtp" }],
    ["an odd port", { protocol: "rtp", clientPort: 5005 }],
    ["a port of the system", { protocol: "rtp", clientPort: 1022 }],
    ["a port past the last", { protocol: "rtp", clientPort: 65_536 }],
    ["a port that is no number", { protocol: "rtp", clientPort: "5004" }],
    ["a port that is no whole number", { protocol: "rtp", clientPort: 5004.5 }],
  ])("%s is 400", async (_what, body) => {
    const response = await ada.post("/api/streams", { titleId, protocol: "hls", ...body });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "invalid-request"]);
  });

  test("somebody else's stream is 404 for everything, and lives on", async () => {
    const { id } = await startStream(ada);
    const asks = [
      ["POST", "/refresh"],
      ["POST", "/pause"],
      ["POST", "/resume"],
      ["DELETE", ""],
      ["GET", "/events"],
    ] as const;
    for (const [method, rest] of asks) {
      expect((await bob.send(method, `/api/streams/${id}${rest}`)).status).toBe(404);
      expect((await ada.send(method, `/api/streams/${Bun.randomUUIDv7()}${rest}`)).status).toBe(404);
      expect((await ada.send(method, `/api/streams/nothing${rest}`)).status).toBe(400);
      expect((await nobody().send(method, `/api/streams/${id}${rest}`)).status).toBe(401);
    }
    expect((await listOf(ada)).items).toMatchObject([{ id, state: "running" }]);
  });

  test("RTSP is paused and resumed, HLS is not", async () => {
    const rtsp = await startStream(ada, { protocol: "rtsp" });
    const events = await Events.open(ada, rtsp.id);
    expect(await (await ada.post(`/api/streams/${rtsp.id}/pause`)).json()).toMatchObject({ state: "paused" });
    expect(await (await ada.post(`/api/streams/${rtsp.id}/resume`)).json()).toMatchObject({ state: "running" });
    await until(() => events.names.length === 2);
    expect(events.names).toEqual(["paused", "resumed"]);
    events.leave();
    const hls = await startStream(ada);
    const response = await ada.post(`/api/streams/${hls.id}/pause`);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([409, "conflict"]);
  });

  test("RTP through a proxy that is not trusted is refused: the packets would go to the proxy", async () => {
    const forwarded: Record<string, string>[] = [
      { "X-Forwarded-For": "203.0.113.9" },
      { "X-Forwarded-For": "127.0.0.1, 203.0.113.9" },
      { "X-Real-IP": "127.0.0.1" },
    ];
    for (const headers of forwarded) {
      const response = await ada.fetch("/api/streams", {
        method: "POST",
        body: JSON.stringify({ titleId, protocol: "rtp", clientPort: 45_000 }),
        headers: { "Content-Type": "application/json", ...headers },
      });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([403, "forbidden"]);
    }
  });

  test("no more than five follow one stream at a time", async () => {
    const { id } = await startStream(ada);
    const readers = await Promise.all([1, 2, 3, 4, 5].map(() => Events.open(ada, id)));
    expect(readers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await Events.open(ada, id)).status).toBe(429);
    for (const reader of readers) reader.leave();
    await until(async () => {
      const again = await Events.open(ada, id);
      again.leave();
      return again.status === 200;
    });
  });

  test("/metrics counts them by protocol", async () => {
    await startStream(ada);
    const metrics = await (await fetch(`${kinora.url}/metrics`)).text();
    expect(metrics).toContain('kinora_streams{protocol="hls"} 1');
    expect(metrics).toContain('kinora_streams{protocol="rtsp"} 0');
  });
});

describe("the URL of an HLS stream", () => {
  const answers = async (url: string) => (await fetch(url)).status;

  test("plays for whoever has it, for as long as the stream runs", async () => {
    const { id, url } = await startStream(ada);
    expect(await answers(url)).toBe(200);
    await ada.send("DELETE", `/api/streams/${id}`);
    expect(await answers(url)).toBe(401);
  });

  test("ends with the credential's revocation and with the grace", async () => {
    const token = await tokenOf(ada);
    const first = await startStream(nobody(), {}, bearer(token.token));
    await ada.send("DELETE", `/api/tokens/${token.id}`);
    await until(async () => (await answers(first.url)) === 401, 1_000);
    const second = await startStream(eve, { titleId: hastyTitleId });
    expect(await answers(second.url)).toBe(200);
    await until(async () => (await listOf(eve)).items.length === 0);
    await until(async () => (await answers(second.url)) === 401, 1_000);
  });
});
