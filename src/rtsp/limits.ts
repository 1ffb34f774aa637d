/** What a client may send. Larger is refused with the status beside it, and the connection is closed. */
export const messageLimits = {
  /** Bytes of the request line and the header fields together: 400. */
  headBytes: 8 * 1024,
  /** Header fields: 400. */
  headers: 64,
  /** Bytes of a body: 413. */
  bodyBytes: 16 * 1024,
  /** Bytes of a URL: 414. */
  urlBytes: 4 * 1024,
  /** Bytes of an interleaved packet that are kept; the rest is skipped. A receiver report has less than 1,500. */
  interleavedBytes: 2 * 1024,
} as const;

/** How much of everything the server takes on; a client that goes past one is refused. */
export interface RtspLimits {
  readonly connections: number;
  /** Of one address; of one /64 of IPv6. */
  readonly connectionsOfAddress: number;
  readonly sessions: number;
  /** Of one address; of one /64 of IPv6. */
  readonly sessionsOfAddress: number;
  /** Under one grant. */
  readonly sessionsOfGrant: number;
  /** Of one user: with an API key, and under all the grants they made. */
  readonly sessionsOfUser: number;
  readonly sessionsOfConnection: number;
  /** How long a session may wait for its first PLAY: until then it holds a place that others may need. */
  readonly firstPlayMs: number;
  /** Requests on a connection before one of them was authorised. */
  readonly requestsBeforeAuthorisation: number;
  /** How long a connection may take for a whole request, and be silent until it is authorised. */
  readonly silenceMs: number;
  /** How long a connection without a session may be silent, and a session without a sign of life. RFC 2326 section 12.37. */
  readonly sessionTimeoutMs: number;
  /** How long a connection over TCP may take none of what waits for it. */
  readonly stalledMs: number;
  /** The log tells of connections that were refused so often at most. */
  readonly refusalsToldEveryMs: number;
}

export const defaultLimits: RtspLimits = {
  connections: 2_000,
  connectionsOfAddress: 500,
  sessions: 2_000,
  sessionsOfAddress: 500,
  sessionsOfGrant: 100,
  sessionsOfUser: 300,
  sessionsOfConnection: 32,
  firstPlayMs: 15_000,
  requestsBeforeAuthorisation: 16,
  silenceMs: 10_000,
  sessionTimeoutMs: 60_000,
  stalledMs: 10_000,
  refusalsToldEveryMs: 60_000,
};
