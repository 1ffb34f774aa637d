import { isIP } from "node:net";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { z } from "zod";

/**
 * Value types of the configuration. Each is parsed at once from what a file, a variable or the command line holds;
 * its `expects` is what an error message and the reference page say about it.
 */

/** Where to listen. Port 0 takes any free port. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const units = (table: Readonly<Record<string, number>>, text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text);
  const factor = table[match?.[2] ?? ""];
  return match && factor !== undefined ? Math.round(Number(match[1]) * factor) : undefined;
};

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const byteUnits = {
  ...{ B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
};

/** `30s`, `1.5h` or `31d` in milliseconds; undefined when it is none. */
const parseDuration = (text: string) => units(durationUnits, text);

/** `64GiB` or `500MB` in bytes; undefined when it is none. */
const parseByteSize = (text: string) => units(byteUnits, text);

/** `host:port` or `[v6]:port`; undefined when it is none. */
function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return undefined;
  const [, v6, name] = match;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6, port } : undefined;
  const host = name ?? "";
  // Digits and dots alone are meant as an address: `127.0.1` or `300.1.1.1` would only fail later, and worse.
  if (/^[\d.]+$/.test(host) && isIP(host) !== 4) return undefined;
  return { host, port };
}

/** The `host:port` form of a listen address. */
export const formatListenAddress = ({ host, port }: ListenAddress) =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;

/** Whether only this machine can reach it: 127.0.0.0/8, ::1 or `localhost`. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  if (isIP(host) === 4) return host.startsWith("127.");
  if (isIP(host) !== 6) return false;
  const canonical = new URL(`http://[${host}]/`).hostname;
  return canonical === "[::1]" || canonical.startsWith("[::ffff:7f");
}

/** `10.0.0.0/8`, `fd00::/8` or a single address; undefined when it is none. */
function parseCidr(text: string): string | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  if (prefix === undefined) return text;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128) ? text : undefined;
}

/** An absolute path; `~` is the home folder, a relative path starts where Kinora was started. */
export function parsePath(text: string): string | undefined {
  if (text === "" || text.includes("\0")) return undefined;
  return resolve(text === "~" || text.startsWith("~/") ? homedir() + text.slice(1) : text);
}

function textValue<T>(expects: string, parse: (text: string) => T | undefined) {
  return z
    .string()
    .transform((text, context) => {
      const value = parse(text.trim());
      if (value !== undefined) return value;
      context.addIssue({ code: "custom", message: `expected ${expects}` });
      return z.NEVER;
    })
    .meta({ expects });
}

/** A number with a unit; code may also give the plain number. */
function quantity(expects: string, parse: (text: string) => number | undefined, min: number, max: number) {
  return z
    .union([z.string(), z.number()])
    .transform((input, context) => {
      const value = typeof input === "number" ? input : parse(input.trim());
      if (value !== undefined && value >= min && value <= max) return value;
      context.addIssue({ code: "custom", message: `expected ${expects}` });
      return z.NEVER;
    })
    .meta({ expects });
}

/** An address to listen on. */
export const listenAddress = () =>
  textValue("host:port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080", parseListenAddress);

/** An address to listen on, or that nothing listens. */
export const listenAddressOrOff = () =>
  textValue("host:port, such as 127.0.0.1:8554, or off", (text): ListenAddress | "off" | undefined =>
    text.toLowerCase() === "off" ? "off" : parseListenAddress(text),
  );

/** A time span with a unit, in milliseconds once loaded. `min` and `max` are texts such as `1s`. */
export const duration = (min: string, max: string) =>
  quantity(
    `a time span with a unit (ms, s, m, h, d) from ${min} to ${max}, such as 30s`,
    parseDuration,
    parseDuration(min) ?? 0,
    parseDuration(max) ?? 0,
  );

