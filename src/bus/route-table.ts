import type { AnyContract, Route, ServiceName } from "./contract.ts";

const covers = (route: Route, method: string, path: string) =>
  (route.methods === undefined || route.methods.includes(method)) &&
  (path === route.path || (!route.exact && path.startsWith(route.path.endsWith("/") ? route.path : `${route.path}/`)));

/**
 * The service whose contract declares an address: the longest path wins, and among equals the one that names methods.
 * Null when none does.
 */
export function ownerOf(contracts: readonly AnyContract[], method: string, path: string): ServiceName | null {
  const candidates = contracts.flatMap(({ name, routes }) =>
    routes.filter((route) => covers(route, method, path)).map((route) => ({ name, route })),
  );
  const rank = ({ route }: { route: Route }) => route.path.length * 2 + (route.methods ? 1 : 0);
  return candidates.sort((a, b) => rank(b) - rank(a))[0]?.name ?? null;
}
