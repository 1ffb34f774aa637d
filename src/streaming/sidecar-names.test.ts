import { expect, test } from "bun:test";
import type { TextInfo } from "../media/text/subtitle-info.ts";
import { sidecarInfo } from "./sidecar-names.ts";

const plain: TextInfo = { language: null, name: null, forced: false, isDefault: false, forHearingImpaired: false };
const names: [string, Partial<TextInfo> | null][] = [
  ["film.srt", {}],
  ["film.VTT", {}],
  ["film.en.srt", { language: "en" }],
  ["film.eng.srt", { language: "en" }],
  ["film.English.srt", { language: "en" }],
  ["film.pt-BR.vtt", { language: "pt-BR" }],
  ["film.pt_BR.srt", { language: "pt-BR" }],
  ["film.en.forced.vtt", { language: "en", forced: true }],
  ["film.forced.de.srt", { language: "de", forced: true }],
  ["film.en.sdh.default.srt", { language: "en", forHearingImpaired: true, isDefault: true }],
  ["film.hi.srt", { language: "hi" }],
  ["film.en.hi.srt", { language: "en", forHearingImpaired: true }],
  ["film.Director's cut.en.srt", { language: "en", name: "Director's cut" }],
  ['film.a"b\n.srt', { name: "ab" }],
  ["film.mp4", null],
  ["film2.en.srt", null],
  ["filmsrt", null],
  ["other.srt", null],
];
for (const [name, info] of names) {
  test(`beside film.mp4, ${JSON.stringify(name)} is ${info === null ? "none of its subtitles" : JSON.stringify(info)}`, () => {
    expect(sidecarInfo("film", name)).toEqual(info === null ? null : { ...plain, ...info });
  });
}
