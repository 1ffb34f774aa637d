import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { testId } from "../../test/support/catalog.ts";
import type { AuthStore, NewUser, UserRecord } from "./auth-store.ts";
import type { Revocation } from "./contract.ts";

const newUser = (n: number, changes: Partial<NewUser> = {}): NewUser => ({
  id: testId(n),
  username: `person-${n}`,
  passwordHash: `hash-${n}`,
  mayBeFirst: true,
  role: "editor",
  ...changes,
});
const later = (ms = 60_000) => new Date(Date.now() + ms);
const revocation = (kind: Revocation["kind"], n: number, untilMs = 60_000): Revocation => ({
  kind,
  id: testId(n),
  at: new Date().toISOString(),
  until: later(untilMs).toISOString(),
});

/** What every database of accounts must do. Sessions and API keys are better-auth's and tested through it. */
export function authStoreSuite(
  database: string,
  open: () => Promise<{ store: AuthStore; close: () => Promise<void> }>,
): void {
  describe(`auth store on ${database}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let store: AuthStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());
    const create = async (n: number, changes: Partial<NewUser> = {}) =>
      (await store.createUser(newUser(n, changes))) as UserRecord;

    test("of many first accounts at the same moment one is admin", async () => {
      expect(await store.hasUsers()).toBe(false);
      const made = await Promise.all(Array.from({ length: 8 }, (_, n) => create(n)));
      expect(made.map(({ role }) => role).toSorted()).toEqual(["admin", ...Array(7).fill("editor")]);
      expect(await store.hasUsers()).toBe(true);
    });

    test("of many accounts with one name at the same moment there is one; the others are told", async () => {
      await create(0);
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => store.createUser(newUser(n + 1, { username: "same" }))),
      );
      expect(answers.filter((answer) => answer === "username-taken")).toHaveLength(5);
    });

    test("who may be first, and who may be only that, is told apart", async () => {
      expect(await store.createUser(newUser(1, { mayBeFirst: false }))).toBe("first");
      await create(1);
      expect(await store.createUser(newUser(2, { role: null }))).toBe("not-first");
    });

    test("an invitation counts once, with its role, by however many at the same moment", async () => {
      await create(0);
      const invite = { id: testId(50), codeHash: "code", createdBy: testId(0), expiresAt: later() };
      await store.createInvite({ ...invite, role: "viewer" });
      expect(await store.hasInvite("code")).toBe(true);
      const invited = await Promise.all([5, 6, 7].map((n) => store.createUser(newUser(n, { inviteHash: "code" }))));
      expect(invited.filter((answer) => answer === "invalid-invite")).toHaveLength(2);
      expect(invited.flatMap((answer) => (typeof answer === "string" ? [] : [answer.role]))).toEqual(["viewer"]);
      expect(await store.hasInvite("code")).toBe(false);
    });

    test("users are found by id and name, and listed in the order of their ids", async () => {
      for (const n of [2, 1, 3]) await create(n);
      const { createdAt, ...user } = (await store.getUser(testId(2))) ?? { createdAt: null };
      expect(user).toEqual({ id: testId(2), username: "person-2", role: "admin", disabled: false, twoFactor: false });
      expect(Math.abs((createdAt?.getTime() ?? 0) - Date.now())).toBeLessThan(10_000);
      expect((await store.findLogin("person-1"))?.passwordHash).toBe("hash-1");
      expect(await store.findLogin("PERSON-1")).toBeNull();
      expect(await store.findLogin("person-1 ")).toBeNull();
      expect((await store.listUsers(2, testId(1))).map(({ id }) => id)).toEqual([testId(2), testId(3)]);
      expect((await store.getUsers([testId(3), testId(9)])).map(({ id }) => id)).toEqual([testId(3)]);
    });

    test("users are searched by a part of their names, whatever signs it has", async () => {
      for (const [n, username] of ["anna", "hannah", "a_n", "bob"].entries()) await create(n, { username });
      const named = async (part: string) => (await store.listUsers(10, null, part)).map(({ username }) => username);
      expect(await named("ANN")).toEqual(["anna", "hannah"]);
      expect(await named("_")).toEqual(["a_n"]);
      expect(await named("%")).toEqual([]);
      expect((await store.listUsers(10, null))[0]).toMatchObject({ username: "anna", lastSeenAt: null });
    });

    test("invitations are listed while they are in time, with who made and used them, and deleted", async () => {
      await create(0);
      const invite = (n: number, ms: number) =>
        store.createInvite({
          ...{ id: testId(n), codeHash: `code-${n}`, role: "viewer", createdBy: testId(0), expiresAt: later(ms) },
        });
      await invite(10, 60_000);
      await invite(11, 60_000);
      await invite(12, -1);
      await create(1, { inviteHash: "code-10" });
      expect(
        (await store.listInvites()).map(({ id, createdBy, isUsed, usedBy }) => [id, createdBy, isUsed, usedBy]),
      ).toEqual([
        [testId(11), "person-0", false, null],
        [testId(10), "person-0", true, "person-1"],
      ]);
      expect([await store.deleteInvite(testId(11)), await store.deleteInvite(testId(11))]).toEqual([true, false]);
      expect(await store.hasInvite("code-11")).toBe(false);
    });

    test("one active admin stays, however many stop being one at the same moment", async () => {
      await create(0);
      for (const n of [1, 2, 3]) {
        await create(n);
        await store.updateUser(testId(n), { role: "admin" }, { revoke: () => revocation("user", n) });
      }
      const answers = await Promise.all([
        ...[0, 1].map((n) => store.updateUser(testId(n), { disabled: true }, { revoke: () => revocation("user", n) })),
        ...[2, 3].map((n) => store.deleteUser(testId(n), () => revocation("user", n))),
      ]);
      expect(answers.filter((answer) => answer === "last-admin")).toHaveLength(1);
      const left = await store.listUsers(10, null);
      expect(left.filter(({ role, disabled }) => role === "admin" && !disabled)).toHaveLength(1);
    });

    test("a changed account ends its tokens and grants, and keeps the revocation", async () => {
      const ann = await create(1);
      const token = { id: testId(60), userId: ann.id, parent: null, expiresAt: later() };
      expect(await store.saveToken(token)).toBe(true);
      expect(await store.getToken(token.id)).toEqual(token);
      expect(await store.isTokenLive(token.id)).toBe(true);
      const made = revocation("user", 1);
      await store.updateUser(ann.id, { passwordHash: "other" }, { revoke: () => made });
      expect(await store.isTokenLive(token.id)).toBe(false);
      expect(await store.listRevocations()).toEqual([made]);
      expect((await store.findLogin("person-1"))?.passwordHash).toBe("other");
      expect(await store.deleteUser(testId(9), () => made)).toBe("unknown");
    });

    test("a deletion is kept with the heir, who must be able to have videos, and is forgotten after a day", async () => {
      const [root, ann, bea, viewer] = [await create(1), await create(2), await create(3), await create(4)];
      await store.updateUser(bea.id, { disabled: true }, { revoke: () => revocation("user", 1) });
      await store.updateUser(viewer.id, { role: "viewer" }, { revoke: () => revocation("user", 2) });
      const remove = (heir?: string) => store.deleteUser(ann.id, () => revocation("user", 3), heir);
      for (const heir of [testId(99), bea.id, viewer.id, ann.id]) expect(await remove(heir)).toBe("no-heir");
      expect([await store.listDeletions(), (await store.getUser(ann.id))?.id]).toEqual([[], ann.id]);
      expect(await remove(root.id)).toBe("deleted");
      expect(await store.deleteUser(viewer.id, () => revocation("user", 4))).toBe("deleted");
      expect(await store.listDeletions()).toEqual([
        { userId: ann.id, heir: { id: root.id, username: root.username } },
        { userId: viewer.id, heir: null },
      ]);
      await store.purgeExpired(0);
      expect(await store.listDeletions()).toHaveLength(2);
    });

    test("tokens are extended until they end, alone or with what they were made with", async () => {
      const ann = await create(1);
      const parentless = { id: testId(61), userId: ann.id, parent: null, expiresAt: later() };
      await store.saveToken(parentless);
      expect(await store.extendToken(parentless.id, later(90_000))).toBe(true);
      expect(await store.endToken(parentless.id)).toBe(true);
      expect(await store.extendToken(parentless.id, later())).toBe(false);
      expect(await store.endToken(parentless.id)).toBe(false);
      const orphan = { ...parentless, parent: { kind: "session", id: testId(80) } as const };
      expect(await store.saveToken(orphan)).toBe(false);
      expect(await store.saveToken({ ...parentless, userId: testId(9) })).toBe(false);
      expect(await store.endTokensOf(testId(80))).toEqual([]);
    });

    test("grants are limited for each user and kind, listed newest first, and end with a revocation", async () => {
      const ann = await create(1);
      const grant = (n: number) => ({
        ...{ id: testId(n), userId: ann.id, titleId: testId(500), collectionId: null, kind: "link" as const },
        ...{ createdAt: new Date(1_790_000_000_123), expiresAt: later() },
      });
      expect(await store.saveGrant({ ...grant(70), userId: testId(9) }, 3)).toBe("no-user");
      const answers = await Promise.all([70, 71, 72, 73, 74].map((n) => store.saveGrant(grant(n), 3)));
      expect(answers.toSorted()).toEqual(["saved", "saved", "saved", "too-many", "too-many"]);
      const query = { userId: ann.id, kind: "link" as const, limit: 10 };
      const listed = await store.listGrants(query);
      expect(listed.map(({ id }) => id)).toEqual(
        listed
          .map(({ id }) => id)
          .toSorted()
          .toReversed(),
      );
      expect(listed[0]).toMatchObject({ username: "person-1", createdAt: new Date(1_790_000_000_123).toISOString() });
      const [first] = listed;
      const ended = { ...revocation("grant", 0), id: first?.id ?? "" };
      expect(await store.findGrants([ended.id], ann.id, "link")).toHaveLength(1);
      expect(await store.findGrants([ended.id], testId(9), "link")).toHaveLength(0);
      await store.endGrants([ended]);
      expect(await store.listGrants(query)).toHaveLength(2);
      expect(await store.listRevocations()).toEqual([ended]);
    });

    test("signing keys are listed the oldest first", async () => {
      const key = (n: number) => ({
        ...{
          id: testId(n),
          publicJwk: "{}",
          privateJwe: "x".repeat(3_000),
          createdAt: new Date(1_790_000_000_000 - n),
        },
      });
      for (const n of [1, 2]) await store.addSigningKey(key(n));
      expect(await store.listSigningKeys()).toEqual([key(2), key(1)]);
      await store.deleteSigningKeys([testId(2)]);
      expect((await store.listSigningKeys()).map(({ id }) => id)).toEqual([testId(1)]);
    });

    test("what has expired is forgotten", async () => {
      const ann = await create(1);
      await store.addRevocations([revocation("token", 1, -5_000), revocation("token", 2)]);
      await store.saveToken({ id: testId(62), userId: ann.id, parent: null, expiresAt: later(-2 * 3_600_000) });
      expect((await store.listRevocations()).map(({ id }) => id)).toEqual([testId(2)]);
      await store.purgeExpired(3_600_000);
      expect(await store.getToken(testId(62))).toBeNull();
    });

    test("a token that has just expired is still known: a stream that holds it ends when it is ended", async () => {
      const ann = await create(1);
      await store.saveToken({ id: testId(62), userId: ann.id, parent: null, expiresAt: later(-5_000) });
      await store.purgeExpired(3_600_000);
      expect(await store.getToken(testId(62))).not.toBeNull();
    });
  });
}
