import { join } from "node:path";

/** Builds the web app when its sources have changed, for suites that need it and run on their own. */
export async function buildWeb(): Promise<void> {
  const script = join(import.meta.dir, "..", "..", "scripts", "build-web.ts");
  const build = Bun.spawn([process.execPath, script], { stdout: "ignore", stderr: "inherit" });
  if ((await build.exited) !== 0) throw new Error("the web app could not be built");
}
