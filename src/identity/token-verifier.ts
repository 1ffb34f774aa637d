import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import {
  GRANT_AUDIENCE,
  GRANT_TYPE,
  type GrantHolder,
  grantKind,
  type Principal,
  role,
  TOKEN_ALGORITHM,
  TOKEN_AUDIENCE,
  TOKEN_CLOCK_SKEW_SECONDS,
  TOKEN_ISSUER,
  TOKEN_TYPE,
} from "../auth/contract.ts";

const tokenClaims = z.object({
  sub: z.uuid(),
  jti: z.uuid(),
  name: z.string(),
  role,
  iat: z.number(),
  exp: z.number(),
});
const grantClaims = tokenClaims
  .omit({ name: true })
  .extend({ title: z.uuid().optional(), collection: z.uuid().optional(), use: grantKind })
  // Those made by earlier versions say the role, those of today only what playing takes of it.
  .extend({ role: role.optional(), all: z.boolean().optional() })
  .refine(({ title, collection }) => (title === undefined) !== (collection === undefined));

/** What a token says, once its signature, type, audience and time have been checked. */
export interface VerifiedToken {
  readonly principal: Principal;
  /** Epoch milliseconds. */
  readonly issuedAtMs: number;
}

/** The same of a grant. */
export interface VerifiedGrant {
  readonly holder: GrantHolder;
  /** Epoch milliseconds. */
  readonly issuedAtMs: number;
  /** Epoch milliseconds after which it does not count, clock skew included. */
  readonly untilMs: number;
}

/** Null when it does not count; `unknown-key` when newer public keys may be needed to tell. */
export type Verifier<Verified> = (text: string) => Promise<Verified | "unknown-key" | null>;
export type TokenVerifier = Verifier<VerifiedToken>;
export type GrantVerifier = Verifier<VerifiedGrant>;

/** Checks tokens (RFC 7519) against the public keys. Whether they have been revoked is another matter. */
export function createTokenVerifier(keys: JSONWebKeySet): TokenVerifier {
  return createVerifier(keys, { typ: TOKEN_TYPE, audience: TOKEN_AUDIENCE }, (payload) => {
    const { sub, jti, name, role, iat } = tokenClaims.parse(payload);
    const principal: Principal = { userId: sub, username: name, role, credential: { kind: "token", id: jti } };
    return { principal, issuedAtMs: milliseconds(iat) };
  });
}

/** Checks grants in the same way. */
export function createGrantVerifier(keys: JSONWebKeySet): GrantVerifier {
  return createVerifier(keys, { typ: GRANT_TYPE, audience: GRANT_AUDIENCE }, (payload) => {
    const { sub, jti, role, all, title, collection, use, iat, exp } = grantClaims.parse(payload);
    const holder: GrantHolder = {
      grantId: jti,
      titleId: title ?? null,
      collectionId: collection ?? null,
      kind: use,
      issuer: { userId: sub, role: role ?? (all ? "admin" : "viewer") },
      expiresAt: new Date(milliseconds(exp)).toISOString(),
    };
    return { holder, issuedAtMs: milliseconds(iat), untilMs: milliseconds(exp + TOKEN_CLOCK_SKEW_SECONDS) };
  });
}

/** Claims count seconds with fractions, which are not exact in binary. */
const milliseconds = (seconds: number) => Math.round(seconds * 1000);

function createVerifier<Verified>(
  keys: JSONWebKeySet,
  expected: { readonly typ: string; readonly audience: string },
  read: (payload: JWTPayload) => Verified,
): Verifier<Verified> {
  const findKey = createLocalJWKSet(keys);
  return async (text) => {
    try {
      const { payload } = await jwtVerify(text, findKey, {
        algorithms: [TOKEN_ALGORITHM],
        ...expected,
        issuer: TOKEN_ISSUER,
        clockTolerance: TOKEN_CLOCK_SKEW_SECONDS,
      });
      return read(payload);
    } catch (error) {
      return error instanceof errors.JWKSNoMatchingKey ? "unknown-key" : null;
    }
  };
}
