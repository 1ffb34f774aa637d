import { existsSync } from "node:fs";

/** The Debian packages the tests use, by the program that shows they are there; without one by their own name. */
export const debianPackages: Readonly<Record<string, string>> = {
  ffmpeg: "ffmpeg",
  chromium: "chromium",
  "chromium-headless-shell": "chromium-headless-shell",
  nginx: "nginx-light",
  "firefox-esr": "firefox-esr",
  cvlc: "vlc-bin",
  mpv: "mpv",
  "vlc-plugin-base": "vlc-plugin-base",
  "nats-server": "nats-server",
  openssl: "openssl",
  "gst-launch-1.0": "gstreamer1.0-tools",
  mariadbd: "mariadb-server",
  "redis-server": "redis-server",
  caddy: "caddy",
  "libnginx-mod-stream": "libnginx-mod-stream",
  curl: "curl",
  bindfs: "bindfs",
  "docker-compose": "docker-compose",
  "systemd-analyze": "systemd",
  ...Object.fromEntries(
    [
      "gstreamer1.0-plugins-base",
      "gstreamer1.0-plugins-good",
      "gstreamer1.0-plugins-bad",
      "gstreamer1.0-libav",
      "gir1.2-gstreamer-1.0",
      "python3-gi",
      "python3-seccomp",
      "debootstrap",
    ].map((name) => [name, name]),
  ),
};

/** Whether a program, or a Debian package that brings none, is there. */
function isThere(name: string): boolean {
  const listed = (file: string) => existsSync(`/var/lib/dpkg/info/${file}.list`);
  const architecture = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch;
  return Bun.which(name) !== null || listed(name) || listed(`${name}:${architecture}`);
}

/**
 * Installs what is missing when this is root on Debian. Returns the packages that are still missing; in CI
 * (`CI=true`) that is an error.
 */
export async function ensureDebianPackages(wanted: Readonly<Record<string, string>>): Promise<string[]> {
  const missing = () =>
    Object.entries(wanted)
      .filter(([program]) => !isThere(program))
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

/** Whether programs the suite needs are there; suites use it with `describe.skipIf(!has("nginx"))`. */
export function has(...programs: string[]): boolean {
  return programs.every(isThere);
}