/** An amount of data with a unit, in bytes once loaded. */
export const byteSize = () =>
  quantity(
    "a size with a unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), such as 64GiB",
    parseByteSize,
    1,
    Number.MAX_SAFE_INTEGER,
  );

/** A whole number in a range. */
export const integer = (min: number, max: number) =>
  quantity(
    `a whole number from ${min} to ${max}`,
    (text) => (/^-?\d+$/.test(text) ? Number(text) : undefined),
    min,
    max,
  ).refine(Number.isInteger, "expected a whole number");

/** `true` or `false`. */
export const flag = () =>
  z
    .union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")])
    .meta({ expects: "true or false" });

/** The origin people reach Kinora at. */
export const origin = () =>
  textValue("an http:// or https:// address without a path, such as https://video.example.org", (text) => {
    const url = URL.parse(text);
    if (!url || !/^https?:$/.test(url.protocol)) return undefined;
    const bare = url.pathname === "/" && !url.search && !url.hash && !url.username && !url.password;
    return bare ? url : undefined;
  });

/** Where NATS servers are, and how to sign in there. */
export interface NatsAddress {
  /** `host:port` of each server of the cluster. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  /** From the address; null when it names nobody. */
  readonly login: { readonly user: string; readonly password: string } | null;
}

/** `nats://[user:password@]host[:port]`, several separated by commas; undefined when it is none. */
function parseNatsAddress(text: string): NatsAddress | undefined {
  const urls = text.split(",").map((part) => URL.parse(part.trim()));
  const [first] = urls;
  if (!first || !/^(nats|tls):$/.test(first.protocol)) return undefined;
  for (const url of urls) {
    if (!url || url.protocol !== first.protocol || url.hostname === "") return undefined;
    if (!/^\/?$/.test(url.pathname) || url.search || url.hash) return undefined;
  }
  const [user, password] = [decodeURIComponent(first.username), decodeURIComponent(first.password)];
  return {
    servers: urls.map((url) => `${url?.hostname}:${url?.port || 4222}`),
    tls: first.protocol === "tls:",
    login: user === "" ? null : { user, password },
  };
}

/** NATS servers. */
export const natsAddress = () =>
  textValue("nats://host:4222 or tls://host:4222, with user:password@ before the host where wanted", parseNatsAddress);

/** Where a MySQL or MariaDB server is, and how it is used. */
export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  /** `off`; `verify`: the server's certificate must be good; `insecure`: encrypted, whoever answers. */
  readonly tls: "off" | "verify" | "insecure";
  /** A file of certificates (PEM) to check the server's against; the system's when null. */
  readonly ca: string | null;
  /** Connections that one process opens at most. */
  readonly poolSize: number;
  /** How long a statement may run, in milliseconds. */
  readonly statementMs: number;
}

const mysqlTls = { false: "off", true: "verify", insecure: "insecure" } as const;

/** `mysql://user:password@host[:port]/name[?ssl=…&ca=…&pool=…&timeout=…]`; undefined when it is none. */
export function parseMysqlAddress(text: string): MysqlAddress | undefined {
  const url = URL.parse(text);
  const name = decode(url?.pathname.slice(1) ?? "");
  const [user, password] = [decode(url?.username ?? ""), decode(url?.password ?? "")];
  if (url?.protocol !== "mysql:" || url.hostname === "" || url.hash) return undefined;
  if (!name || !/^[\w$-]{1,64}$/.test(name) || !user || password === undefined) return undefined;
  const { ssl = "false", ca = "", pool = "10", timeout = "10s", ...unknown } = Object.fromEntries(url.searchParams);
  if (Object.keys(unknown).length > 0 || !(ssl in mysqlTls)) return undefined;
  const statementMs = parseDuration(timeout);
  if (!/^[1-9]\d{0,2}$/.test(pool) || statementMs === undefined || statementMs < 100) return undefined;
  const caPath = ca === "" ? null : parsePath(ca);
  if (caPath === undefined || (caPath !== null && ssl !== "true")) return undefined;
  const tls = mysqlTls[ssl as keyof typeof mysqlTls];
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    port: Number(url.port || 3306),
    user,
    password,
    name,
    tls,
    ca: caPath,
    poolSize: Number(pool),
    statementMs,
  };
}

