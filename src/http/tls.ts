import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { StartError } from "../errors.ts";

/** Paths of a certificate, with its chain, and its private key, both PEM (RFC 7468). */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Reads both. Throws `StartError` for what cannot be read, is no PEM, does not belong together or is over. */
export function readTls({ cert, key }: TlsFiles): { cert: string; key: string } {
  const read = { cert: readPem(cert, "tls.cert"), key: readPem(key, "tls.key") };
  const certificate = parse("tls.cert", cert, () => new X509Certificate(read.cert));
  const privateKey = parse("tls.key", key, () => createPrivateKey(read.key));
  if (!certificate.checkPrivateKey(privateKey))
    throw new StartError(`The key ${key} is not that of the certificate ${cert}.`, "Check `tls.cert` and `tls.key`.");
  if (Date.parse(certificate.validTo) < Date.now())
    throw new StartError(`The certificate ${cert} ended on ${certificate.validTo}.`, "Renew it, and start again.");
  return read;
}

function readPem(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : cause;
    const hint = `Check \`${name}\`, and that the user Kinora runs as may read it.`;
    throw new StartError(`${path} cannot be read (${code}).`, hint, { cause });
  }
}

function parse<T>(name: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new StartError(`${path} is not what \`${name}\` takes.`, "It must be PEM text, the key without a password.", {
      cause,
    });
  }
}
