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
  copy: null,
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

    test("who receives an upload changes in one step, from what it was: whoever comes second gets nothing", async () => {
      const [id, until] = [testId(1), at(9)];
      await records.insert(upload(1, { offset: 10 }));
      const before = { id, writer: "here", copy: null, offset: 10 };
      const [one, two] = await Promise.all([
        records.takeOver(before, { id, writer: "b", copy: testId(11), offset: 10, leaseUntil: until }),
        records.takeOver(before, { id, writer: "c", copy: testId(12), offset: 10, leaseUntil: until }),
      ]);
      expect([one, two].filter(Boolean)).toHaveLength(1);
      const { writer, copy, leaseUntil } = (await records.get(id)) ?? {};
      expect([writer, copy, leaseUntil]).toEqual([one ? "b" : "c", testId(one ? 11 : 12), until]);
      // Who had it counts nothing more.
      expect(await records.updateAs("here", id, { offset: 11 })).toBe(false);
      const now = { id, writer: writer ?? null, copy: copy ?? null, offset: 10 };
      expect(await records.updateAs(now.writer ?? "", id, { offset: 11 })).toBe(true);
      // What grew meanwhile is received by somebody who lives.
      expect(await records.takeOver(now, { ...now, writer: "d", leaseUntil: until })).toBe(false);
      const grown = { ...now, offset: 11 };
      expect(await records.takeOver(grown, { ...grown, leaseUntil: until })).toBe(true);
      expect(await records.takeOver(grown, { ...grown, leaseUntil: until })).toBe(true);
      await records.update(id, { state: "finishing" });
      expect(await records.takeOver(grown, { ...grown, writer: "d", leaseUntil: until })).toBe(false);
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
