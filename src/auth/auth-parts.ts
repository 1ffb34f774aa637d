import type { Accounts } from "./accounts.ts";
import type { AttemptLimits } from "./attempt-limits.ts";
import type { AuthStore } from "./auth-store.ts";
import type { KinoraBetterAuth } from "./better-auth.ts";
import type { Grants } from "./grants.ts";
import type { Revocations } from "./revocations.ts";
import type { Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";
import type { Users } from "./users.ts";

/** The use cases that the routes and the bus operations call. */
export interface AuthParts {
  readonly store: AuthStore;
  /** Loaded with the first request that needs it: it is half of what a start would wait for. */
  readonly betterAuth: () => Promise<KinoraBetterAuth>;
  readonly accounts: Accounts;
  readonly limits: AttemptLimits;
  readonly tokens: Tokens;
  readonly grants: Grants;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly revocations: Revocations;
}
