import { readdirSync, readFileSync } from "node:fs";
import { until } from "./until.ts";

/** Stops a process without ending it; none of its threads runs any more when this returns. `SIGCONT` lets it go on. */
export async function suspend(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const isStopped = (thread: string) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] === "T";
  };
  await until(() => readdirSync(`/proc/${pid}/task`).every(isStopped));
}
