/** A ping, and what begins a cancellation; anything else on a call's subject is a request. */
export const PING = "P";
export const CANCEL = "C";

/** A request: a line of JSON with operation, calling instance and time-out, then the body. */
export const encodeRequest = (operation: string, instance: string, timeoutMs: number, body: string): string =>
  `${JSON.stringify([operation, instance, Math.ceil(timeoutMs)])}\n${body}`;

export interface ReceivedRequest {
  readonly operation: string;
  readonly instance: string;
  readonly timeoutMs: number;
  readonly body: string;
}

/** Undefined when it is none of ours. */
export function readRequest(text: string): ReceivedRequest | undefined {
  const end = text.indexOf("\n");
  if (!text.startsWith("[") || end < 0) return undefined;
  try {
    const [operation, instance, timeoutMs] = JSON.parse(text.slice(0, end)) as unknown[];
    return {
      operation: String(operation),
      instance: String(instance),
      timeoutMs: Number(timeoutMs),
      body: text.slice(end + 1),
    };
  } catch {
    return undefined;
  }
}

/** What comes back. The first letter says what it is. */
export type Reply =
  | { readonly kind: "value"; readonly body: string }
  /** The handler failed in a way that its contract does not know. */
  | { readonly kind: "failed" }
  /** The instance is stopping, or does not understand. */
  | { readonly kind: "unavailable" }
  | { readonly kind: "too-large"; readonly bytes: number; readonly most: number }
  /** The answer to a ping. */
  | { readonly kind: "here"; readonly instance: string };

const letters = { value: "V", failed: "F", unavailable: "U", "too-large": "L", here: "H" } as const;

export function encodeReply(reply: Reply): string {
  const letter = letters[reply.kind];
  if (reply.kind === "value") return letter + reply.body;
  if (reply.kind === "here") return letter + reply.instance;
  if (reply.kind === "too-large") return `${letter}${reply.bytes} ${reply.most}`;
  return letter;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function readReply(data: Uint8Array): Reply {
  const text = decoder.decode(data);
  const rest = text.slice(1);
  switch (text[0]) {
    case "V":
      return { kind: "value", body: rest };
    case "F":
      return { kind: "failed" };
    case "H":
      return { kind: "here", instance: rest };
    case "L": {
      const [bytes = 0, most = 0] = rest.split(" ").map(Number);
      return { kind: "too-large", bytes, most };
    }
    default:
      return { kind: "unavailable" };
  }
}
