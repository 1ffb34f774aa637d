import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { has } from "../support/debian.ts";
import { isLong } from "../support/players/cases.ts";
import {
  collectFormats,
  formatsPage,
  formatsPath,
  type Played,
  playedPath,
  readPlayed,
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
    const page = formatsPage(await collectFormats(stage.owner), await readPlayed());
    if (isLong) await Bun.write(formatsPath, page);
    expect(await Bun.file(formatsPath).text()).toBe(page);
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
