/** A program that ends with this process, however that ends, and takes its folder along. */
export interface BoundServer {
  /** The program's own process. */
  readonly pid: number;
  /** Null while it runs. */
  readonly exitCode: number | null;
  /** kill -9. The folder stays. */
  kill(): Promise<void>;
}

/** Ends the program when its standard input does: this process holds the other end. */
const WATCH = `
folder=$1; shift
"$@" </dev/null >/dev/null 2>&1 &
server=$!
echo $server
{ cat >/dev/null; trap '' TERM; kill -9 $server 2>/dev/null; rm -rf "$folder"; } <&3 &
watcher=$!
wait $server
code=$?
kill $watcher 2>/dev/null
exit $code`;

/** Starts a server whose folder is removed when this process ends without stopping it. */
export async function startBound(folder: string, command: readonly string[]): Promise<BoundServer> {
  const shell = Bun.spawn(["sh", "-c", `exec 3<&0; ${WATCH}`, "sh", folder, ...command], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const reader = shell.stdout.getReader();
  const { value } = await reader.read();
  const pid = Number(new TextDecoder().decode(value).trim());
  return {
    pid,
    get exitCode() {
      return shell.exitCode;
    },
    async kill() {
      if (shell.exitCode === null) process.kill(pid, "SIGKILL");
      await shell.exited;
    },
  };
}
