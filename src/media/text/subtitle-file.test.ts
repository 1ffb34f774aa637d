import { expect, test } from "bun:test";
import { cuesBetween } from "./cue.ts";
import { readSubRip, subRipCue } from "./subrip.ts";
import { readSubtitleFile } from "./subtitle-file.ts";
import { readWebVtt, webVttCue, writeWebVtt } from "./webvtt.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (file: Uint8Array) => readSubtitleFile(file).map(({ text }) => text);

test("a SubRip file becomes WebVTT with its times, lines and the styles that both have", () => {
  const file = [
    "1",
    "00:00:01,500 --> 00:00:03,250",
    "Hello <i>you</i>",
    "and <B>you</B>",
    "",
    "2",
    "00:01:00,000 --> 01:00:00,001",
    '{\\an8}<font color="#ff0000">Above</font>',
    "",
  ].join("\r\n");
  expect(writeWebVtt(readSubtitleFile(bytes(file)))).toBe(
    [
      "WEBVTT",
      "",
      "00:00:01.500 --> 00:00:03.250",
      "Hello <i>you</i>",
      "and <b>you</b>",
      "",
      "00:01:00.000 --> 01:00:00.001 line:0",
      "Above",
      "",
    ].join("\n"),
  );
});

test("a segment of HLS says that its clock and the segments' clock both start at 0", () => {
  const cue = { startMs: 0, endMs: 1000, text: "a", settings: "" };
  expect(writeWebVtt([cue], { inHls: true })).toBe(
    "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n00:00:00.000 --> 00:00:01.000\na\n",
  );
});

test("what is written is read back the same", () => {
  const cues = [
    { startMs: 0, endMs: 1, text: "a &amp; b", settings: "" },
    { startMs: 3_600_000, endMs: 360_000_000, text: "<v Ann>two\nlines</v>", settings: "line:10% align:start" },
  ];
  expect(readWebVtt(writeWebVtt(cues))).toEqual(cues);
  expect(readWebVtt(writeWebVtt(cues, { inHls: true }))).toEqual(cues);
});

const careless: [string, string, [number, number, string][]][] = [
  [
    "numbers and empty lines that are missing",
    "0:01,5-->0:02,5\na\n0:03,0 --> 0:04,0\nb",
    [
      [1500, 2500, "a"],
      [3000, 4000, "b"],
    ],
  ],
  [
    "an empty line in a text",
    "1\n00:00:01,000 --> 00:00:02,000\na\n\nb\n\n2\n00:00:03,000 --> 00:00:04,000\nc",
    [
      [1000, 2000, "a\nb"],
      [3000, 4000, "c"],
    ],
  ],
  [
    "dots for commas, and places behind the times",
    "1\n00:00:01.000 --> 00:00:02.000 X1:10 X2:20 Y1:1 Y2:2\na",
    [[1000, 2000, "a"]],
  ],
  [
    "cues out of order",
    "00:00:05,000 --> 00:00:06,000\nb\n\n00:00:01,000 --> 00:00:02,000\na",
    [
      [1000, 2000, "a"],
      [5000, 6000, "b"],
    ],
  ],
  [
    "cues that end before they start, or say nothing",
    "00:00:05,000 --> 00:00:04,000\na\n\n00:00:06,000 --> 00:00:07,000\n\n",
    [],
  ],
  ["line ends of an old Macintosh", "1\r00:00:01,000 --> 00:00:02,000\ra\r", [[1000, 2000, "a"]]],
  ["no subtitles at all", "\u0000\u0001 nothing here -->", []],
];
for (const [what, file, cues] of careless) {
  test(`SubRip with ${what} is read as far as it goes`, () => {
    expect(readSubRip(file).map(({ startMs, endMs, text }) => [startMs, endMs, text])).toEqual(cues);
  });
}

