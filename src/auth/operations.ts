import { createHash } from "node:crypto";
import type { Handlers } from "../bus/proxy.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import type { AuthParts } from "./auth-parts.ts";
import { type authContract, type Principal, SESSION_COOKIE } from "./contract.ts";
import { WrongCredentialsError } from "./errors.ts";
import { username } from "./http-schemas.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** A password that arrives over the bus has no client address: its attempts share one. */
const BUS_ADDRESS = "bus";

/** What auth answers on the bus. */
export function authOperations(parts: AuthParts, keys: SigningKeys): Handlers<typeof authContract> {
  const { betterAuth, grants, store, tokens } = parts;
  return {
    async resolveSession({ cookie }) {
      const found = await (await betterAuth()).api.getSession({
        headers: new Headers({ Cookie: `${SESSION_COOKIE}=${cookie}` }),
        query: { disableRefresh: true },
      });
      if (!found) return null;
      const principal = await principalOf(parts, found.session.userId, { kind: "session", id: found.session.id });
      if (principal) parts.sessions.seen(found.session.id);
      return principal && { principal, expiresAt: found.session.expiresAt.toISOString() };
    },
    async resolveApiKey({ key }) {
      const { valid, key: found, error } = await (await betterAuth()).api.verifyApiKey({ body: { key } });
      if (!valid || !found) {
        await requireRefused(parts, key, error?.code);
        return null;
      }
      return principalOf(parts, found.referenceId, { kind: "api-key", id: found.id });
    },
    getVerificationKeys: () => keys.publicKeys(),
    listRevocations: async () => ({ revocations: await store.listRevocations() }),
    isAuthorized: ({ token }) => tokens.isAuthorized(token),
    async issueToken(input) {
      const provedAtMs = Date.now();
      const name = username.safeParse(input.username);
      if (!name.success) throw new WrongCredentialsError();
      const request = {
        username: name.data,
        password: input.password,
        clientAddress: BUS_ADDRESS,
      };
      const login = await parts.accounts.verify(request);
      await parts.sessions.prove(login, { clientAddress: BUS_ADDRESS, userAgent: "", code: input.twoFactorCode });
      return tokens.issueForLogin(login, provedAtMs);
    },
    refreshAuthorization: ({ token }) => tokens.refresh(token),
    issueGrant: (request) => grants.issue(request),
    listGrants: (query) => grants.list(query),
    revokeGrants: async ({ ids, userId, kind }) => ({ ids: await grants.revoke(ids, userId, kind) }),
    async getUsers({ ids }) {
      const found = await store.getUsers(ids);
      return found.map(({ id, username, role }) => ({ id, username, role }));
    },
  };
}

/**
 * better-auth calls a key invalid as well when it could not look: then this throws `TemporaryUnavailableError`, which
 * says nothing about the key.
 */
async function requireRefused({ store }: AuthParts, key: string, code: unknown): Promise<void> {
  if (code === "KEY_DISABLED" || code === "KEY_EXPIRED") return;
  // As better-auth stores it.
  const hash = createHash("sha256").update(key).digest("base64url");
  if (await store.hasApiKey(hash)) throw new TemporaryUnavailableError("The API key cannot be checked right now.");
}

/**
 * Read anew: what better-auth returns of the user may be older than the role we go by, and the session may have ended
 * where it is kept while a copy of it is still in the cache.
 */
async function principalOf(
  { store }: AuthParts,
  userId: string,
  credential: Principal["credential"],
): Promise<Principal | null> {
  const isSession = credential.kind === "session";
  const user = await (isSession ? store.getSessionUser(credential.id) : store.getUser(userId));
  return user?.id === userId && !user.disabled
    ? { userId, username: user.username, role: user.role, credential }
    : null;
}
