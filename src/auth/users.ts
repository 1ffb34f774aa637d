import { NotFoundError } from "../errors.ts";
import { type Accounts, hashInvite, newInviteCode, requireGoodPassword, type SignInRequest } from "./accounts.ts";
import type { AuthStore, UserChange, UserRecord } from "./auth-store.ts";
import type { Role } from "./contract.ts";
import { HeirError, LastAdminError, UsernameTakenError } from "./errors.ts";
import type { Passwords } from "./passwords.ts";
import type { Revocations } from "./revocations.ts";
import type { SessionCache } from "./session-cache.ts";

export interface UsersDependencies {
  readonly store: AuthStore;
  readonly passwords: Passwords;
  readonly revocations: Revocations;
  readonly accounts: Accounts;
  readonly defaultRole: Role;
  readonly sessionCache?: SessionCache | undefined;
}

/** What admins do with accounts, and everybody with their own password. Each change ends what it makes invalid. */
export class Users {
  readonly #dependencies: UsersDependencies;

  constructor(dependencies: UsersDependencies) {
    this.#dependencies = dependencies;
  }

  /** What a new user becomes when no role is asked for. */
  get defaultRole(): Role {
    return this.#dependencies.defaultRole;
  }

  async create(username: string, password: string, role = this.defaultRole): Promise<UserRecord> {
    const { passwords, store } = this.#dependencies;
    requireGoodPassword(password);
    const created = await store.createUser({
      id: Bun.randomUUIDv7(),
      username,
      passwordHash: await passwords.hash(password),
      mayBeFirst: false,
      role,
    });
    if (typeof created === "string") throw new UsernameTakenError();
    return created;
  }

  /** Changes role, state or password; the user's tokens end, with the sessions where that is the point. */
  async change(
    id: string,
    change: {
      role?: Role | undefined;
      disabled?: boolean | undefined;
      password?: string | undefined;
      twoFactor?: false | undefined;
    },
  ): Promise<UserRecord> {
    const { password, ...rest } = change;
    if (password === undefined) return this.#update(id, rest);
    requireGoodPassword(password);
    return this.#update(id, { ...rest, passwordHash: await this.#dependencies.passwords.hash(password) });
  }

  /** Changes one's own password; other sessions, all tokens and API keys end. */
  async changePassword(current: SignInRequest, next: string, keepSession: string | undefined): Promise<void> {
    requireGoodPassword(next);
    const { id } = await this.#dependencies.accounts.verify(current);
    await this.#update(id, { passwordHash: await this.#dependencies.passwords.hash(next) }, keepSession);
  }

  /** Deletes a user; what they have goes to the heir, or with them. */
  async delete(id: string, heirId?: string): Promise<void> {
    const { revocations, store } = this.#dependencies;
    const heir = heirId === undefined ? null : await store.getUser(heirId);
    const { revoke, made } = revocations.inTransaction("user", id);
    const result = await store.deleteUser(id, revoke, heirId);
    if (result === "no-heir") throw new HeirError();
    if (result === "unknown") throw new NotFoundError("There is no user with this id.");
    if (result === "last-admin") throw new LastAdminError();
    await this.#dependencies.sessionCache?.forgetUser(id);
    await revocations.announce(made());
    await revocations.announceDeleted({ userId: id, heir });
  }

  /** A code that lets one person register, once. */
  async invite(createdBy: string, role: Role, lifetimeMs: number) {
    const { store } = this.#dependencies;
    const code = newInviteCode();
    const invite = {
      id: Bun.randomUUIDv7(),
      role,
      expiresAt: new Date(Date.now() + lifetimeMs),
    };
    await store.createInvite({ ...invite, codeHash: hashInvite(code), createdBy });
    return { ...invite, code };
  }

  async #update(id: string, change: UserChange, keepSession?: string): Promise<UserRecord> {
    const { revocations, store } = this.#dependencies;
    const { revoke, made } = revocations.inTransaction("user", id);
    const result = await store.updateUser(id, change, { revoke, keepSession });
    if (result === "unknown") throw new NotFoundError("There is no user with this id.");
    if (result === "last-admin") throw new LastAdminError();
    await this.#dependencies.sessionCache?.forgetUser(id);
    await revocations.announce(made());
    return result;
  }
}
