import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSecrets } from "./secrets.ts";

let data = "";
const warnings: string[] = [];
const warn = (message: string) => warnings.push(message);
const path = () => join(data, "secrets.json");
const mode = () => statSync(path()).mode & 0o777;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "kinora-secrets-"));
  warnings.length = 0;
});
afterEach(() => rmSync(data, { recursive: true }));

test("secrets are made on first start, differ from each other, and stay", () => {
  const first = loadSecrets(data, warn);
  expect(first.authSecret).toHaveLength(43);
  expect(first.authSecret).not.toBe(first.cursorSecret);
  expect(loadSecrets(data, warn)).toEqual(first);
  expect(mode()).toBe(0o600);
  expect(readdirSync(data)).toEqual(["secrets.json"]);
});

test("a file that others may read is closed to them, with a warning", () => {
  loadSecrets(data, warn);
  chmodSync(path(), 0o644);
  loadSecrets(data, warn);
  expect(mode()).toBe(0o600);
  expect(warnings).toHaveLength(1);
});

test("a secret that a newer version needs is added, and the others are kept, also unknown ones", () => {
  const { authSecret } = loadSecrets(data, warn);
  writeFileSync(path(), JSON.stringify({ authSecret, later: "x" }));
  const { cursorSecret } = loadSecrets(data, warn);
  expect(JSON.parse(readFileSync(path(), "utf8"))).toEqual({ authSecret, cursorSecret, later: "x" });
});

test.each(["", "[]", '{"authSecret":"short"}', '{"authSecret":1}'])("a damaged file stops the start: %p", (text) => {
  writeFileSync(path(), text);
  expect(() => loadSecrets(data, warn)).toThrow(/secrets \(file .*secrets\.json\): cannot be used/);
  expect(readFileSync(path(), "utf8")).toBe(text);
});
