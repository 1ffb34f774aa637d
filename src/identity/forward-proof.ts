import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { type ServiceName, serviceNames } from "../bus/contract.ts";

/**
 * How far a proof's time may lie from the clock of whoever checks it, before or after: as long as a proof counts, and
 * as much as the clocks of two machines may differ.
 */
export const PROOF_MS = 30_000;

/** The form of proofs. The first one, without a number, was the key itself. */
const FORM = "2";
const KEY_BYTES = 32;
const INSTANCE = /^[\w-]{1,64}$/;
const MAC = /^[\w-]{43}$/;

/** The parts of a request that main vouches for when it sends it on. */
export interface ForwardedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** What main says of the client, as it stands in its header; empty when it says nothing. */
  readonly client: string;
}

/** Which main sent a request on, to whom and when. */
export interface ForwardClaim {
  readonly main: string;
  readonly service: ServiceName;
  readonly instance: string;
  readonly atMs: number;
}

/**
 * The key for requests that go to one service. It tells neither the secret nor any other service's key: who receives requests of
 * streaming cannot make one for auth.
 */
export const forwardKeyFor = (secret: string, service: ServiceName): string =>
  Buffer.from(hkdfSync("sha256", secret, "kinora", `requests sent on to ${service}`, KEY_BYTES)).toString("base64url");

/** `2 {instance of main} {service} {instance} {milliseconds} {HMAC-SHA-256}`, for one request alone. */
export function makeProof(key: string, claim: ForwardClaim, request: ForwardedRequest): string {
  const { main, service, instance, atMs } = claim;
  return [FORM, main, service, instance, atMs, macOf(key, claim, request).toString("base64url")].join(" ");
}

/** What a proof claims, yet to be checked; null when it is none. */
export function readProof(text: string): { readonly claim: ForwardClaim; readonly mac: string } | null {
  const [form, main = "", name, instance = "", at = "", mac = "", ...more] = text.split(" ");
  const service = serviceNames.find((known) => known === name);
  if (form !== FORM || more.length > 0 || !service || !/^\d{1,15}$/.test(at)) return null;
  if (!INSTANCE.test(main) || !INSTANCE.test(instance) || !MAC.test(mac)) return null;
  return { claim: { main, service, instance, atMs: Number(at) }, mac };
}

/** Whether who has the key claims that of this very request. Takes as long for every wrong answer. */
export function isProven(key: string, claim: ForwardClaim, mac: string, request: ForwardedRequest): boolean {
  return timingSafeEqual(macOf(key, claim, request), Buffer.from(mac, "base64url"));
}

/** As JSON: no two requests are written alike. */
function macOf(key: string, { main, service, instance, atMs }: ForwardClaim, request: ForwardedRequest): Buffer {
  const { method, target, client } = request;
  const said = JSON.stringify([FORM, main, service, instance, atMs, method, target, client]);
  return createHmac("sha256", key).update(said).digest();
}
