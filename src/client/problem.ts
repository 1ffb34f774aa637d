import { z } from "zod";
import { ClientError, EXIT } from "./errors.ts";

/** A problem document (RFC 9457) as Kinora sends it. */
const problem = z.looseObject({ code: z.string(), detail: z.string() });

const exitByStatus: Readonly<Record<number, number>> = {
  400: EXIT.usage,
  401: EXIT.notSignedIn,
  403: EXIT.forbidden,
  404: EXIT.notFound,
  409: EXIT.conflict,
  410: EXIT.notFound,
  413: EXIT.conflict,
  423: EXIT.conflict,
  429: EXIT.conflict,
  502: EXIT.unreachable,
  503: EXIT.unreachable,
  504: EXIT.unreachable,
  507: EXIT.conflict,
};

/** What to do about a problem, by its code; `docs/errors.md` has all of them. */
const hints: Readonly<Record<string, string>> = {
  unauthorized: "Sign in: kinora login",
  "account-disabled": "Ask an admin.",
  "invalid-invite": "Ask an admin for a new invitation: kinora users invite",
  "setup-code-required": "It is printed where the server was started. Give it with --setup-code.",
  "two-factor-required":
    "Give the code that the authenticator app shows now, or a backup code, with --two-factor-code.",
  "last-admin": "kinora users role NAME admin makes somebody one.",
  "wrong-host": "Use the server's own address with --server, or have its admin set publicUrl or allowedHosts.",
  "wrong-media-id": "kinora search shows the videos that you may see.",
  "not-packaged": "Try --protocol rtsp, or watch the original in a browser.",
  "temporary-unavailable": "Try again in a moment.",
  "disk-full": "The server has no room left. Its admin has to make some.",
};

/** The error for an answer that is no success. `text` is its body. */
export function problemOf(status: number, text: string, headers: { get(name: string): string | null }): ClientError {
  const parsed = problem.safeParse(parseJson(text));
  const exit = exitByStatus[status] ?? EXIT.failure;
  if (!parsed.success) {
    if (status >= 502 && status <= 504)
      return new ClientError(
        "temporary-unavailable",
        `The server answered ${status}: Kinora is not running behind its proxy.`,
        { exit, status },
      );
    return notKinora(`It answered ${status} without saying why.`, status);
  }
  const { code, detail, status: _status, ...data } = parsed.data;
  return new ClientError(code, detail, {
    exit: code === "quota-exceeded" ? EXIT.conflict : exit,
    status,
    data,
    // What the detail says already is not said again.
    hint: /\btry again\b/i.test(detail) ? undefined : code === "forbidden" ? roleHint(detail) : hintFor(code, headers),
  });
}

/** What answers there does not speak Kinora's interface. */
export function notKinora(detail: string, status?: number): ClientError {
  return new ClientError(
    "not-kinora",
    `What answers at this address is no Kinora, or one of another version. ${detail}`,
    {
      exit: EXIT.unreachable,
      hint: "Is the address right? --server names another one.",
      ...(status === undefined ? {} : { status }),
    },
  );
}

/** What helps against a refusal: another role, where a role is what is missing; the detail names it. */
function roleHint(detail: string): string | undefined {
  const [, role] = /\btakes the role (?:\w+ or )*(\w+)/.exec(detail) ?? [];
  return role && `An admin can give you that role: kinora users role NAME ${role}`;
}

function hintFor(code: string, headers: { get(name: string): string | null }): string | undefined {
  const seconds = headers.get("Retry-After");
  if (seconds && /^\d+$/.test(seconds)) return `Try again in ${seconds} s.`;
  return hints[code];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
