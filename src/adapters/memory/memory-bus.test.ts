import { busSuite } from "../../bus/bus.suite.ts";
import { MemoryBus } from "./memory-bus.ts";

busSuite("memory bus", async (permissions) => {
  const failures: unknown[] = [];
  return { bus: new MemoryBus(permissions, (_where, error) => failures.push(error)), failures };
});
