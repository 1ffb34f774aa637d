import { type Migration, Migrator } from "kysely";
import { type Database, migrations } from "./tables.ts";

/**
 * Brings the database to the current schema. `own` are migrations that only this kind of database has. Throws with
 * the name of the migration that failed.
 */
export async function migrate(database: Database, own: Readonly<Record<string, Migration>> = {}): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => ({ ...migrations, ...own }) },
    allowUnorderedMigrations: true,
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find(({ status }) => status === "Error")?.migrationName ?? "the migration table";
  throw new Error(`The database could not be brought up to date: ${failed} failed.`, { cause: error });
}
