import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { hasBye, RtspClient } from "./support/rtsp-client.ts";
import { resting, until } from "./support/until.ts";

const clients: RtspClient[] = [];
let kinora: TestKinora;
let admin: TestUser;
let maria: TestUser;
let titleId: string;

beforeAll(async () => {
  kinora = await startTestKinora();
  admin = await TestUser.signIn(kinora, "root");
  maria = await TestUser.signIn(kinora, "maria");
  titleId = (await maria.upload(await fixture("h264-aac.mp4"))).id;
});
afterAll(() => kinora.close());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

const portOf = (url: string | null) => Number(new URL(url ?? "").port);
const connect = async () => {
  const client = await RtspClient.connect(portOf(kinora.rtspUrl));
  clients.push(client);
  return client;
};
const linkTo = async (id = titleId, body: Record<string, unknown> = {}, user = maria) =>
  (await (await user.post("/api/links", { titleId: id, ...body })).json()) as { id: string; rtspUrl: string };
const bareOf = (url: string) => url.slice(0, url.indexOf("?"));
const describeAt = async (url: string, headers: Record<string, string> = {}) =>
  (await (await connect()).ask("DESCRIBE", url, headers)).status;

/** A client that plays the title by a link, and has got packets. */
async function player(url: string): Promise<RtspClient> {
  const client = await connect();
  expect((await client.play(url)).status).toBe(200);
  await until(() => client.packets.length > 5);
  return client;
}

async function expectCut(client: RtspClient, cut: () => Promise<Response>): Promise<void> {
  const response = await cut();
  const began = performance.now();
  expect(response.ok).toBe(true);
  await until(() => client.isClosed);
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(hasBye(client.packets, 1)).toBe(true);
}

describe("who may play over RTSP is who may over HTTP", () => {
  test("a grant in the URL or as the password of any user plays its title, and no other", async () => {
    const { rtspUrl } = await linkTo();
    const grant = new URL(rtspUrl).searchParams.get("grant");
    expect(await describeAt(rtspUrl)).toBe(200);
    const Authorization = `Basic ${Buffer.from(`vlc:${grant}`).toString("base64")}`;
    expect(await describeAt(bareOf(rtspUrl), { Authorization })).toBe(200);
    const other = (await maria.upload(await fixture("h264-only.mp4"))).id;
    expect(await describeAt(`${kinora.rtspUrl}/${other}?grant=${grant}`)).toBe(404);
  });

  test("nobody is told whether a title exists; whoever shows something that does not count is nobody", async () => {
    const { rtspUrl } = await linkTo();
    const nowhere = `${kinora.rtspUrl}/${Bun.randomUUIDv7()}`;
    for (const url of [
      bareOf(rtspUrl),
      nowhere,
      `${kinora.rtspUrl}/x`,
      `${rtspUrl}x`,
      `${bareOf(rtspUrl)}?grant=a.b.c`,
    ]) {
      expect(await describeAt(url)).toBe(401);
    }
    const { token } = (await (await maria.post("/api/tokens")).json()) as { token: string };
    expect(await describeAt(`${bareOf(rtspUrl)}?grant=${token}`)).toBe(401);
    expect(await describeAt(bareOf(rtspUrl), { Authorization: `Bearer ${token}` })).toBe(401);
  });

  test("an API key plays what its user may see", async () => {
    const { rtspUrl } = await linkTo();
    const { key } = (await (await maria.post("/api/auth/api-key/create", { name: "tv" })).json()) as { key: string };
    const Authorization = `Bearer ${key}`;
    expect(await describeAt(bareOf(rtspUrl), { Authorization })).toBe(200);
    expect(await describeAt(`${kinora.rtspUrl}/${Bun.randomUUIDv7()}`, { Authorization })).toBe(404);
  });

  test("a public title takes no grant, and is over when it is public no more", async () => {
    const { id } = await maria.upload(await fixture("h264-aac-faststart.mp4"));
    await maria.send("PATCH", `/api/titles/${id}`, { visibility: "public" });
    const client = await player(`${kinora.rtspUrl}/${id}`);
    await expectCut(client, () => maria.send("PATCH", `/api/titles/${id}`, { visibility: "private" }));
    expect(await describeAt(`${kinora.rtspUrl}/${id}`)).toBe(401);
  });
});

