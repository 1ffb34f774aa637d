import type { Principal } from "../auth/contract.ts";

/** Finds out who asks. Every service has one; it verifies locally and hears of revocation on the bus. */
export interface Authenticator {
  /**
   * The caller, from the session cookie or `Authorization: Bearer` (token or API key). Null when no credential
   * came or the cookie's session is over; `UnauthorizedError` for a Bearer credential that does not count;
   * `TemporaryUnavailableError` when it cannot be told right now: nobody is ever let in on doubt.
   */
  authenticate(request: Request): Promise<Principal | null>;
  /** Calls `cut` once, within a second of the credential's revocation. The result ends the watch. */
  onRevoked(principal: Principal, cut: () => void): () => void;
}
