import { expect, test } from "bun:test";
import pino from "pino";
import { TemporaryUnavailableError } from "../errors.ts";
import { createApp } from "./app.ts";

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
  readonly err?: unknown;
}

/** A request whose route throws: its answer, and what was logged. */
async function failing(error: unknown): Promise<{ answer: Response; lines: Line[] }> {
  const lines: Line[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const app = createApp();
  app.use(async (c, next) => {
    c.set("log", log);
    await next();
  });
  app.get("/", () => {
    throw error;
  });
  return { answer: await app.request("/"), lines };
}

const away = new TemporaryUnavailableError("The database cannot be reached right now.");

test("what is away is one line without a stack; anything unexpected is an error with one", async () => {
  const expected = await failing(away);
  expect(expected.answer.status).toBe(503);
  expect(expected.lines).toMatchObject([{ level: 30, msg: "request failed", reason: away.message }]);
  expect(expected.lines[0]?.err).toBeUndefined();
  const unexpected = await failing(new Error("a mistake"));
  expect(unexpected.answer.status).toBe(500);
  expect(unexpected.lines).toMatchObject([{ level: 50, err: { message: "a mistake" } }]);
});

test("a library that failed because something was away is a 503 as well, with Retry-After", async () => {
  const { answer, lines } = await failing(new Error("Failed to get session", { cause: away }));
  expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "2"]);
  expect(lines).toMatchObject([{ level: 30, reason: away.message }]);
});
