import { ProblemError } from "../errors.ts";
import type { HttpContext } from "../http/env.ts";
import type { AuthParts } from "./auth-parts.ts";
import type { Login } from "./auth-store.ts";

/** Notes that somebody has proved who they are, from where, and what they got by it. */
export function noteSignIn(
  c: HttpContext,
  { id: by }: Login,
  what: "signed-in" | "user-registered" | "token-made",
): void {
  c.get("log").info({ audit: what, by, address: c.env.clientAddress }, texts[what]);
}

const texts = {
  "signed-in": "signed in",
  "user-registered": "account registered and signed in",
  "token-made": "token made with name and password",
} as const;

/**
 * Does what takes a password or a code, and notes when it was refused: from where, why, and whose account, where there
 * is one. Names are not noted: some people type their password there.
 */
export async function noteRefusals<Result>(
  c: HttpContext,
  { store }: Pick<AuthParts, "store">,
  username: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProblemError && isRefusal(error)) {
      const login = await store.findLogin(username).catch(() => null);
      const { clientAddress: address } = c.env;
      const line = { audit: "sign-in-failed", address, code: error.code, ...(login ? { user: login.id } : {}) };
      c.get("log").info(line, "somebody was not let in");
    }
    throw error;
  }
}

/** That a code is asked for is a step of signing in, and no refusal. */
function isRefusal({ code, status, data }: ProblemError): boolean {
  return [401, 403, 429].includes(status) && !(code === "two-factor-required" && data.given === false);
}
