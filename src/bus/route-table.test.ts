import { expect, test } from "bun:test";
import { contracts } from "../contracts.ts";
import { ownerOf } from "./route-table.ts";

test.each([
  ["GET", "/", "main"],
  ["GET", "/assets/main.js", "main"],
  ["GET", "/api/services", "main"],
  ["POST", "/api/session", "auth"],
  ["PUT", "/api/session/password", "auth"],
  ["GET", "/api/sessionless", "main"],
  ["GET", "/api/titles", "catalog"],
  ["POST", "/api/titles", "upload"],
  ["POST", "/api/titles/1/tags", "catalog"],
  ["PATCH", "/api/uploads/1", "upload"],
  ["GET", "/stream/1/original", "streaming"],
  ["GET", "/streams", "main"],
] as const)("%s %s belongs to %s", (method, path, owner) => {
  expect(ownerOf(contracts, method, path)).toBe(owner);
});

test("without a contract nothing has an owner", () => {
  expect(ownerOf([], "GET", "/")).toBeNull();
});
