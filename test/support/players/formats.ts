import { join } from "node:path";
import { containers, type MatrixCell, matrixCells } from "../fixture-matrix.ts";
import { refusedNames } from "../fixture-refused.ts";
import { type FixtureName, fixture } from "../fixtures.ts";
import type { TestUser } from "../kinora.ts";

const folder = join(import.meta.dir, "..", "..", "..");
export const formatsPath = join(folder, "docs", "formats.md");
export const playedPath = join(folder, "docs", "formats-played.json");

/** What Kinora makes of a file: an error code where it refuses. */
export interface Taken {
  /** Code of the refusal, or null. */
  readonly refused: string | null;
  readonly detail: string;
  /** Codec that needs a rendition, or null. */
  readonly needsRendition: string | null;
  readonly hls: string;
  readonly dash: string;
}

/** How Chromium played each fixture over HLS, over DASH and as a file, in the last long run. */
export interface Played {
  readonly browser: string;
  readonly date: string;
  readonly results: Readonly<Record<string, Readonly<Record<"hls" | "dash" | "file", string>>>>;
}

export interface Formats {
  readonly cells: readonly { readonly cell: MatrixCell; readonly taken: Taken }[];
  readonly refused: readonly { readonly title: string; readonly taken: Taken }[];
}

interface Problem {
  readonly code: string;
  readonly detail?: string;
}

/** Uploads a fixture and asks for its playlist and manifest. */
export async function take(user: TestUser, name: FixtureName): Promise<Taken> {
  const form = new FormData();
  form.set("file", Bun.file(await fixture(name)), name);
  const answer = await user.fetch("/api/titles", { method: "POST", body: form });
  if (!answer.ok) {
    const { code, detail = "" } = (await answer.json()) as Problem;
    return { refused: code, detail, needsRendition: null, hls: "", dash: "" };
  }
  const { id, needsRendition } = (await answer.json()) as { id: string; needsRendition: { codec: string } | null };
  const ask = async (path: string, sound: RegExp) => {
    const got = await user.get(`/stream/${id}/${path}`);
    if (!got.ok) return ((await got.json()) as Problem).code;
    return sound.test(await got.text()) ? "packaged" : "without sound";
  };
  return {
    refused: null,
    detail: "",
    needsRendition: needsRendition?.codec ?? null,
    hls: await ask("hls/master.m3u8", /TYPE=AUDIO/),
    dash: await ask("dash/manifest.mpd", /contentType="audio"/),
  };
}

/** What `npm test` takes of the matrix: each container and each codec at least once, and every fifth of the rest. */
export function sampleCells(): MatrixCell[] {
  const seen = new Set<string>();
  return matrixCells().filter((cell, index) => {
    const found = [cell.container, cell.video, cell.audio].filter((name) => !seen.has(name));
    for (const name of found) seen.add(name);
    return found.length > 0 || index % 5 === 0;
  });
}

/** What Kinora makes of the files of some cells, of all by default, and of those that it refuses. */
export async function collectFormats(user: TestUser, chosen: readonly MatrixCell[] = matrixCells()): Promise<Formats> {
  const cells: Formats["cells"][number][] = [];
  for (const cell of chosen) cells.push({ cell, taken: await take(user, cell.name) });
  const refused: Formats["refused"][number][] = [];
  for (const [name, title] of Object.entries(refusedNames)) {
    refused.push({ title, taken: await take(user, name as keyof typeof refusedNames) });
  }
  return { cells, refused };
}

export async function readPlayed(): Promise<Played> {
  return (await Bun.file(playedPath).json()) as Played;
}

const intro = `# Formats

What Kinora makes of a file, by container and codec. The tests write this page: \`npm run docs:formats\` asks a running Kinora
about a file of each kind, \`npm test\` asks about a sample and fails when the page says something else, \`npm run test:long\`
asks about all. How it plays is what the last long run saw in a real Chromium.

* **Title**: what \`needsRendition\` of the title names: a codec that common browsers do not decode. Such a video is packaged all
  the same, for players that can.
* **HLS**, **DASH**: packaged; without sound, where its codec is none that they can carry; or the code of the refusal (see
  [errors](errors.md)).
* **Plays**: in Chromium over HLS (hls.js), over DASH (dash.js) and from the file itself. "not decoded": Chromium has no decoder.
`;

/** The page, from what was found out and the last long run. */
export function formatsPage({ cells, refused }: Formats, played: Played): string {
  const rows = cells.map(({ cell, taken }) => {
    const plays = played.results[cell.name] ?? { hls: "?", dash: "?", file: "?" };
    const title = taken.refused === null ? (taken.needsRendition ?? "") : `refused: \`${taken.refused}\``;
    return [
      containers[cell.container].title,
      cell.video,
      cell.audio,
      title,
      code(taken.hls),
      code(taken.dash),
      plays.hls,
      plays.dash,
      plays.file,
    ];
  });
  const refusals = refused.map(({ title, taken }) => [title, code(taken.refused ?? "accepted"), taken.detail]);
  return [
    intro,
    table(["Container", "Video", "Audio", "Title", "HLS", "DASH", "Plays: HLS", "DASH", "file"], rows),
    `\nPlayed on ${played.date} with ${played.browser}.\n`,
    "## Refused\n",
    table(["File", "Code", "What it is told"], refusals),
    "",
  ].join("\n");
}

const code = (text: string) => (["packaged", "without sound", ""].includes(text) ? text : `\`${text}\``);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
