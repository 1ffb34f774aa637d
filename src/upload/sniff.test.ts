import { expect, test } from "bun:test";
import { fixture } from "../../test/support/fixtures.ts";
import { SNIFF_BYTES, sniff } from "./sniff.ts";

const headOf = async (path: string) => new Uint8Array(await Bun.file(path).slice(0, SNIFF_BYTES).arrayBuffer());
const text = (value: string) => new TextEncoder().encode(value.padEnd(SNIFF_BYTES));

test("every container that is read begins like a video", async () => {
  for (const name of [
    "h264-aac.mp4",
    "h264-aac-faststart.mp4",
    "h264-aac.mkv",
    "vp9-opus.webm",
    "h264-aac.ts",
  ] as const)
    expect([name, sniff(await headOf(await fixture(name)))]).toEqual([name, "video"]);
});

test("a transport stream is known from the middle of a packet, and with time stamps before each", async () => {
  const plain = new Uint8Array(
    await Bun.file(await fixture("h264-aac.ts"))
      .slice(0, 2 * SNIFF_BYTES)
      .arrayBuffer(),
  );
  expect(sniff(plain.subarray(100, 100 + SNIFF_BYTES))).toBe("video");
  const stamped = new Uint8Array(SNIFF_BYTES);
  for (let packet = 0; packet * 192 + 192 <= SNIFF_BYTES; packet++)
    stamped.set(plain.subarray(packet * 188, packet * 188 + 188), packet * 192 + 4);
  expect(sniff(stamped)).toBe("video");
});

test("other files are refused only when enough of them is there", () => {
  for (const magic of [
    "PK\u0003\u0004",
    "%PDF-1.7\n",
    "\u0089PNG\r\n",
    "<!doctype html>",
    "GIF89a",
    "RIFF....AVI LIST",
  ]) {
    expect(sniff(text(magic))).toBe("other");
    expect(sniff(text(magic).subarray(0, 1000))).toBe("unknown");
  }
  expect(sniff(new Uint8Array(SNIFF_BYTES))).toBe("other");
  expect(sniff(new Uint8Array(0))).toBe("unknown");
});
