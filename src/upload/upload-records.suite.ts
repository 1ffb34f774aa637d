import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { testId, testMediaId } from "../../test/support/catalog.ts";
import type { UploadRecord, UploadRecords } from "./upload-records.ts";

const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n);

const upload = (n: number, changes: Partial<UploadRecord> = {}): UploadRecord => ({
  id: testId(n),
  kind: "tus",
  ownerId: testId(900),
  ownerName: "ann",
  name: "🎬 a name",
  tags: ["Ä", "b"],
  metadata: { filename: "x.mp4", flag: null },
  sizeBytes: 6_000_000_000,
  offset: 5_000_000_001,
  state: "receiving",
  attempts: 0,
  mediaId: null,
  error: null,
  writer: "here",
  place: "file:1",
  leaseUntil: null,
  createdAt: at(n),
  expiresAt: at(1_000 + n),
  ...changes,
});

/** What every database of uploads must do. */
export function uploadRecordsSuite(
  database: string,
  open: () => Promise<{ records: UploadRecords; close: () => Promise<void> }>,
): void {
  describe(`upload records on ${database}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let records: UploadRecords;
    beforeEach(async () => {
      opened = await open();
      records = opened.records;
    });
    afterEach(() => opened.close());
    const ids = (found: readonly UploadRecord[]) => found.map(({ id }) => id).toSorted();

    test("an upload comes back as it was put in, and changes leave the rest", async () => {
      await records.insert(upload(1));
      expect(await records.get(testId(1))).toEqual(upload(1));
      const error = { code: "not-a-video", detail: "No.", status: 422 };
      await records.update(testId(1), { state: "failed", error, attempts: 2 });
      expect(await records.get(testId(1))).toEqual(upload(1, { state: "failed", error, attempts: 2 }));
      await records.update(testId(1), { error: null, name: "n", tags: [], expiresAt: at(7) });
      const changed = { state: "failed", attempts: 2, error: null, name: "n", tags: [], expiresAt: at(7) } as const;
      expect(await records.get(testId(1))).toEqual(upload(1, changed));
      await records.update(testId(2), { offset: 1 });
      await records.remove(testId(1));
      expect(await records.get(testId(1))).toBeNull();
    });

    test("an id is taken once", async () => {
      await records.insert(upload(1));
      expect(
        await records
          .insert(upload(1))
          .then(() => "in")
          .catch(() => "refused"),
      ).toBe("refused");
    });

    test("uploads are found by state, by owner, by what they lack and by time", async () => {
      await records.insert(upload(3));
      await records.insert(upload(1));
      await records.insert(upload(2, { state: "ready", mediaId: testMediaId(1), ownerId: testId(901) }));
      await records.insert(upload(4, { state: "ready" }));
      expect((await records.inState("receiving")).map(({ id }) => id)).toEqual([testId(1), testId(3)]);
      expect(ids(await records.unidentified())).toEqual([testId(4)]);
      expect(ids(await records.ofOwner(testId(901)))).toEqual([testId(2)]);
      expect(ids(await records.expired(at(1_002)))).toEqual([testId(1), testId(2)]);
    });
  });
}
