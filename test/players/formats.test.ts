import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { has } from "../support/debian.ts";
import { containers, matrixCells } from "../support/fixture-matrix.ts";
import { isLong } from "../support/players/cases.ts";
import {
  collectFormats,
  formatsPage,
  formatsPath,
  type Played,
  playedPath,
  readPlayed,
  sampleCells,
} from "../support/players/formats.ts";
import { playFormats } from "../support/players/formats-played.ts";
import { Stage } from "../support/players/stage.ts";

const outcomes = ["plays", "plays, no sound", "not decoded", "not packaged"];

describe.skipIf(!has("ffmpeg"))("files of each container with each codec", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.close());

  test.skipIf(!isLong || !has("chromium"))(
    "play in Chromium wherever it decodes them, and docs/formats-played.json keeps how",
    async () => {
      const played = await playFormats(stage);
      await Bun.write(playedPath, `${JSON.stringify(played, null, 2)}\n`);
      expect(troublesIn(played)).toEqual([]);
    },
    40 * 60_000,
  );

  test("are taken and refused as docs/formats.md says (npm run docs:formats writes it)", async () => {
    const played = await readPlayed();
    if (isLong) await Bun.write(formatsPath, formatsPage(await collectFormats(stage.owner), played));
    const page = formatsPage(await collectFormats(stage.owner, sampleCells()), played).split("\n");
    const kept = (await Bun.file(formatsPath).text()).split("\n");
    expect(page.filter((line) => !kept.includes(line))).toEqual([]);
    const rows = kept.map((line) => line.split(" | ").slice(0, 3).join(" | "));
    const kinds = matrixCells().map(({ container, video, audio }) => [containers[container].title, video, audio]);
    expect(rows).toEqual(expect.arrayContaining(kinds.map((kind) => `| ${kind.join(" | ")}`)));
  }, 120_000);

  test("played when docs/formats.md was written", async () => {
    expect(troublesIn(await readPlayed())).toEqual([]);
  });
});

const troublesIn = ({ results }: Played) =>
  Object.entries(results).flatMap(([name, ways]) =>
    Object.entries(ways)
      .filter(([, outcome]) => !outcomes.includes(outcome))
      .map(([way, outcome]) => `${name} ${way}: ${outcome}`),
  );
