import type { Role } from "../../auth/contract.ts";

export type { Role };

/** Roles, the one with the fewest rights first; the contract's own list would bring its schemas along. */
export const roles = ["viewer", "editor", "admin"] as const satisfies readonly Role[];

/** The role in a form; a viewer's when there is none. */
export const roleIn = (fields: FormData): Role => roles.find((role) => role === fields.get("role")) ?? "viewer";
