import { expect, test } from "bun:test";
import { warmUp } from "./warm-up.ts";

test("the film that is made up to have code compiled can be indexed and packaged, with turns for others", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await warmUp();
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});
