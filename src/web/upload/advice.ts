import { ApiError, messageOf } from "../api.ts";

const advice: Readonly<Record<string, string>> = {
  "not-a-video": "This file is not a video that Kinora can read. MP4, MOV, MKV, WebM and TS work.",
  truncated:
    "The end of this file is missing. Copy it from its source again, check that it plays, then upload it again.",
  empty: "This file is empty. Choose another one.",
  "too-large": "This file is larger than this server accepts.",
  "disk-full": "The server's disk is full. Ask whoever runs it to make room, then resume; what is there stays.",
  "quota-exceeded": "Your space is used up. Delete a video you no longer need, then try again.",
  forbidden: "You are not allowed to upload here. Ask an admin for the editor role.",
  unauthorized: "You are signed out. Sign in, then choose the same file to continue.",
  "file-changed": "This file has changed or moved since you chose it. Choose it again.",
  offline: "The connection was lost. Resume when you are online again; what is there stays.",
};

/** What happened to an upload and what to do now. */
export function adviceFor(error: unknown): string {
  if (!(error instanceof ApiError)) return messageOf(error);
  const known = advice[error.code];
  // The server's own sentence has the figures: how large is too large.
  if (known && (error.code === "too-large" || error.code === "quota-exceeded")) return `${known} ${error.message}`;
  return known ?? error.message;
}

/** Whether trying the same file again can help, continuing where it stopped. */
export function mayContinue(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return error.status === 0 || error.status >= 500 || error.status === 429 || error.status === 423;
}
