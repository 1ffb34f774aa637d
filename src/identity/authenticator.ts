import type { GrantHolder, Principal } from "../auth/contract.ts";

/** Finds out who asks. Every service has one; it verifies locally and hears of revocation on the bus. */
export interface Authenticator {
  /**
   * The caller, from the session cookie or `Authorization: Bearer` (token or API key). Null when no credential
   * came or the cookie's session is over; `UnauthorizedError` for a Bearer credential that does not count;
   * `TemporaryUnavailableError` when it cannot be told right now: nobody is ever let in on doubt.
   */
  authenticate(request: Request): Promise<Principal | null>;
  /**
   * What a grant allows, verified without a call. Null when it does not count: not one of ours, expired, revoked, or its
   * issuer's account was changed, disabled or deleted. `TemporaryUnavailableError` when it cannot be told right now.
   * Whether the issuer may still see the title is for whoever gives the bytes to check.
   */
  resolveGrant(grant: string): Promise<GrantHolder | null>;
  /**
   * Calls `cut` once, within a second of the revocation of the credential or grant. The result ends the watch. Expiry
   * is no revocation: whoever holds something open past it keeps time for themselves.
   */
  onRevoked(who: Principal | GrantHolder, cut: () => void): () => void;
}
