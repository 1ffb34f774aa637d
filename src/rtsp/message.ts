import type { RtspHeaders } from "./headers.ts";
import { type StatusCode, statusPhrases } from "./status.ts";

/** A request of a client (RFC 2326 section 6). */
export interface RtspRequest {
  readonly kind: "request";
  readonly method: string;
  readonly url: string;
  readonly headers: RtspHeaders;
  readonly body: Uint8Array;
}

/** A packet on a channel of the connection (RFC 2326 section 10.12): of a client only RTCP is of interest. */
export interface InterleavedPacket {
  readonly kind: "interleaved";
  readonly channel: number;
  readonly data: Uint8Array;
}

/** Something that was not understood: answered with `status`, after which the connection is closed. */
export interface BadMessage {
  readonly kind: "bad";
  readonly status: StatusCode;
  readonly reason: string;
  /** The sequence number of the request, if that much of it was understood. */
  readonly cseq: number | null;
}

export type RtspMessage = RtspRequest | InterleavedPacket | BadMessage;

/** An answer before it is written. */
export interface RtspResponse {
  readonly status: StatusCode;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The sequence number of a request (RFC 2326 section 12.17): up to ten digits; null when it has none. */
export function cseqOf(headers: RtspHeaders): number | null {
  const text = headers.get("CSeq");
  return text !== null && /^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff ? Number(text) : null;
}

/** An answer as it is sent. Without a sequence number when the request had none. */
export function encodeResponse(cseq: number | null, { status, headers = {}, body = "" }: RtspResponse): Uint8Array {
  const content = new TextEncoder().encode(body);
  const lines = [`RTSP/1.0 ${status} ${statusPhrases[status]}`];
  if (cseq !== null) lines.push(`CSeq: ${cseq}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value.replace(/[\r\n]+/g, " ")}`);
  if (content.length > 0) lines.push(`Content-Length: ${content.length}`);
  return Buffer.concat([new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`), content]);
}
