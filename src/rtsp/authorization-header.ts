/** What a client proves its right with. */
export type RtspCredential =
  | { readonly kind: "grant"; readonly text: string }
  /** A token or an API key. */
  | { readonly kind: "bearer"; readonly text: string };

/** No grant, token or API key of ours is longer. */
const MAX_LENGTH = 4_096;

/** What the server asks for; Digest would take the secret in plain (RFC 2617). */
export const CHALLENGE = 'Basic realm="kinora", charset="UTF-8"';

/**
 * `Authorization`: Basic with a grant as the password and any user name, or Bearer with a token or API key. Null when
 * there is none; a credential that counts for nothing when it is of another kind.
 */
export function parseAuthorization(value: string | null): RtspCredential | null {
  if (value === null) return null;
  const [, scheme = "", text = ""] = /^(\w+)[ ]+(\S+)$/.exec(value) ?? [];
  if (text.length > MAX_LENGTH) return { kind: "grant", text: "" };
  if (/^bearer$/i.test(scheme)) return { kind: "bearer", text };
  if (!/^basic$/i.test(scheme)) return { kind: "grant", text: "" };
  const pair = Buffer.from(text, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return { kind: "grant", text: colon < 0 ? "" : pair.slice(colon + 1) };
}
