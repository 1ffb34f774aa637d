import type { Kysely, Migration } from "kysely";

/** All tables by name. Each service owns some; no query of one touches those of another. */
// biome-ignore lint/suspicious/noEmptyInterface: the services' tables are merged in here
export interface Tables {}

export type Database = Kysely<Tables>;

/** All migrations by name; names begin with the date, so that their order is the order they were written in. */
export const migrations: Readonly<Record<string, Migration>> = {};
