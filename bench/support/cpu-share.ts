import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
const PERIOD_US = 20_000;

/** A group of processes that get a share of one core and no more. */
export interface CpuShare {
  add(pid: number): void;
  /** Lets everybody out and removes it. */
  close(): void;
}

/**
 * Makes one, by control groups of either version; null where this process may not, or has none. `cores` may be a part of one.
 */
export function cpuShare(name: string, cores: number): CpuShare | null {
  const isV2 = existsSync(join(ROOT, "cgroup.controllers"));
  const parent = isV2 ? ROOT : join(ROOT, "cpu");
  const folder = join(parent, `kinora-${name}-${process.pid}`);
  const quota = String(Math.round(PERIOD_US * cores));
  try {
    mkdirSync(folder);
    if (isV2) writeFileSync(join(folder, "cpu.max"), `${quota} ${PERIOD_US}`);
    else {
      writeFileSync(join(folder, "cpu.cfs_period_us"), String(PERIOD_US));
      writeFileSync(join(folder, "cpu.cfs_quota_us"), quota);
    }
  } catch {
    return null;
  }
  return {
    add: (pid) => writeFileSync(join(folder, "cgroup.procs"), String(pid)),
    close() {
      for (const pid of readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean))
        writeFileSync(join(parent, "cgroup.procs"), pid);
      rmdirSync(folder);
    },
  };
}
