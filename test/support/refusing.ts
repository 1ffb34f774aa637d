import type { AnyContract } from "../../src/bus/contract.ts";
import type { Handlers } from "../../src/bus/proxy.ts";

/** Handlers of a contract that refuse every operation: a fake names the few that its test is about after these. */
export function refusing<C extends AnyContract>({ operations }: C): Handlers<C> {
  const refuse = () => Promise.reject(new Error("not part of this test"));
  return Object.fromEntries(Object.keys(operations).map((name) => [name, refuse])) as unknown as Handlers<C>;
}
