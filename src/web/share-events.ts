/** How often the window that has the connection says so. */
const BEAT_MS = 2_000;
/** After this long without a word from it, another one takes its place: it was frozen, or it hangs. */
const SILENT_MS = 5_000;
/** How long a new window waits for an answer before it connects itself. */
const ANSWER_MS = 250;

export type Tell = (kind: string, data: string) => void;

interface Share<Known> {
  /** Opens the connection, for all; the result closes it. */
  connect(tell: Tell): () => void;
  /** Takes an event, whoever heard it. */
  take: Tell;
  /** What was heard so far, for a window that comes later. */
  known(): Known;
  learn(known: Known): void;
  /** Somebody signed out in another window. */
  onSignedOut(): void;
}

type Said<Known> = { readonly from: string; readonly user: string } & (
  | { readonly say: "who" | "bye" | "out" }
  | { readonly say: "here"; readonly known?: Known }
  | { readonly say: "event"; readonly kind: string; readonly data: string }
);

/**
 * Follows the events of a user in all windows of a browser over one connection: a browser has six to a server over
 * HTTP/1.1, and each window would keep one. The oldest window has it and passes on what it hears; one that is closed or
 * frozen, or hangs, is replaced. By messages alone: the Web Locks that would do this there are not over plain HTTP, as
 * in a home network. The result leaves; `signedOut` tells the others.
 */
export function shareEvents<Known>(user: string, share: Share<Known>): (signedOut: boolean) => void {
  const channel = new BroadcastChannel("kinora-events");
  // Of two that connect at the same moment, the older one stays.
  const from = `${Date.now()}-${Math.random()}`;
  let disconnect: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hasJoined = false;
  const tell = (more: object) => channel.postMessage({ from, user, ...more });
  const lead = () => {
    disconnect ??= share.connect((kind, data) => {
      share.take(kind, data);
      tell({ say: "event", kind, data });
    });
    tell({ say: "here" });
    clearTimeout(timer);
    timer = setTimeout(lead, BEAT_MS);
  };
  const leadAfter = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(lead, ms * (1 + Math.random() / 2));
  };
  const follow = () => {
    disconnect?.();
    disconnect = null;
    leadAfter(SILENT_MS);
  };
  channel.onmessage = ({ data: said }: MessageEvent<Said<Known>>) => {
    if (said.user !== user) return;
    if (said.say === "who" && disconnect) tell({ say: "here", known: share.known() });
    else if (said.say === "bye" && !disconnect) leadAfter(ANSWER_MS);
    else if (said.say === "out") share.onSignedOut();
    else if (said.say === "event") share.take(said.kind, said.data);
    else if (said.say === "here") {
      if (disconnect && from < said.from) return tell({ say: "here" });
      if (said.known) share.learn(said.known);
      follow();
      // What happened before this window heard of anything is to be read anew, as when the connection opens.
      if (!hasJoined) share.take("open", "");
      hasJoined = true;
    }
  };
  tell({ say: "who" });
  leadAfter(ANSWER_MS);
  return (signedOut) => {
    clearTimeout(timer);
    if (signedOut) tell({ say: "out" });
    else if (disconnect) tell({ say: "bye" });
    disconnect?.();
    channel.close();
  };
}
