import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { InvalidRequestError, TemporaryUnavailableError } from "../errors.ts";
import type { AttemptLimits } from "./attempt-limits.ts";
import type { AuthStore, Login } from "./auth-store.ts";
import type { Role } from "./contract.ts";
import {
  AccountDisabledError,
  InvalidInviteError,
  SetupCodeError,
  UnknownUserError,
  UsernameTakenError,
  WrongCredentialsError,
} from "./errors.ts";
import { MIN_PASSWORD_LENGTH, type Passwords } from "./passwords.ts";

export interface RegistrationRules {
  readonly mode: "open" | "invite" | "closed";
  readonly defaultRole: Role;
  /** Whether the first account takes the one-time code: always, unless only this machine can register. */
  readonly firstNeedsCode: boolean;
}

export interface AccountsDependencies {
  readonly store: AuthStore;
  readonly passwords: Passwords;
  readonly limits: AttemptLimits;
  readonly rules: RegistrationRules;
  readonly secret: string;
}

export interface SignInRequest {
  readonly username: string;
  readonly password: string;
  /** False: do not create the account when the name is new, answer `unknown-user`. */
  readonly create?: boolean | undefined;
  readonly invite?: string | undefined;
  readonly setupCode?: string | undefined;
  readonly clientAddress: string;
}

/** Who may sign in, and how accounts come to be. */
export class Accounts {
  readonly #dependencies: AccountsDependencies;
  /** The last admin cannot be deleted: once there are accounts, there always are. */
  #hasUsers = false;

  constructor(dependencies: AccountsDependencies) {
    this.#dependencies = dependencies;
  }

  /** The code that the first account takes; null when there are accounts already, or it takes none. */
  async firstAdminCode(): Promise<string | null> {
    const { rules, store } = this.#dependencies;
    return rules.firstNeedsCode && !(await store.hasUsers()) ? this.#setupCode() : null;
  }

  /** What the first account takes, for the page that creates it; null when there are accounts, or nobody can tell now. */
  async firstAccount(): Promise<{ readonly takesSetupCode: boolean } | null> {
    const { rules, store } = this.#dependencies;
    if (this.#hasUsers) return null;
    const hasUsers = await store.hasUsers().catch(() => null);
    this.#hasUsers = hasUsers === true;
    return hasUsers === false ? { takesSetupCode: rules.firstNeedsCode } : null;
  }

  /** Signs in, or creates the account where the rules allow it. */
  async enter(request: SignInRequest): Promise<{ readonly login: Login; readonly created: boolean }> {
    if (request.invite !== undefined || request.setupCode !== undefined) await this.#checkCodes(request);
    const { limits, store } = this.#dependencies;
    const known = await this.#counted(request, async () => {
      // Both are looked up for everybody: the time must not tell who exists.
      const [login, mayRegister] = [await store.findLogin(request.username), await this.#mayRegister(request)];
      if (login !== null || !mayRegister)
        return this.#check(request, login).catch((error: unknown) => tellTaken(error, request));
      await limits.takeBack(request.username, request.clientAddress);
      return null;
    });
    if (known) return { login: known, created: false };
    if (request.create === false) throw new UnknownUserError(!(await store.hasUsers()));
    const created = await this.#register(request);
    if (created) return { login: created, created: true };
    // Somebody, or the same form sent twice, was faster.
    return { login: await this.verify(request), created: false };
  }

  /** The user behind name and password; never creates one. */
  async verify(request: SignInRequest): Promise<Login> {
    const { store } = this.#dependencies;
    return this.#counted(request, async () => this.#check(request, await store.findLogin(request.username)));
  }