describe("whoever may not play any more is cut within a second", () => {
  test("when the link is revoked, and only its player", async () => {
    const [first, second] = [await linkTo(), await linkTo()];
    const [cut, other] = [await player(first.rtspUrl), await player(second.rtspUrl)];
    await expectCut(cut, () => maria.send("DELETE", `/api/links/${first.id}`));
    expect(await describeAt(first.rtspUrl)).toBe(401);
    expect((await other.ask("GET_PARAMETER", bareOf(second.rtspUrl))).status).toBe(200);
  });

  test("when the title is deleted", async () => {
    const { id } = await maria.upload(await fixture("h264-aac-3.72s.mp4"));
    const client = await player((await linkTo(id)).rtspUrl);
    await expectCut(client, () => maria.send("DELETE", `/api/titles/${id}`));
  });

  test("when the user is disabled", async () => {
    const nina = await TestUser.signIn(kinora, "nina");
    const { id } = await nina.upload(await fixture("h264-late-aac.mp4"));
    const client = await player((await linkTo(id, {}, nina)).rtspUrl);
    const { user } = (await (await nina.get("/api/session")).json()) as { user: { id: string } };
    await expectCut(client, () => admin.send("PATCH", `/api/users/${user.id}`, { disabled: true }));
  });

  test("when the link's time is over", async () => {
    const client = await player((await linkTo(titleId, { expiresIn: 2 })).rtspUrl);
    await until(() => client.isClosed);
    expect(hasBye(client.packets, 1)).toBe(true);
  });
});

test("a stream controller pauses, resumes and stops what plays under its URL", async () => {
  const started = await maria.post("/api/streams", { titleId, protocol: "rtsp" });
  expect(started.status).toBe(201);
  const { id, url } = (await started.json()) as { id: string; url: string };
  const client = await player(url);
  await maria.post(`/api/streams/${id}/pause`);
  const count = await resting(() => client.packets.length);
  await maria.post(`/api/streams/${id}/resume`);
  await until(() => client.packets.length > count + 10);
  await expectCut(client, () => maria.send("DELETE", `/api/streams/${id}`));
});

test("/metrics tells of sessions and bytes", async () => {
  await player((await linkTo()).rtspUrl);
  const text = await (await fetch(`${kinora.url}/metrics`)).text();
  expect(text).toContain('kinora_rtsp_sessions{transport="tcp"} 1');
  expect(text).toContain('kinora_rtsp_sessions{transport="udp"} 0');
  expect(text).toMatch(/kinora_rtsp_sent_bytes_total\{transport="tcp"\} [1-9]\d*/);
  expect(text).toMatch(/kinora_rtp_packets_total\{sent="in-time"\} [1-9]\d*/);
  expect(text).toMatch(/kinora_rtp_packets_total\{sent="late"\} \d+/);
  expect(text).toMatch(/kinora_rtsp_connections\{state="authorised"\} [1-9]/);
});

test("it can be switched off: nothing listens, links have no RTSP address, streams over it are refused", async () => {
  const other = await startTestKinora({ rtsp: { listen: "off" } });
  try {
    expect(other.rtspUrl).toBeNull();
    const user = await TestUser.signIn(other, "root");
    const { id } = await user.upload(await fixture("h264-only.mp4"));
    expect((await linkTo(id, {}, user)).rtspUrl).toBeNull();
    expect((await user.post("/api/streams", { titleId: id, protocol: "rtsp" })).status).toBe(503);
  } finally {
    await other.close();
  }
});

test("an address that was chosen and is taken stops the start, with a hint", async () => {
  const { host } = new URL(kinora.rtspUrl ?? "");
  const error = await startTestKinora({ rtsp: { listen: host } }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    name: "StartError",
    message: `RTSP cannot listen on ${host}: another program listens there.`,
    hint: expect.stringContaining("rtsp.listen"),
  });
});

test("stopping says BYE to players and takes no longer than a few seconds", async () => {
  const other = await startTestKinora();
  const user = await TestUser.signIn(other, "root");
  const { id } = await user.upload(await fixture("h264-aac.mp4"));
  const { rtspUrl } = await linkTo(id, {}, user);
  const client = await RtspClient.connect(portOf(other.rtspUrl));
  await client.play(rtspUrl);
  await until(() => client.packets.length > 5);
  const began = performance.now();
  await other.close();
  expect(performance.now() - began).toBeLessThan(10_000);
  await until(() => client.isClosed);
  expect(hasBye(client.packets, 1)).toBe(true);
});
