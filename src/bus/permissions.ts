import type { AnyContract, ServiceName } from "./contract.ts";

/** What one service may do on the bus. */
export interface ServicePermissions {
  readonly publish: ReadonlySet<string>;
  readonly subscribe: ReadonlySet<string>;
  readonly call: ReadonlySet<ServiceName>;
}

export type PermissionTable = ReadonlyMap<ServiceName, ServicePermissions>;

/** Derives the one table of who may publish, subscribe to and call what from the contracts. */
export function permissionsOf(contracts: readonly AnyContract[]): PermissionTable {
  return new Map(
    contracts.map((contract) => [
      contract.name,
      {
        publish: new Set(contract.publishes),
        subscribe: new Set(contract.subscribes),
        call: new Set(contract.calls),
      },
    ]),
  );
}
