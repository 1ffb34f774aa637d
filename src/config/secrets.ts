import { hkdfSync, randomBytes } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "./errors.ts";

const SECRET_BYTES = 32;

const secret = z.string().regex(/^[\w-]{43,}$/);

const secretsSchema = z.looseObject({
  /** Signs session cookies and whatever better-auth signs. */
  authSecret: secret,
  /** Signs the cursors of searches. */
  cursorSecret: secret,
});

/** Random values made on first start. Each is 32 bytes as base64url. */
export type Secrets = Readonly<Pick<z.infer<typeof secretsSchema>, keyof typeof secretsSchema.shape>>;

/**
 * Reads `{data}/secrets.json`, making it (mode 0600) on the first start; secrets that a newer version adds are
 * added. A file that others may read is closed to them, and `warn` is told. Throws `ConfigError` when it is damaged:
 * new secrets would sign everybody out without a word.
 */
export function loadSecrets(data: string, warn: (message: string) => void): Secrets {
  const path = join(data, "secrets.json");
  const existing = readExisting(path, warn);
  const names = Object.keys(secretsSchema.shape);
  const missing = names.filter((name) => existing[name] === undefined);
  const made = Object.fromEntries(missing.map((name) => [name, randomBytes(SECRET_BYTES).toString("base64url")]));
  const parsed = secretsSchema.safeParse({ ...existing, ...made });
  if (!parsed.success) throw damaged(path, `${parsed.error.issues[0]?.path.join(".")} is no secret`);
  if (missing.length > 0) writeAtomically(path, `${JSON.stringify(parsed.data, null, 2)}\n`);
  return parsed.data;
}

/** The secret for one purpose, from the one that all instances share: knowing it tells neither that one nor the others. */
export const deriveSecret = (secret: string, purpose: string): string =>
  Buffer.from(hkdfSync("sha256", secret, "kinora", purpose, SECRET_BYTES)).toString("base64url");

function readExisting(path: string, warn: (message: string) => void): Record<string, unknown> {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return {};
  if ((mode & 0o077) !== 0) {
    chmodSync(path, 0o600);
    warn(`${path} could be read by other users. Its mode is 0600 now; replace the secrets if others use this machine.`);
  }
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw damaged(path, "it is no JSON object");
  }
}

function damaged(path: string, detail: string): ConfigError {
  const message = `cannot be used: ${detail}. Restore it from a backup, or delete it: everybody must sign in again then.`;
  return new ConfigError([{ field: "secrets", source: `file ${path}`, message }]);
}

/** After a crash the old file or the new one is there, never half of one. */
function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