  /** Counts an attempt; one that came to nothing, as the database was away, is not held against anybody. */
  async #counted<Result>({ username, clientAddress }: SignInRequest, work: () => Promise<Result>): Promise<Result> {
    const { limits } = this.#dependencies;
    await limits.attempt(username, clientAddress);
    try {
      return await work();
    } catch (error) {
      if (error instanceof TemporaryUnavailableError)
        await limits.takeBack(username, clientAddress).catch(() => undefined);
      throw error;
    }
  }

  /** The same steps and the same time whether the user exists or not. */
  async #check(request: SignInRequest, login: Login | null): Promise<Login> {
    const { limits, passwords } = this.#dependencies;
    const matches = await passwords.verify(request.password, login?.passwordHash ?? null);
    if (!login || !matches) throw new WrongCredentialsError();
    await limits.succeeded(request.username, request.clientAddress);
    if (login.disabled) throw new AccountDisabledError();
    return login;
  }

  /** Codes are looked at before the name, so that a wrong one tells nothing about who exists. */
  async #checkCodes({ invite, setupCode, clientAddress }: SignInRequest): Promise<void> {
    const { limits, rules, store } = this.#dependencies;
    await limits.attemptCode(clientAddress);
    if (setupCode !== undefined && !isSameText(normaliseCode(setupCode), normaliseCode(this.#setupCode())))
      throw new SetupCodeError(true);
    if (invite === undefined) return;
    const counts = rules.mode !== "closed" && (await store.hasInvite(hashInvite(invite)));
    if (!counts) throw new InvalidInviteError();
  }

  async #mayRegister({ invite }: SignInRequest): Promise<boolean> {
    const { rules, store } = this.#dependencies;
    if (rules.mode === "open" || invite !== undefined) return true;
    return !(await store.hasUsers());
  }

  /** Null when the name has just been taken. */
  async #register(request: SignInRequest): Promise<Login | null> {
    const { limits, passwords, rules, store } = this.#dependencies;
    requireGoodPassword(request.password);
    const mayBeFirst = !rules.firstNeedsCode || request.setupCode !== undefined;
    if (!mayBeFirst && !(await store.hasUsers())) throw new SetupCodeError(false);
    await limits.register(request.clientAddress);
    const passwordHash = await passwords.hash(request.password);
    const created = await store.createUser({
      id: Bun.randomUUIDv7(),
      username: request.username,
      passwordHash,
      mayBeFirst,
      role: rules.mode === "open" || request.invite !== undefined ? rules.defaultRole : null,
      ...(request.invite === undefined ? {} : { inviteHash: hashInvite(request.invite) }),
    });
    if (created === "username-taken") return null;
    if (created === "invalid-invite") throw new InvalidInviteError();
    if (created === "first") throw new SetupCodeError(false);
    if (created === "not-first") throw new WrongCredentialsError();
    return { ...created, passwordHash };
  }

  /** The same on all instances and after a restart, worthless once there is an account. */
  #setupCode(): string {
    const digest = createHmac("sha256", this.#dependencies.secret).update("kinora first admin").digest();
    return [...digest.subarray(0, 16)]
      .map((byte) => CODE_ALPHABET[byte % CODE_ALPHABET.length])
      .join("")
      .replace(/(.{4})(?=.)/g, "$1-");
  }
}

/** Whoever holds an invitation that counts, and wants a new account with it, may learn that the name has an owner. */
function tellTaken(error: unknown, { invite, create }: SignInRequest): never {
  const isNewAccount = invite !== undefined && create !== false;
  throw isNewAccount && error instanceof WrongCredentialsError ? new UsernameTakenError() : error;
}

/** 32 signs that people do not mix up. */
const CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const normaliseCode = (code: string) => code.toUpperCase().replace(/[\s-]/g, "");

function isSameText(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** What the store keeps of an invitation's code. */
export function hashInvite(code: string): string {
  return createHash("sha256")
    .update(`invite:${normaliseCode(code)}`)
    .digest("base64url");
}

/** A new code for an invitation: 100 bits. */
export function newInviteCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return [...bytes]
    .map((byte) => CODE_ALPHABET[byte % CODE_ALPHABET.length])
    .join("")
    .replace(/(.{4})(?=.)/g, "$1-");
}

/** `InvalidRequestError` for a new password that is too short. */
export function requireGoodPassword(password: string): void {
  if (password.length < MIN_PASSWORD_LENGTH)
    throw new InvalidRequestError(`The password is too short: at least ${MIN_PASSWORD_LENGTH} characters.`, {
      fields: [{ field: "password", expected: `at least ${MIN_PASSWORD_LENGTH} characters` }],
    });
}
