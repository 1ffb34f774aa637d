/**
 * Writes docs/formats.md from what a running Kinora makes of a file of each kind. `--play` first plays them in Chromium
 * (all, or those whose name holds the word after it) and keeps how it went in docs/formats-played.json.
 */
import { matrixCells } from "../test/support/fixture-matrix.ts";
import { collectFormats, formatsPage, formatsPath, playedPath, readPlayed } from "../test/support/players/formats.ts";
import { playFormats } from "../test/support/players/formats-played.ts";
import { Stage } from "../test/support/players/stage.ts";

const stage = await Stage.open();
try {
  const play = Bun.argv.indexOf("--play");
  if (play >= 0) {
    const word = Bun.argv[play + 1] ?? "";
    const known = word === "" ? {} : (await readPlayed()).results;
    const played = await playFormats(
      stage,
      matrixCells().filter(({ name }) => name.includes(word)),
    );
    const results = { ...known, ...played.results };
    await Bun.write(playedPath, `${JSON.stringify({ ...played, results }, null, 2)}\n`);
  }
  await Bun.write(formatsPath, formatsPage(await collectFormats(stage.owner), await readPlayed()));
} finally {
  await stage.close();
}
process.exit(0);
