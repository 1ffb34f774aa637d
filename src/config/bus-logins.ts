import { readFileSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "./errors.ts";
import type { Config } from "./schema.ts";
import { deriveSecret } from "./secrets.ts";

/** How a service signs in at the broker. */
export interface BusLogin {
  readonly user: string;
  readonly password: string;
}

const credentialsSchema = z.record(z.string(), z.string().min(1));

/** A service's password where nothing but the shared secret is given. */
export const derivedLogin = (secret: string, service: string): BusLogin => ({
  user: service,
  password: deriveSecret(secret, `broker password of ${service}`),
});

/**
 * How each service of this process signs in: as the user in `nats`, with its password from the file that
 * `bus.credentials` names, else with the one that derives from `secret`, else without credentials. Throws
 * `ConfigError` when the file cannot be used, and the function where it has no line for the service.
 */
export function busLogins({
  nats,
  bus,
  secret,
}: Pick<Config, "nats" | "bus" | "secret">): (service: string) => BusLogin | null {
  if (nats?.login) return () => nats.login;
  if (bus.credentials !== null) {
    const path = bus.credentials;
    const passwords = readCredentials(path);
    return (service) => {
      const password = passwords[service];
      if (password === undefined) throw unusable(path, `it has no password for ${service}`);
      return { user: service, password };
    };
  }
  return (service) => (secret === null ? null : derivedLogin(secret, service));
}

function readCredentials(path: string): Readonly<Record<string, string>> {
  try {
    return credentialsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const detail = error instanceof Error && "code" in error ? String(error.code) : "expected {service: password}";
    throw unusable(path, detail);
  }
}

const unusable = (path: string, detail: string) =>
  new ConfigError([{ field: "bus.credentials", source: `file ${path}`, message: `cannot be used: ${detail}` }]);
