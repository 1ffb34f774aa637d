import { expect, test } from "bun:test";
import { isReadableOnTheWay, serverOrigin } from "./server-address.ts";

test.each([
  ["film.example.org", "https://film.example.org"],
  ["film.example.org:8080", "http://film.example.org:8080"],
  ["https://film.example.org/", "https://film.example.org"],
  ["localhost", "http://localhost"],
  ["nas", "http://nas"],
  ["nas.local", "http://nas.local"],
  ["192.168.1.5", "http://192.168.1.5"],
  [" 127.0.0.1:8080 ", "http://127.0.0.1:8080"],
  ["http://[::1]:8080", "http://[::1]:8080"],
])("%s is taken for %s", (text, origin) => {
  expect(serverOrigin(text)).toBe(origin);
});

test.each(["", "ftp://x", "http://a:b@host", "http://host/path", "http://host?x", "javascript:alert(1)", "a b"])(
  "%j is no server",
  (text) => {
    expect(() => serverOrigin(text)).toThrow();
  },
);

test("what goes there can be read on the way unless it is encrypted or this machine", () => {
  const readable = [
    "http://192.168.1.5",
    "https://192.168.1.5",
    "http://127.0.0.1",
    "http://localhost",
    "http://[::1]:1",
  ];
  expect(readable.map(isReadableOnTheWay)).toEqual([true, false, false, false, false]);
});
