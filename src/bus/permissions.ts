import type { AnyContract, ServiceName } from "./contract.ts";

/** What one service may do on the bus. */
export interface ServicePermissions {
  readonly publish: ReadonlySet<string>;
  readonly subscribe: ReadonlySet<string>;
  /** Topics it may subscribe to durably. */
  readonly durable: ReadonlySet<string>;
  readonly call: ReadonlySet<ServiceName>;
}

export type PermissionTable = ReadonlyMap<ServiceName, ServicePermissions>;

/** Topics that some service subscribes to durably: their events are kept until it has handled them. */
export const durableTopics = (table: PermissionTable): ReadonlySet<string> =>
  new Set([...table.values()].flatMap(({ durable }) => [...durable]));

/** Derives the one table of who may publish, subscribe to and call what from the contracts. */
export function permissionsOf(contracts: readonly AnyContract[]): PermissionTable {
  return new Map(
    contracts.map((contract) => [
      contract.name,
      {
        publish: new Set(contract.publishes),
        subscribe: new Set(contract.subscribes),
        durable: new Set(contract.durable),
        call: new Set(contract.calls),
      },
    ]),
  );
}
