import { expect, test } from "bun:test";
import { fixture } from "../../../test/support/fixtures.ts";
import { fileSource } from "../../../test/support/packets.ts";
import { openMedia } from "../open.ts";
import { rtpTracksOf } from "./rtp-tracks.ts";
import { sessionDescription } from "./sdp.ts";

async function described(name: Parameters<typeof fixture>[0]) {
  const { presentation } = await openMedia(await fileSource(await fixture(name)));
  if (presentation === null) throw new Error(`${name} is not packaged`);
  const { tracks } = rtpTracksOf(presentation);
  return { tracks, durationSeconds: presentation.description.durationSeconds };
}

const base = { name: "A film", sessionId: "42", originAddress: "192.0.2.1", connectionAddress: "0.0.0.0" };

test("the description of an RTSP session names every track, its format, language and control URL", async () => {
  const title = await described("h264-many-sounds.mkv");
  const text = sessionDescription({ ...base, ...title, controlOf: ({ trackId }) => `trackID=${trackId}` });
  expect(text.endsWith("\r\n")).toBe(true);
  expect(text.split("\r\n").map((line) => line.replace(/sprop-parameter-sets=\S+/, "sprop-parameter-sets=…"))).toEqual([
    ...["v=0", "o=- 42 1 IN IP4 192.0.2.1", "s=A film", "c=IN IP4 0.0.0.0", "t=0 0", "a=tool:kinora", "a=control:*"],
    expect.stringMatching(/^a=range:npt=0-9\.\d{3}$/),
    ...["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"],
    expect.stringMatching(/^a=fmtp:96 packetization-mode=1;profile-level-id=[0-9A-F]{6};sprop-parameter-sets=…$/),
    ...["a=control:trackID=1", "m=audio 0 RTP/AVP 97", "a=rtpmap:97 mpeg4-generic/48000/1"],
    expect.stringMatching(/^a=fmtp:97 .*mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=[0-9A-F]+$/),
    ...["a=lang:en", "a=control:trackID=2", "m=audio 0 RTP/AVP 98", "a=rtpmap:98 opus/48000/2"],
    ...["a=fmtp:98 sprop-stereo=0", "a=lang:ja", "a=control:trackID=4", ""],
  ]);
});

test("that of RTP push has ports, the receiver's address and no control URLs", async () => {
  const title = await described("h265-aac.mp4");
  const text = sessionDescription({ ...base, ...title, connectionAddress: "2001:db8::7", portOf: () => 5004 });
  expect(text).toContain("c=IN IP6 2001:db8::7\r\n");
  expect(text).toContain("m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n");
  expect(text).toMatch(/a=fmtp:96 sprop-vps=[^;]+;sprop-sps=[^;]+;sprop-pps=\S+\r\n/);
  expect(text).not.toContain("a=control");
});

test("no name, id or address adds a line", async () => {
  const title = await described("h264-only.mp4");
  const lines = sessionDescription({ ...base, ...title }).split("\r\n").length;
  const hostile = "x\r\nm=video 1 RTP/AVP 0\u0085a=b\u2028c";
  const options = { ...base, ...title, name: hostile, sessionId: hostile, originAddress: hostile };
  const text = sessionDescription({ ...options, connectionAddress: hostile });
  expect(text.split("\r\n").length).toBe(lines);
  expect(text).toContain("s=x m=video 1 RTP/AVP 0 a=b c\r\n");
  expect(sessionDescription({ ...base, ...title, name: "\n" })).toContain("s=-\r\n");
});
