import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import { z } from "zod";
import {
  type Principal,
  role,
  TOKEN_ALGORITHM,
  TOKEN_AUDIENCE,
  TOKEN_CLOCK_SKEW_SECONDS,
  TOKEN_ISSUER,
  TOKEN_TYPE,
} from "../auth/contract.ts";

const claims = z.object({ sub: z.uuid(), jti: z.uuid(), name: z.string(), role, iat: z.number(), exp: z.number() });

/** What a token says, once its signature, type, audience and time have been checked. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly issuedAtMs: number;
}

/** Null when the token does not count; `unknown-key` when newer public keys may be needed to tell. */
export type TokenVerifier = (token: string) => Promise<VerifiedToken | "unknown-key" | null>;

/** Checks tokens (RFC 7519) against the public keys. Whether they have been revoked is another matter. */
export function createTokenVerifier(keys: JSONWebKeySet): TokenVerifier {
  const findKey = createLocalJWKSet(keys);
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, findKey, {
        algorithms: [TOKEN_ALGORITHM],
        typ: TOKEN_TYPE,
        issuer: TOKEN_ISSUER,
        audience: TOKEN_AUDIENCE,
        clockTolerance: TOKEN_CLOCK_SKEW_SECONDS,
      });
      const { sub, jti, name, role, iat } = claims.parse(payload);
      const principal: Principal = { userId: sub, username: name, role, credential: { kind: "token", id: jti } };
      return { principal, issuedAtMs: iat * 1000 };
    } catch (error) {
      return error instanceof errors.JWKSNoMatchingKey ? "unknown-key" : null;
    }
  };
}
