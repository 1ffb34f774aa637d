import { ConflictError, ForbiddenError, InvalidRequestError, ProblemError, UnauthorizedError } from "../errors.ts";

/**
 * 401 `unauthorized` to whoever asks who they are. With `first: true` while there is no account at all, and whether that
 * one takes the code printed at the start: what `unknown-user` and `setup-code-required` tell everybody as well.
 */
export class NobodyError extends UnauthorizedError {
  constructor(first: { readonly takesSetupCode: boolean } | null) {
    super(undefined, first ? { first: true, ...first } : {});
  }
}

/** 401 `unauthorized`: name and password do not belong together. Never says which of them is wrong. */
export class WrongCredentialsError extends UnauthorizedError {
  constructor() {
    super("The user name or the password is not right.");
  }
}

/**
 * 404 `unknown-user`: nobody has this name, anybody may register, and the caller asked not to create the account. With
 * `first: true` when there is no account at all: the one to be created is the admin's.
 */
export class UnknownUserError extends ProblemError {
  constructor(first: boolean) {
    super("unknown-user", "Nobody has this user name yet.", { status: 404, ...(first ? { data: { first } } : {}) });
  }
}

/** 403 `account-disabled`: name and password are right, but an admin has disabled the account. */
export class AccountDisabledError extends ProblemError {
  constructor() {
    super("account-disabled", "This account has been disabled. Ask an admin.", { status: 403 });
  }
}

/**
 * 403 `two-factor-required`: name and password are right, and the account has a second factor: a code is missing, or the
 * one given is wrong, old, or has been used.
 */
export class TwoFactorError extends ProblemError {
  constructor(given: boolean) {
    super(
      "two-factor-required",
      given
        ? "This code is not right, or has been used. Take the one that the app shows now, or a backup code that is left."
        : "This account has a second factor: send a code of its authenticator app, or a backup code, as twoFactorCode.",
      { status: 403, data: { given } },
    );
  }
}

/** 403 `wrong-password`: somebody who is signed in gave a wrong password for a change that takes it. */
export class WrongPasswordError extends ProblemError {
  constructor() {
    super("wrong-password", "The password is not right. Type it again.", { status: 403 });
  }
}

/** 403 `invalid-invite`: the invitation code is unknown, used or too old. */
export class InvalidInviteError extends ProblemError {
  constructor() {
    super("invalid-invite", "This invitation is unknown, used already or too old. Ask an admin for a new one.", {
      status: 403,
    });
  }
}

/** 403 `setup-code-required`: the first account takes the one-time code that the server printed when it started. */
export class SetupCodeError extends ProblemError {
  constructor(given: boolean) {
    super(
      "setup-code-required",
      given
        ? "This is not the code that the server printed when it started."
        : "The first account takes the code that the server printed when it started: send it as setupCode.",
      { status: 403 },
    );
  }
}

/** 409 `conflict`: another account has this name. */
export class UsernameTakenError extends ConflictError {
  constructor() {
    super("Somebody has this user name already. Choose another one.");
  }
}

/** 409 `last-admin`: without this account nobody could administer Kinora any more. */
export class LastAdminError extends ProblemError {
  constructor() {
    super("last-admin", "This is the last active admin. Make somebody else admin first.", { status: 409 });
  }
}

/** 400 `invalid-request`: what a deleted user had is to go to somebody who is not there, or cannot have videos. */
export class HeirError extends InvalidRequestError {
  constructor() {
    const expected = "the id of another account that may upload and is not disabled";
    super(`The videos can go to nobody with this id: expected ${expected}.`, {
      fields: [{ field: "videosTo", expected }],
    });
  }
}

/** 403 `forbidden`: a token is renewed, never used to make others, or it would outlive its own revocation. */
export class TokenFromTokenError extends ForbiddenError {
  constructor() {
    super("A token cannot make another one. Renew it with POST /api/tokens/refresh.");
  }
}

/**
 * 403 `api-key-not-allowed`: an API key, or a token made with one, was to make, change or end a way to sign in. Whoever
 * finds a key in a script must not be able to keep its owner out, or to stay in when the key is deleted.
 */
export class ApiKeyNotAllowedError extends ProblemError {
  constructor() {
    super("api-key-not-allowed", "An API key cannot do this. Sign in, and do it from there.", { status: 403 });
  }
}

/** 403 `quota-exceeded`: this user has as many links, or streams, as one may have at a time. */
export class TooManyGrantsError extends ProblemError {
  constructor(max: number) {
    super("quota-exceeded", `Nobody may have more than ${max} of these at a time. Revoke some first.`, { status: 403 });
  }
}
