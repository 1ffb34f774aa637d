import { expect, test } from "bun:test";
import { box, u16, u32, zeros } from "../mp4/box-writer.ts";
import { readTx3gEntry, tx3gCue } from "./tx3g.ts";
import { wvttCues } from "./wvtt.ts";

const plain = { face: 0, forced: false };

/** A sample with style records `[start, end, face]`. */
function sample(text: string | Uint8Array, ...styles: [number, number, number][]): Uint8Array {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const records = styles.flatMap(([from, to, face]) => [...u16(from), ...u16(to), ...u16(1), face, 18, ...u32(0)]);
  const styl = styles.length === 0 ? [] : [...box("styl", u16(styles.length), records)];
  return Uint8Array.from([...u16(bytes.length), ...bytes, ...styl]);
}

const textOf = (bytes: Uint8Array, defaults = plain) => tx3gCue(0, 1000, bytes, defaults)?.text;

test("style records become tags, counted in characters", () => {
  expect(textOf(sample("Ünï 😀 bold", [6, 10, 1]))).toBe("Ünï 😀 <b>bold</b>");
  expect(textOf(sample("abc", [0, 1, 2], [1, 2, 7]))).toBe("<i>a</i><b><i><u>b</u></i></b>c");
  expect(textOf(sample("abc", [1, 2, 0]), { face: 2, forced: false })).toBe("<i>a</i>b<i>c</i>");
});

test("text in UTF-16 is read", () => {
  expect(textOf(sample(Uint8Array.of(0xfe, 0xff, 0x00, 0x41, 0x00, 0xe9)))).toBe("Aé");
});

test("markup in the text is shown, not obeyed", () => {
  expect(textOf(sample("<b>a</b> & \n\n --> b"))).toBe("&lt;b&gt;a&lt;/b&gt; &amp;\n--&gt; b");
});

test("an empty sample is no cue, and a damaged one none either", () => {
  for (const bytes of [new Uint8Array(), Uint8Array.of(0, 0), Uint8Array.of(0, 9, 65)])
    expect(textOf(bytes)).toBeUndefined();
});

test("styles that reach past the text, or a box cut off, do no harm", () => {
  expect(textOf(sample("ab", [1, 60_000, 1], [5, 2, 2]))).toBe("a<b>b</b>");
  expect(textOf(sample("ab", [0, 2, 1]).slice(0, -4))).toBe("ab");
  expect(textOf(Uint8Array.from([...u16(1), 65, ...box("styl", u16(65535), u16(0))]))).toBe("A");
});

test("the entry says the default style and whether all is forced", () => {
  const entry = (flags: number, face: number) => box("tx3g", zeros(8), u32(flags), zeros(20), [face, 18], zeros(4));
  expect(readTx3gEntry(entry(0x8000_0000, 2))).toEqual({ face: 2, forced: true });
  expect(readTx3gEntry(entry(0x4000_0000, 0))).toEqual({ face: 0, forced: false });
  expect(readTx3gEntry(box("tx3g", zeros(3)))).toEqual({ face: 0, forced: false });
});

test("a wvtt sample has any number of cues", () => {
  const cue = (text: string, settings?: string) => {
    const bytes = (value: string) => new TextEncoder().encode(value);
    const sttg = settings === undefined ? [] : [box("sttg", bytes(settings))];
    return box("vttc", ...sttg, box("payl", bytes(text)));
  };
  const two = Buffer.concat([cue("<i>one</i>", "line:0 evil:1"), cue("<img>two")]);
  expect(wvttCues(1, 2, two)).toEqual([
    { startMs: 1, endMs: 2, text: "<i>one</i>", settings: "line:0" },
    { startMs: 1, endMs: 2, text: "&lt;img&gt;two", settings: "" },
  ]);
  expect(wvttCues(1, 2, box("vtte"))).toEqual([]);
  expect(wvttCues(1, 2, Uint8Array.of(0, 0, 0, 99, 1, 2, 3, 4, 5))).toEqual([]);
});
