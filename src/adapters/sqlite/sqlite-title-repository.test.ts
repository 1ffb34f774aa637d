import { sqliteTitles } from "../../../test/support/catalog.ts";
import { titleQueriesSuite } from "../../catalog/title-queries.suite.ts";
import { titleRepositorySuite } from "../../catalog/title-repository.suite.ts";

const open = async () => {
  const { repository, database } = await sqliteTitles();
  return { repository, close: () => database.destroy() };
};

titleRepositorySuite("SQLite", open);
titleQueriesSuite("SQLite", open);
