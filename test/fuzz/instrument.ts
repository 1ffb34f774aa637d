/** Preloaded (`bun --preload`): counts how often each statement and branch of `src/media` runs, in `__coverage__`. */
import { createInstrumenter } from "istanbul-lib-instrument";

const instrumenter = createInstrumenter({ esModules: true, compact: false, parserPlugins: ["typescript"] });

Bun.plugin({
  name: "coverage of src/media",
  setup(build) {
    build.onLoad({ filter: /\/src\/media\/.*\.ts$/ }, async ({ path }) => ({
      contents: instrumenter.instrumentSync(await Bun.file(path).text(), path),
      loader: "ts",
    }));
  },
});
