import { Migrator } from "kysely";
import { type Database, migrations } from "./tables.ts";

/** Brings the database to the current schema. Throws with the name of the migration that failed. */
export async function migrate(database: Database): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations },
    allowUnorderedMigrations: true,
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find(({ status }) => status === "Error")?.migrationName ?? "the migration table";
  throw new Error(`The database could not be brought up to date: ${failed} failed.`, { cause: error });
}
