import type { RtpOriginal } from "../rtp/rtp-stream.ts";
import type { RtspCredential } from "./authorization-header.ts";

/** A session as whoever controls it sees it. Its functions do not throw. */
export interface ControlledSession {
  pause(): void;
  resume(): void;
  /** Ends it at once. */
  close(reason: string): void;
}

/** What a session that is known as playing holds. */
export interface SessionRegistration {
  /** It was played to its end. */
  ended(): void;
  /** It is over. */
  release(): void;
}

/** Under which grant, and in whose name. */
export interface RtspViewer {
  readonly grantId?: string;
  /** Whose API key it is, or who made the grant. */
  readonly userId?: string;
}

/** A title that somebody may play, for as long as nobody cuts it. */
export interface OpenTitle {
  readonly titleId: string;
  readonly name: string;
  readonly durationSeconds: number;
  readonly original: RtpOriginal;
  /** Who plays, for the log and for limits; nobody of whom anything is known when it is empty. */
  readonly viewer: RtspViewer;
  /** Calls `cut` once, within a second of the end of the right to play. The result ends the watch. */
  onCut(cut: (reason: string) => void): () => void;
  /** Makes a session known to whoever controls what plays under this right. */
  register(session: ControlledSession): SessionRegistration;
}

/** A title that another server has, which its viewer may play there. */
export interface MovedTitle {
  /** `host:port` of that server. */
  readonly movedTo: string;
}

/** Where titles come from. What it throws is a `ProblemError`, as over HTTP: 401, 404, 422, 503. */
export interface RtspTitles {
  open(titleId: string, credential: RtspCredential | null): Promise<OpenTitle | MovedTitle>;
}
