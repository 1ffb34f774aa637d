import { authContract } from "./auth/contract.ts";
import type { AnyContract } from "./bus/contract.ts";
import { catalogContract } from "./catalog/contract.ts";
import { mainContract } from "./main/contract.ts";
import { streamingContract } from "./streaming/contract.ts";
import { uploadContract } from "./upload/contract.ts";

/** All contracts: the source of the permission table and of the routes. */
export const contracts: readonly AnyContract[] = [
  mainContract,
  authContract,
  catalogContract,
  uploadContract,
  streamingContract,
];
