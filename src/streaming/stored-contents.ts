/**
 * Port: which source's bytes stand for a content, for stores that keep bytes by source: equal content is stored once without
 * being copied or renamed. Each call is one transaction.
 */
export interface StoredContents {
  /** The source whose bytes are this content's; null when none are. */
  holderOf(mediaId: string): Promise<string | null>;
  /** Whether a source's bytes are some content's. */
  isHolder(sourceId: string): Promise<boolean>;
  /** Makes a source the holder unless there is one; the holder afterwards. */
  claim(mediaId: string, sourceId: string): Promise<string>;
  /** Replaces a holder whose bytes are gone, when it still is the holder. */
  replace(mediaId: string, holder: string, sourceId: string): Promise<void>;
  /** Takes a content out and notes that its holder's bytes are to be removed. The holder; null when there is none. */
  release(mediaId: string): Promise<string | null>;
  /** Takes back `release`, unless another source has claimed the content since; whether it was taken back. */
  restore(mediaId: string, sourceId: string): Promise<boolean>;
  /** Notes that a source's bytes are to be removed. */
  noteRemoval(sourceId: string): Promise<void>;
  /** Sources whose bytes are to be removed, noted before a moment. */
  removals(before: Date): Promise<string[]>;
  /** They are removed. */
  forgetRemoval(sourceId: string): Promise<void>;
}
