import { afterEach, expect, test } from "bun:test";
import pino from "pino";
import { until } from "../../../test/support/until.ts";
import type { GrantRecord } from "../../auth/contract.ts";
import { OrphanedGrants } from "./orphaned-grants.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const grantMade = (agoMs: number): GrantRecord => {
  const createdAt = new Date(Date.now() - agoMs).toISOString();
  const [id, titleId, userId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  return { id, titleId, collectionId: null, userId, kind: "stream", username: "ada", createdAt, expiresAt: createdAt };
};

/** Auth as far as it is asked, with pages of two. */
function open(grants: GrantRecord[], held: () => Promise<ReadonlySet<string>>) {
  const revoked: string[] = [];
  let rounds = 0;
  const orphans = new OrphanedGrants({
    auth: {
      async listGrants({ before }) {
        if (!before) rounds++;
        const from = before ? grants.findIndex(({ id }) => id === before) + 1 : 0;
        return { items: grants.slice(from, from + 2), more: from + 2 < grants.length };
      },
      async revokeGrants({ ids }) {
        revoked.push(...ids);
        for (const id of ids)
          grants.splice(
            grants.findIndex((grant) => grant.id === id),
            1,
          );
        return { ids };
      },
    },
    held,
    log: pino({ level: "silent" }),
    ...{ firstMs: 5, everyMs: 5, youngestMs: 10_000 },
  });
  closers.push(() => orphans.close());
  return { revoked, rounds: () => rounds };
}

test("grants that no controller holds are revoked, those held and the youngest are not", async () => {
  const orphans = Array.from({ length: 5 }, () => grantMade(60_000));
  const held = grantMade(60_000);
  const young = grantMade(0);
  const { revoked, rounds } = open([young, held, ...orphans], async () => new Set([held.id]));
  await until(() => rounds() >= 3);
  expect(revoked.sort()).toEqual(orphans.map(({ id }) => id).sort());
});

test("nothing is revoked while an instance cannot be asked, and it is tried again", async () => {
  let isAway = true;
  const orphan = grantMade(60_000);
  const { revoked, rounds } = open([orphan], async () => {
    if (isAway) throw new Error("no answer");
    return new Set();
  });
  await until(() => rounds() >= 3);
  expect(revoked).toEqual([]);
  isAway = false;
  await until(() => revoked.length > 0);
  expect(revoked).toEqual([orphan.id]);
});
