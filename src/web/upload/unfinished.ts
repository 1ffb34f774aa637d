import { signal } from "@preact/signals";

/** An upload that was begun in this browser and not ended. */
export interface Unfinished {
  readonly key: string;
  readonly url: string;
  readonly filename: string;
  readonly sentBytes: number;
  readonly sizeBytes: number;
}

/** What the server still has of earlier uploads, as last heard. */
export const unfinished = signal<readonly Unfinished[]>([]);

/** What the names of one person's uploads begin with in this browser's storage. */
export const prefixOf = (userId: string) => `kinora-${userId}-`;

type FileName = Pick<File, "name" | "size" | "lastModified">;

/** Names the same file of the same person after a reload. */
export function fingerprintOf(file: FileName, userId: string): string {
  return `${prefixOf(userId)}${file.name}-${file.size}-${file.lastModified}`;
}

/** The unfinished upload that choosing this file continues. */
export function unfinishedOf(file: FileName, userId: string): Unfinished | undefined {
  return unfinished.value.find(({ key }) => key.startsWith(`tus::${fingerprintOf(file, userId)}::`));
}

/** Which answer is waited for: an older one knows of uploads that are no longer there. */
let asked = 0;

/** Asks the server how far the unfinished uploads are. */
export async function refreshUnfinished(userId: string): Promise<void> {
  const { listUnfinished } = await import("./tus-transfer.ts");
  const mine = ++asked;
  const found = await listUnfinished(userId);
  if (mine === asked) unfinished.value = found;
}

/** Has the server and this browser forget one. */
export async function discardUnfinished(upload: Unfinished): Promise<void> {
  const { discardUpload } = await import("./tus-transfer.ts");
  await discardUpload(upload);
  asked++;
  unfinished.value = unfinished.value.filter(({ key }) => key !== upload.key);
}
