/** Waits until `probe` answers with something; throws after `timeoutMs`, with what is `seen` instead. */
export async function until<T>(
  probe: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  timeoutMs = 10_000,
  seen?: () => Promise<unknown>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) {
      const state = seen ? `; there is ${JSON.stringify(await seen())}` : "";
      throw new Error(`nothing within ${timeoutMs} ms${state}`);
    }
    await Bun.sleep(10);
  }
}

/** Waits until a number has stood still for `forMs`, as of packets once nobody sends any more, and returns it. */
export async function resting(count: () => number, forMs = 300, timeoutMs = 10_000): Promise<number> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; ) {
    const before = count();
    await Bun.sleep(forMs);
    if (count() === before) return before;
  }
  throw new Error(`it does not stand still within ${timeoutMs} ms; it is ${count()}`);
}
