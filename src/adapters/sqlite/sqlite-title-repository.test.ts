import { sql } from "kysely";
import { sqliteTitles } from "../../../test/support/catalog.ts";
import { titleOrdersSuite } from "../../catalog/title-orders.suite.ts";
import { titleQueriesSuite } from "../../catalog/title-queries.suite.ts";
import { titleRepositorySuite } from "../../catalog/title-repository.suite.ts";
import { textIndexSuite } from "../sql/text-index.suite.ts";

const open = async () => {
  const { repository, database } = await sqliteTitles();
  return { repository, close: () => database.destroy() };
};

titleRepositorySuite("SQLite", open);
titleQueriesSuite("SQLite", open);
textIndexSuite("SQLite", async () => (await sqliteTitles()).database);
titleOrdersSuite("SQLite", async () => {
  const { repository, database } = await sqliteTitles();
  // Their numbers begin in the text index's first rows and end in its second ones.
  await sql`insert into sqlite_sequence (name, seq) values (${"title_keys"}, ${7_500})`.execute(database);
  return { repository, close: () => database.destroy() };
});
