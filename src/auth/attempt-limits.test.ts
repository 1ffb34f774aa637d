import { expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import { MemoryAttempts } from "../adapters/memory/memory-attempts.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import { ACCOUNT, ACCOUNT_AND_ADDRESS, ADDRESS, AttemptLimits, CHANGES, READS } from "./attempt-limits.ts";

const password = "correct horse battery";

async function withKinora(run: (kinora: TestKinora) => Promise<void>): Promise<void> {
  const kinora = await startTestKinora({ trustedProxies: ["127.0.0.1"] });
  try {
    await run(kinora);
  } finally {
    await kinora.close();
  }
}

/** Signs in as from this address. */
const signIn = (kinora: TestKinora, address: string, username: string, secret: string, path = "/api/session") =>
  new TestUser(kinora).fetch(path, {
    method: "POST",
    body: JSON.stringify({ username, password: secret }),
    headers: { "Content-Type": "application/json", "X-Forwarded-For": address },
  });

test("guessing from one address ends in 429 with Retry-After, for the right password too; others still get in", async () => {
  await withKinora(async (kinora) => {
    await TestUser.signIn(kinora, "owner");
    const guess = (n: number) => signIn(kinora, "192.0.2.1", "owner", `guess number ${n}`);
    const guesses = await Promise.all(Array.from({ length: ACCOUNT_AND_ADDRESS.max + 5 }, (_, n) => guess(n)));
    const limited = guesses.filter(({ status }) => status === 429);
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(ACCOUNT_AND_ADDRESS.max);
    expect(limited).toHaveLength(5);
    const [answer] = limited;
    expect(Number(answer?.headers.get("Retry-After"))).toBeGreaterThan(200);
    const problem = await answer?.json();
    expect(problem.code).toBe("rate-limited");
    expect(problem.detail).toMatch(/^Too many attempts\. Try again in \d minutes\.$/);
    expect((await signIn(kinora, "192.0.2.1", "owner", password)).status).toBe(429);
    expect((await signIn(kinora, "192.0.2.1", "owner", password, "/api/tokens")).status).toBe(429);
    expect((await signIn(kinora, "192.0.2.2", "owner", password)).status).toBe(200);
  });
});

test("an X-Forwarded-For from nobody we trust does not help to guess on", async () => {
  const kinora = await startTestKinora();
  try {
    await TestUser.signIn(kinora, "owner");
    for (let n = 0; n < ACCOUNT_AND_ADDRESS.max; n++) await signIn(kinora, `192.0.2.${n}`, "owner", "wrong password");
    expect((await signIn(kinora, "192.0.2.250", "owner", "wrong password")).status).toBe(429);
  } finally {
    await kinora.close();
  }
});

test("a right password forgets the failures of its account before it", async () => {
  const limits = new AttemptLimits(new MemoryAttempts());
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < ACCOUNT_AND_ADDRESS.max; n++) await limits.attempt("maria", "192.0.2.1");
    expect(limits.attempt("maria", "192.0.2.1")).rejects.toMatchObject({ code: "rate-limited" });
    await limits.succeeded("maria", "192.0.2.1");
  }
});

test("one address cannot try one password on many accounts", async () => {
  const limits = new AttemptLimits(new MemoryAttempts());
  for (let n = 0; n < ADDRESS.max; n++) await limits.attempt(`user-${n}`, "192.0.2.1");
  expect(limits.attempt("user-last", "192.0.2.1")).rejects.toMatchObject({ code: "rate-limited", status: 429 });
  await limits.attempt("user-last", "192.0.2.2");
});

test("guessing from many addresses ends too, but never keeps out the address that the owner signed in from", async () => {
  const limits = new AttemptLimits(new MemoryAttempts());
  const home = "198.51.100.7";
  await limits.attempt("owner", home);
  await limits.succeeded("owner", home);
  for (let n = 0; n < ACCOUNT.max; n++) await limits.attempt("owner", `10.0.${n >> 8}.${n & 255}`);
  expect(limits.attempt("owner", "203.0.113.9")).rejects.toMatchObject({ code: "rate-limited" });
  for (let n = 0; n < 3; n++) {
    await limits.attempt("owner", home);
    await limits.succeeded("owner", home);
  }
});

test("an admin's changes and reads are limited for each of them, and go on while the counters are away", async () => {
  const limits = new AttemptLimits(new MemoryAttempts());
  for (let n = 0; n < CHANGES.max; n++) await limits.administer("one", true);
  expect(limits.administer("one", true)).rejects.toMatchObject({ code: "rate-limited", status: 429 });
  await limits.administer("two", true);
  for (let n = 0; n < READS.max; n++) await limits.administer("one", false);
  expect(limits.administer("one", false)).rejects.toMatchObject({ code: "rate-limited" });
  const away = () => Promise.reject(new TemporaryUnavailableError("The counters are away."));
  await new AttemptLimits({ add: away, count: away, clear: away }).administer("one", true);
});

test("too many invitations in a minute are 429 with Retry-After, for this admin alone", async () => {
  await withKinora(async (kinora) => {
    const owner = new TestUser(kinora);
    await owner.post("/api/session", { username: "owner", password, setupCode: kinora.firstAdminCode });
    await owner.post("/api/users", { username: "second", password, role: "admin" });
    const second = await TestUser.signIn(kinora, "second");
    const invite = () => owner.post("/api/invites", {});
    const limited: Response[] = [];
    // On a busy machine another minute may begin meanwhile.
    for (let tries = 0; tries < 3 && limited.length === 0; tries++) {
      const answers = await Promise.all(Array.from({ length: CHANGES.max + 1 }, invite));
      limited.push(...answers.filter(({ status }) => status === 429));
    }
    expect(Number(limited[0]?.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect((await second.post("/api/invites", {})).status).toBe(201);
    expect((await owner.get("/api/users")).status).toBe(200);
  });
});
