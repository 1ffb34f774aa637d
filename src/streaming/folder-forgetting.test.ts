import { expect, test } from "bun:test";
import pino from "pino";
import { FolderForgetting } from "./folder-forgetting.ts";

/** Titles that cannot be forgotten: whoever tries waits until `fail` is called. */
function failing() {
  const tried = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let tries = 0;
  const forgetting = new FolderForgetting({
    sources: { listIn: async () => ["a"], removeFrom: async () => undefined },
    store: {
      listForgetting: async () => [],
      beginForgetting: async () => undefined,
      endForgetting: async () => undefined,
    },
    log: pino({ level: "silent" }),
    forgetTitles: () => {
      tries++;
      tried.resolve();
      return answer.promise;
    },
    forgetIndex: async () => undefined,
    announced: async () => undefined,
  });
  return { forgetting, tried: tried.promise, fail: () => answer.reject(new Error("away")), tries: () => tries };
}

test("a stop does not wait for the next try, whether it comes before or after the last one has failed", async () => {
  const [before, after] = [failing(), failing()];
  for (const { forgetting, tried } of [before, after]) {
    await forgetting.begin("/films");
    await tried;
  }
  const began = performance.now();
  after.fail();
  await Bun.sleep(20);
  const closed = [before.forgetting.close(), after.forgetting.close()];
  before.fail();
  await Promise.all(closed);
  // The next try would be after 3 s.
  expect(performance.now() - began).toBeLessThan(2_500);
  expect([before.tries(), after.tries()]).toEqual([1, 1]);
  expect(after.forgetting.folders).toEqual([]);
});
