/**
 * MySQL is not in Debian's stable releases: its server, the libraries that it names and their loader come from Debian
 * unstable, into a folder of their own that nothing else uses. `bun test/support/mysql-root.ts` makes it.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lazy } from "../../src/lazy.ts";

export const MYSQL_PACKAGE = "mysql-server-core";

/** What the tests were written for; unstable moves on without asking. */
const SERIES = /^9\.7\./;
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const CACHE = join(import.meta.dir, "../../.cache/mysql");
/** For the whole of it: 11 MB of package lists, 60 MB of packages. */
const MAKING_MS = 120_000;

/** The server, and how it is run. */
export interface MysqlRoot {
  readonly version: string;
  /** The program with the loader and the libraries of its own release. */
  readonly command: readonly string[];
  readonly folder: string;
}

/** What runs the program of an unpacked folder; null when it is not all there. */
async function rootIn(folder: string, version: string): Promise<MysqlRoot | null> {
  const [loader] = new Bun.Glob("usr/lib/**/ld-linux-*.so.*").scanSync({ cwd: folder });
  const [libc] = new Bun.Glob("usr/lib/*/libc.so.6").scanSync({ cwd: folder });
  const program = join(folder, "usr/sbin/mysqld");
  if (!loader || !libc || !existsSync(program)) return null;
  const libraries = join(folder, libc, "..");
  const command = [join(folder, loader), "--library-path", libraries, "--argv0", program, program];
  const tried = Bun.spawn([...command, "--no-defaults", "--version"], { stdio: ["ignore", "ignore", "ignore"] });
  return (await tried.exited) === 0 ? { version, command, folder } : null;
}

async function cached(): Promise<MysqlRoot | null> {
  const versions = existsSync(CACHE) ? readdirSync(CACHE).filter((name) => SERIES.test(name)) : [];
  for (const version of versions.toSorted(Bun.semver.order).toReversed()) {
    const root = await rootIn(join(CACHE, version), version);
    if (root) return root;
  }
  return null;
}

/** Runs a command; its output, or an error with the last lines of what it said. */
async function run(command: readonly string[], signal: AbortSignal): Promise<string> {
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
    signal,
  });
  const [output, problems] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) === 0) return output;
  if (signal.aborted) throw new Error(`it took longer than ${MAKING_MS / 1000} s`);
  throw new Error(`${command.slice(0, 1)} failed: ${problems.trim().split("\n").slice(-3).join(" ")}`);
}

/** Where this machine has Debian from. */
async function mirror(signal: AbortSignal): Promise<string> {
  const format = "$(ORIGIN) $(LABEL) $(REPO_URI)";
  const targets = await run(["apt-get", "indextargets", "--format", format, "Created-By: Packages"], signal);
  const [, uri] = /^Debian Debian (\S+)$/m.exec(targets) ?? [];
  if (!uri) throw new Error("apt names no Debian mirror");
  return uri;
}

/** apt with lists, state and cache of its own: nothing of this machine's is read or changed. */
async function privateApt(folder: string, signal: AbortSignal) {
  for (const path of [
    "etc/apt/apt.conf.d",
    "etc/apt/preferences.d",
    "etc/apt/trusted.gpg.d",
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
    "var/lib/dpkg",
  ])
    mkdirSync(join(folder, path), { recursive: true });
  const status = join(folder, "var/lib/dpkg/status");
  writeFileSync(status, "");
  writeFileSync(
    join(folder, "etc/apt/sources.list"),
    `deb [signed-by=${KEYRING}] ${await mirror(signal)} unstable main\n`,
  );
  const options = {
    Dir: folder,
    "Dir::State::status": status,
    "Dir::Bin::methods": "/usr/lib/apt/methods",
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
    "Acquire::Retries": "1",
    "Acquire::http::Timeout": "15",
  };
  const settings = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return (program: string, ...args: string[]) => run([program, ...settings, ...args], signal);
}

async function unpack(archives: string, into: string, signal: AbortSignal): Promise<void> {
  mkdirSync(into, { recursive: true });
  // Only what the server reads: the packages have 80 MB of tools as well.
  const left = ["etc", "usr/bin", "usr/share/doc", "usr/share/man"].map((path) => `--exclude=./${path}`).join(" ");
  for (const name of readdirSync(archives).filter((name) => name.endsWith(".deb") && !/perl|provider/.test(name))) {
    const script = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ${left}`;
    await run(["sh", "-c", script, "sh", join(archives, name), into], signal);
  }
}

async function make(): Promise<MysqlRoot> {
  if (!Bun.which("apt-get") || !Bun.which("dpkg-deb")) throw new Error("this is not a Debian");
  if (!existsSync(KEYRING)) throw new Error("the package debian-archive-keyring is missing");
  const signal = AbortSignal.timeout(MAKING_MS);
  const folder = mkdtempSync(join(tmpdir(), "kinora-apt-"));
  mkdirSync(CACHE, { recursive: true });
  const unpacked = mkdtempSync(join(CACHE, "new-"));
  try {
    const apt = await privateApt(folder, signal);
    // Its signature is checked by the keyring of Debian's own archive; an old one refuses here.
    await apt("apt-get", "update", "-q", "--error-on=any");
    const policy = await apt("apt-cache", "policy", MYSQL_PACKAGE);
    const [, version = "no"] = /Candidate: (\S+)/.exec(policy) ?? [];
    if (!SERIES.test(version)) throw new Error(`Debian unstable has ${MYSQL_PACKAGE} ${version}, not one of 9.7`);
    await apt("apt-get", "install", "-q", "-y", "--no-install-recommends", "--download-only", MYSQL_PACKAGE);
    await unpack(join(folder, "var/cache/apt/archives"), unpacked, signal);
    Bun.spawnSync(["chmod", "-R", "a+rX", unpacked]);
    if (!(await rootIn(unpacked, version))) throw new Error("its mysqld does not start here");
    const kept = join(CACHE, version);
    // Another process may have made the same meanwhile.
    if (!existsSync(kept)) renameSync(unpacked, kept);
    const root = await rootIn(kept, version);
    if (!root) throw new Error(`${kept} is incomplete: remove it`);
    return root;
  } finally {
    for (const path of [folder, unpacked]) rmSync(path, { recursive: true, force: true });
  }
}

/** The command that says why there is none. */
export const MYSQL_COMMAND = "node_modules/.bin/bun test/support/mysql-root.ts";

/**
 * MySQL's server, from the cache or made in some 15 s; null where it cannot be had. It is never an error, not in CI
 * either: what Debian unstable offers today is nothing that a change here can break.
 */
export const findMysql = lazy(async (): Promise<MysqlRoot | null> => {
  const found = await cached();
  if (found || process.env.KINORA_TEST_MISSING?.includes(MYSQL_PACKAGE)) return found;
  return make().catch((error: Error) => {
    console.warn(`No MySQL to test with: ${error.message}. Its suites are skipped. To try again: ${MYSQL_COMMAND}`);
    return null;
  });
});

if (import.meta.main) {
  const root = (await cached()) ?? (await make());
  console.log(`MySQL ${root.version}: ${root.command.join(" ")}`);
}