test("WebVTT keeps standard tags, settings and references, and loses notes, styles, regions and names", () => {
  const file = [
    "\ufeffWEBVTT - a title",
    "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000",
    "",
    "STYLE",
    "::cue { background: url(http://example.com/) }",
    "",
    "REGION",
    "id:fred",
    "",
    "NOTE not",
    "shown",
    "",
    "intro",
    "00:01.000 --> 00:02.000 position:10%,line-left align:left region:fred nonsense:1",
    "<v.loud Ann>Hi</v> <c.red.big>all</c> <00:00:01.500><lang en>now</lang> <ruby>a<rt>b</rt></ruby> &lt;3 &nbsp;&#x41;",
    "",
  ].join("\n");
  expect(readSubtitleFile(bytes(file))).toEqual([
    {
      startMs: 1000,
      endMs: 2000,
      text: "<v.loud Ann>Hi</v> <c.red.big>all</c> <00:00:01.500><lang en>now</lang> <ruby>a<rt>b</rt></ruby> &lt;3 &nbsp;&#x41;",
      settings: "position:10%,line-left align:left",
    },
  ]);
});

const hostile: [string, string][] = [
  ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
  ["<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"],
  ["<b onclick=alert(1)>a</b>", "<b>a</b>"],
  ["a\n\n00:00:00.000 --> 99:00:00.000\nforged", "a\n00:00:00.000 --&gt; 99:00:00.000\nforged"],
  ["a --> b", "a --&gt; b"],
  ["AT&T & <3", "AT&amp;T &amp; &lt;3"],
  ["<v Ann --\u0001>x</v>", "<v Ann>x</v>"],
  ["<c.red-->x", "<c.red>x"],
  ["<v <b>x", "&lt;v <b>x"],
  ["\u0000\u001b[31mred\u0085next", "[31mred\nnext"],
];
for (const [text, expected] of hostile) {
  test(`hostile WebVTT text is shown, not obeyed: ${JSON.stringify(text)}`, () => {
    expect(webVttCue(0, 1, text, "")?.text).toBe(expected);
  });
}

test("hostile SubRip text is shown, not obeyed", () => {
  expect(subRipCue(0, 1, "<script>a</script> <B class=x>b</b> <v Ann>&amp; --> {\\p1}")?.text).toBe(
    "&lt;script&gt;a&lt;/script&gt; <b>b</b> &lt;v Ann&gt;&amp;amp; --&gt;",
  );
});

test("settings that are none are not passed on", () => {
  const settings = (text: string) => webVttCue(0, 1, "a", text)?.settings;
  expect(settings("line:-1 size:50% vertical:rl")).toBe("line:-1 size:50% vertical:rl");
  expect(settings("line:a align:evil size:1e9% region:x position:50%;x\tsize:9%")).toBe("size:9%");
});

test("text is UTF-8, UTF-16 or Windows-1252, whichever it can be", () => {
  const file = "1\n00:00:01,000 --> 00:00:02,000\nÉté – ¿qué?\n";
  const utf16 = Buffer.from(`\ufeff${file}`, "utf16le");
  expect(texts(bytes(file))).toEqual(["Été – ¿qué?"]);
  expect(texts(bytes(`\ufeff${file}`))).toEqual(["Été – ¿qué?"]);
  expect(texts(utf16)).toEqual(["Été – ¿qué?"]);
  expect(texts(Buffer.from(utf16).swap16())).toEqual(["Été – ¿qué?"]);
  const western = Uint8Array.from(file, (c) => (c === "–" ? 0x96 : c.charCodeAt(0)));
  expect(texts(western)).toEqual(["Été – ¿qué?"]);
});

test("a cue is in each stretch that it is shown in, with its own times", () => {
  const cue = { startMs: 3000, endMs: 5000, text: "a", settings: "" };
  expect(cuesBetween([cue], 0, 4000)).toEqual([cue]);
  expect(cuesBetween([cue], 4000, 8000)).toEqual([cue]);
  expect(cuesBetween([cue], 0, 3000)).toEqual([]);
  expect(cuesBetween([cue], 5000, 8000)).toEqual([]);
});

test("a megabyte of the worst text takes no time", () => {
  const started = performance.now();
  for (const piece of ["<v ", "<b", "&#", "{\\", "1:1:1", "-->", "<c.a", "0:00 ---", "\n--> "]) {
    readSubtitleFile(bytes(piece.repeat(1_000_000 / piece.length)));
    readSubtitleFile(bytes(`WEBVTT\n\n00:00.000 --> 00:01.000\n${piece.repeat(1_000_000 / piece.length)}`));
  }
  expect(performance.now() - started).toBeLessThan(3000);
});
