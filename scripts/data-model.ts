import { sql } from "kysely";
import { openDatabase } from "../src/adapters/sql/open-database.ts";

/** Which service owns a table, by the beginning of its name. */
const owners: readonly (readonly [prefix: string, service: string])[] = [
  ["auth_", "auth"],
  ["title", "catalog"],
  ["folders", "catalog"],
  ["collection", "catalog"],
  ["catalog_", "catalog"],
  ["upload", "upload"],
  ["sources", "streaming"],
  ["library_", "streaming"],
];

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
}

interface Key {
  readonly table: string;
  readonly from: string;
}

const INTERNAL = /^(kysely_|sqlite_)/;

/** `docs/data-model.md`: the tables as the migrations make them, with an ER diagram. */
export async function dataModelPage(): Promise<string> {
  const { database } = await openDatabase({ kind: "sqlite", path: ":memory:" });
  const { rows: tables } = await sql<{ name: string }>`
    select name from sqlite_master where type = 'table' order by name`.execute(database);
  const relations: string[] = [];
  const entities: string[] = [];
  for (const { name } of tables.filter((table) => !INTERNAL.test(table.name))) {
    const columns = await sql<Column>`select name, type, "notnull", pk from pragma_table_info(${name})`.execute(
      database,
    );
    const keys = await sql<Key>`select "table", "from" from pragma_foreign_key_list(${name})`.execute(database);
    const foreign = new Set(keys.rows.map(({ from }) => from));
    const unique = await uniqueColumns(database, name);
    relations.push(...keys.rows.map(({ table, from }) => `  ${table} ||--o{ ${name} : "${from}"`));
    entities.push(
      `  ${name} {`,
      ...columns.rows.map((column) => {
        const marks = [
          ...(column.pk > 0 ? ["PK"] : []),
          ...(foreign.has(column.name) ? ["FK"] : []),
          ...(unique.has(column.name) && column.pk === 0 ? ["UK"] : []),
        ].join(", ");
        const type = column.type.replace(/\((\d+)\)/, "_$1").replace(/\W+/g, "_");
        const optional = column.notnull || column.pk > 0 ? "" : ' "may be null"';
        return `    ${type} ${column.name}${marks && ` ${marks}`}${optional}`;
      }),
      "  }",
    );
  }
  await database.destroy();
  const services = [...new Set(owners.map(([, service]) => service))];
  const owned = services.map((service) => {
    const prefixes = owners.filter(([, owner]) => owner === service).map(([prefix]) => prefix);
    const names = tables.filter(({ name }) => !INTERNAL.test(name) && prefixes.some((one) => name.startsWith(one)));
    return `| ${service} | ${names.map(({ name }) => `\`${name}\``).join(", ")} |`;
  });
  return page(owned, [...relations, ...entities]);
}

async function uniqueColumns(database: Awaited<ReturnType<typeof openDatabase>>["database"], table: string) {
  const { rows } = await sql<{ column: string }>`
    select i.name as "column" from pragma_index_list(${table}) as l join pragma_index_info(l.name) as i
    where l."unique" = 1 group by l.name having count(*) = 1`.execute(database);
  return new Set(rows.map(({ column }) => column));
}

const page = (owned: readonly string[], diagram: readonly string[]) => `# Data model

Written by \`npm run docs\` from the schema that the migrations make; a test compares them. The migrations are written
once for all databases (\`src/adapters/sql/*-tables.ts\`).

One database; each table belongs to one service, and no query of one service touches another's tables. The owner of a
title, an upload or a source is a user's id without a foreign key: services may have databases of their own.

| service | tables |
|---|---|
${owned.join("\n")}

\`\`\`mermaid
erDiagram
${diagram.join("\n")}
\`\`\`

- Ids are UUIDv7. \`media_id\` is the SHA-256 of the content in hex. \`seq\` is a title's place in time: the
  milliseconds of its creation times 2,048, plus a counter.
- Times are milliseconds since 1970 or ISO 8601 text; in better-auth's tables (\`auth_users\`, \`auth_sessions\`,
  \`auth_accounts\`, \`auth_verifications\`, \`auth_api_keys\`) they are ISO text on SQLite and \`datetime(3)\` in UTC
  on MySQL and MariaDB.
- Types above are SQLite's. On MySQL and MariaDB \`seq\` is a \`bigint\`, text is utf8mb4 with a collation in which
  only equal text is equal (\`utf8mb4_0900_bin\`, \`utf8mb4_nopad_bin\`), and \`sources\` has \`path_hash\`, which makes
  a file unique however long its path is.
- The text index belongs to the catalog and is made from the titles: \`title_keys\` numbers them, \`title_postings\` has for each term
  and 8,192 titles the set of numbers that have it, \`title_columns\` what titles are sorted by; \`title_versions\` tells what has changed.
`;
