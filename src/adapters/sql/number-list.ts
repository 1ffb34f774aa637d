import { type RawBuilder, sql } from "kysely";

/** Whole numbers for an `in (…)`, as text: thousands of parameters would have to be bound one by one. */
export const listOf = (numbers: readonly number[]): RawBuilder<unknown> =>
  sql.raw(numbers.length === 0 ? "null" : numbers.join(","));
