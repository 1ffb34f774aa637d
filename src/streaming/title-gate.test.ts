import { afterEach, expect, setSystemTime, test } from "bun:test";
import type { Principal, Role } from "../auth/contract.ts";
import type { TitleAccess, Visibility } from "../catalog/contract.ts";
import { TitleGate } from "./title-gate.ts";

afterEach(() => void setSystemTime());

const id = Bun.randomUUIDv7();
const owner = Bun.randomUUIDv7();
const who = (userId: string, role: Role): Principal => ({
  userId,
  username: "somebody",
  role,
  credential: { kind: "session", id: "s" },
});
const title = (visibility: Visibility): TitleAccess => ({ id, ownerId: owner, visibility, mediaId: null, name: "n" });

function gateOf(access: TitleAccess | null) {
  const catalog = { calls: 0, access, hears: "all" as "all" | "nothing" | "unknown" };
  const getAccess = async () => {
    catalog.calls++;
    return catalog.access;
  };
  return { gate: new TitleGate({ getAccess, getCollectionAccess: async () => null }, () => catalog.hears), catalog };
}

const answers = async (access: TitleAccess | null, principal: Principal | null) =>
  gateOf(access)
    .gate.admit(id, principal)
    .then(
      () => "in",
      (error: { code: string }) => error.code,
    );

const nobody = null;
const other = who(Bun.randomUUIDv7(), "viewer");
const table: [Visibility | null, Principal | null, string][] = [
  ["private", nobody, "unauthorized"],
  ["private", other, "wrong-media-id"],
  ["private", who(owner, "viewer"), "in"],
  ["private", who(Bun.randomUUIDv7(), "admin"), "in"],
  ["members", nobody, "unauthorized"],
  ["members", other, "in"],
  ["public", nobody, "in"],
  ["public", other, "in"],
  [null, nobody, "unauthorized"],
  [null, other, "wrong-media-id"],
];
for (const [visibility, principal, expected] of table) {
  test(`a ${visibility ?? "missing"} title and ${principal?.role ?? "nobody"} ${principal?.userId === owner ? "who owns it" : ""}: ${expected}`, async () => {
    expect(await answers(visibility && title(visibility), principal)).toBe(expected);
  });
}

test("what is no title id never reaches the catalog", async () => {
  const { gate, catalog } = gateOf(title("public"));
  for (const wrong of ["", "..", "%", "a".repeat(64), id.toUpperCase()]) {
    expect(gate.admit(wrong, other)).rejects.toThrow("no video");
  }
  expect(catalog.calls).toBe(0);
});

test("asks the catalog once, until the title changes", async () => {
  const { gate, catalog } = gateOf(title("members"));
  await gate.admit(id, other);
  await gate.admit(id, other);
  expect(catalog.calls).toBe(1);
  catalog.access = title("private");
  gate.drop(id);
  expect(gate.admit(id, other)).rejects.toThrow("no video");
});

test("an answer counts for 30 s, and for an hour while there is no broker to hear of a change by", async () => {
  const { gate, catalog } = gateOf(title("members"));
  const from = Date.now();
  await gate.admit(id, other);
  setSystemTime(from + 31_000);
  await gate.admit(id, other);
  expect(catalog.calls).toBe(2);
  catalog.hears = "nothing";
  setSystemTime(from + 50 * 60_000);
  await gate.admit(id, other);
  expect(catalog.calls).toBe(2);
  setSystemTime(from + 62 * 60_000);
  await gate.admit(id, other);
  expect(catalog.calls).toBe(3);
  catalog.hears = "unknown";
  setSystemTime(from + 63 * 60_000);
  await gate.admit(id, other);
  expect(catalog.calls).toBe(4);
});

test("an answer that a change overtook is not kept", async () => {
  const late = Promise.withResolvers<TitleAccess>();
  const answersInTurn = [late.promise, Promise.resolve(title("private"))];
  const gate = new TitleGate({
    getAccess: async () => (await answersInTurn.shift()) ?? null,
    getCollectionAccess: async () => null,
  });
  const first = gate.admit(id, other);
  gate.drop(id);
  late.resolve(title("members"));
  await first;
  expect(gate.admit(id, other)).rejects.toThrow("no video");
});
