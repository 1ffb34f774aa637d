/**
 * Writes docs/formats.md from what a running Kinora makes of a file of each kind. `--play` first plays all of them in
 * Chromium and keeps how it went in docs/formats-played.json.
 */
import { collectFormats, formatsPage, formatsPath, playedPath, readPlayed } from "../test/support/players/formats.ts";
import { playFormats } from "../test/support/players/formats-played.ts";
import { Stage } from "../test/support/players/stage.ts";

const stage = await Stage.open();
try {
  if (Bun.argv.includes("--play")) {
    await Bun.write(playedPath, `${JSON.stringify(await playFormats(stage), null, 2)}\n`);
  }
  await Bun.write(formatsPath, formatsPage(await collectFormats(stage.owner), await readPlayed()));
} finally {
  await stage.close();
}
process.exit(0);
