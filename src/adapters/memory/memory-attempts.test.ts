import { attemptStoreSuite } from "../../auth/attempt-store.suite.ts";
import { MemoryAttempts } from "./memory-attempts.ts";

attemptStoreSuite("memory", async () => new MemoryAttempts());
