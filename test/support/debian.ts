/** The Debian packages the tests use, by the program that shows they are there. */
export const debianPackages: Readonly<Record<string, string>> = {
  ffmpeg: "ffmpeg",
  chromium: "chromium",
  nginx: "nginx-light",
};

/**
 * Installs what is missing when this is root on Debian. Returns the packages that are still missing; in CI
 * (`CI=true`) that is an error.
 */
export async function ensureDebianPackages(wanted: Readonly<Record<string, string>>): Promise<string[]> {
  const missing = () =>
    Object.entries(wanted)
      .filter(([program]) => !Bun.which(program))
      .map(([, debianPackage]) => debianPackage);
  if (missing().length > 0 && process.getuid?.() === 0 && Bun.which("apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    for (const command of [
      ["apt-get", "update", "-q"],
      ["apt-get", "install", "-y", "-q", "--no-install-recommends", ...missing()],
    ]) {
      await Bun.spawn(command, { stdio: ["ignore", "ignore", "inherit"], env }).exited;
    }
  }
  const rest = missing();
  if (rest.length > 0 && process.env.CI === "true")
    throw new Error(`CI needs these Debian packages: ${rest.join(" ")}`);
  return rest;
}

/** Whether a program the suite needs is there; suites use it with `describe.skipIf(!has("nginx"))`. */
export function has(...programs: string[]): boolean {
  return programs.every((program) => Bun.which(program) !== null);
}
