import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { until } from "./until.ts";

/** Whether this process may enter another root, with mounts of its own. */
export function mayChroot(): boolean {
  if (process.getuid?.() !== 0 || process.platform !== "linux") return false;
  return Bun.spawnSync(["unshare", "--mount", "true"]).exitCode === 0;
}

export interface RootProgram {
  output(): string;
  /** Waits until it has printed this; throws when it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<number>;
  /** Waits for the end. */
  readonly exited: Promise<number>;
}

export interface RootOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** `uid:gid`. */
  readonly user: string;
  /** Folders of ours, by the place in the root where they are to be seen; all else can only be read. */
  readonly folders: Readonly<Record<string, string>>;
}

/** What a container has beside its image: a few devices, /proc, /tmp, its volumes; nothing else can be written to. */
const ENTER = `
root=$1 user=$2 folders=$3; shift 3
mount=/usr/bin/mount
$mount --bind "$root" "$root"
$mount -t proc proc "$root/proc"
for device in null zero random urandom; do $mount --bind /dev/$device "$root/dev/$device"; done
$mount -t tmpfs tmpfs "$root/tmp"
for pair in $folders; do $mount --bind "\${pair#*:}" "$root/\${pair%%:*}"; done
$mount -o remount,bind,ro "$root"
exec /usr/sbin/chroot --userspec="$user" "$root" "$@"`;

/** Runs a program in a root of its own, as a container would; no other environment than `env`. */
export function runInRoot(root: string, command: readonly string[], options: RootOptions): RootProgram {
  for (const place of ["proc", "tmp", "dev", ...Object.keys(options.folders)])
    mkdirSync(join(root, place), { recursive: true });
  for (const device of ["null", "zero", "random", "urandom"]) {
    const path = join(root, "dev", device);
    // debootstrap makes them; elsewhere a file to mount the real one on.
    writeFileSync(path, "");
  }
  const folders = Object.entries(options.folders).map(([place, folder]) => `${place}:${folder}`);
  const child = Bun.spawn(
    ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec", ENTER, "sh", root, options.user, folders.join(" "), ...command],
    { env: { ...options.env }, cwd: "/", stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const read = Promise.all([collect(child.stdout), collect(child.stderr)]);
  return {
    output: () => output,
    printed: (pattern) =>
      until(() => {
        const found = pattern.exec(output);
        if (!found && child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output}`);
        return found;
      }, 60_000),
    async stop() {
      child.kill("SIGTERM");
      return child.exited;
    },
    exited: read.then(() => child.exited),
  };
}

/** A root that holds a program and the libraries that it names, and nothing else. */
export async function bareRoot(root: string, program: string): Promise<void> {
  const { stdout } = Bun.spawnSync(["ldd", program]);
  const libraries = [...stdout.toString().matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = ""]) => path);
  for (const path of libraries) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    cpSync(path, join(root, path), { dereference: true });
  }
  mkdirSync(join(root, "usr/local/bin"), { recursive: true });
  cpSync(program, join(root, "usr/local/bin/kinora"));
}
