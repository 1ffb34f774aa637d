import { expect, test } from "bun:test";
import { t } from "../i18n/i18n.ts";
import { describeStreamTrouble } from "./player-errors.ts";

test.each([
  [{ status: 401 }, false, "player.signed-out"],
  [{ status: 401 }, true, "player.link-over"],
  [{ status: 404 }, false, "player.gone"],
  [{ status: 429 }, false, "player.busy"],
  [{ status: 503 }, false, "player.away"],
  [{ status: 504 }, true, "player.away"],
  ["connection", false, "player.lost"],
  ["browser", false, "player.stopped"],
] as const)("a stream that ends by %p (by a link: %p) is told as %s", (trouble, byLink, key) => {
  expect(describeStreamTrouble(trouble, byLink)).toBe(t(key));
});
