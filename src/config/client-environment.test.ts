import { expect, test } from "bun:test";
import { readClientEnvironment } from "./client-environment.ts";

test.each([
  [{ HOME: "/h" }, "linux", "/h/.config/kinora"],
  [{ HOME: "/h", XDG_CONFIG_HOME: "/x" }, "linux", "/x/kinora"],
  [{ HOME: "/h", XDG_CONFIG_HOME: "relative" }, "linux", "/h/.config/kinora"],
  [{ HOME: "/h" }, "darwin", "/h/Library/Application Support/kinora"],
  [{ HOME: "/h", APPDATA: "/roaming" }, "win32", "/roaming/kinora"],
])("with %j on %s the client keeps what it knows in %s", (env, platform, folder) => {
  expect(readClientEnvironment(env, platform).configFolder).toBe(folder);
});

test("colours are off with NO_COLOR and on a terminal that has none", () => {
  expect(readClientEnvironment({}).noColor).toBe(false);
  expect(readClientEnvironment({ NO_COLOR: "" }).noColor).toBe(false);
  expect(readClientEnvironment({ NO_COLOR: "1" }).noColor).toBe(true);
  expect(readClientEnvironment({ TERM: "dumb" }).noColor).toBe(true);
});
