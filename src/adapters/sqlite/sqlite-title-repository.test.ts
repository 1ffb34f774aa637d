import { sqliteTitles } from "../../../test/support/catalog.ts";
import { titleQueriesSuite } from "../../catalog/title-queries.suite.ts";

const open = async () => {
  const { repository, database } = await sqliteTitles();
  return { repository, close: () => database.destroy() };
};

titleQueriesSuite("SQLite", open);