/** Where a Redis or Valkey server is, and what our keys there begin with. */
export interface RedisAddress {
  /** Without our own options. */
  readonly url: string;
  readonly prefix: string;
}

/** `redis://[user:password@]host[:port][/database][?prefix=…]`, `rediss://` for TLS; undefined when it is none. */
function parseRedisAddress(text: string): RedisAddress | undefined {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || url.hash) return undefined;
  if (!/^\/?\d{0,3}$/.test(url.pathname)) return undefined;
  const { prefix = "kinora:", ...unknown } = Object.fromEntries(url.searchParams);
  if (Object.keys(unknown).length > 0 || !/^[\w:.-]{0,64}$/.test(prefix)) return undefined;
  url.search = "";
  return { url: url.href, prefix };
}

/** A Redis or Valkey server. */
export const redisAddress = () =>
  textValue(
    "redis://host:6379 or rediss://host:6379, with user:password@ before the host and /database after it where wanted",
    parseRedisAddress,
  );

/** What percent signs stand for; undefined when they stand for nothing. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Where objects are kept. */
export interface S3Address {
  readonly bucket: string;
  /** What all keys begin with: empty, or with `/` at its end. */
  readonly prefix: string;
  /** Null for Amazon's own. */
  readonly endpoint: string | null;
  readonly region: string;
  /** How long one request may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** `s3://bucket[/prefix][?endpoint=…&region=…&timeout=…]`; undefined when it is none. */
export function parseS3Address(text: string): S3Address | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== "s3:" || url.username || url.password || url.port || url.hash) return undefined;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname)) return undefined;
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "");
  if (!/^[\w.!*'()/-]{0,80}$/.test(prefix) || prefix.includes("//") || /(^|\/)\.\.?(\/|$)/.test(prefix))
    return undefined;
  const { endpoint = "", region = "us-east-1", timeout = "30s", ...unknown } = Object.fromEntries(url.searchParams);
  if (Object.keys(unknown).length > 0 || !/^[a-z0-9-]{1,40}$/.test(region)) return undefined;
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs < 100 || timeoutMs > 600_000) return undefined;
  const at = endpoint === "" ? null : URL.parse(endpoint);
  if (endpoint !== "" && (!at || !/^https?:$/.test(at.protocol) || at.pathname !== "/" || at.search || at.username))
    return undefined;
  const place = { bucket: url.hostname, prefix: prefix === "" ? "" : `${prefix}/` };
  return { ...place, endpoint: at?.origin ?? null, region, timeoutMs };
}

/** A secret long enough that nobody guesses it. */
export const sharedSecret = () =>
  textValue("at least 32 characters, such as `openssl rand -base64 32` prints", (text) =>
    text.length >= 32 ? text : undefined,
  );

/** Where a listener is reached. */
export const httpAddress = () =>
  textValue("an http:// address without a path, such as http://10.0.0.5:8080", (text) => {
    const url = URL.parse(text);
    return url?.protocol === "http:" && url.pathname === "/" && !url.search && !url.username ? url.origin : undefined;
  });

/** An address or a range of addresses. */
export const cidr = () => textValue("an address or CIDR range, such as 127.0.0.1 or 10.0.0.0/8", parseCidr);

/** A host name as it stands in `Host`, without a port; `*.name` for all below a name. */
export const hostName = () =>
  textValue("a host name without a port, such as nas.lan or *.example.org", (text) =>
    /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/.test(text)
      ? text.toLowerCase()
      : undefined,
  );

/** A file or folder. */
export const path = () => textValue("the path of a file or folder", parsePath);

/** One of a few words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words).meta({ expects: `one of ${words.join(", ")}` });
