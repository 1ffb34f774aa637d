import { describe } from "bun:test";
import { has } from "../../../test/support/debian.ts";
import { newMysqlDatabase } from "../../../test/support/mariadb.ts";
import { authStoreSuite } from "../../auth/auth-store.suite.ts";
import { titleIndexOf } from "../../catalog/title-index.ts";
import { titleOrdersSuite } from "../../catalog/title-orders.suite.ts";
import { titleQueriesSuite } from "../../catalog/title-queries.suite.ts";
import { titleRepositorySuite } from "../../catalog/title-repository.suite.ts";
import { sourceRepositorySuite } from "../../streaming/source-repository.suite.ts";
import { uploadRecordsSuite } from "../../upload/upload-records.suite.ts";
import { SqlAuthStore } from "../sql/sql-auth-store.ts";
import { SqlSourceRepository } from "../sql/sql-source-repository.ts";
import { SqlTitleRepository } from "../sql/sql-title-repository.ts";
import { SqlUploadRecords } from "../sql/upload-tables.ts";

const open = async () => {
  const { database } = await newMysqlDatabase();
  return { database, close: () => database.destroy() };
};
const openTitles = async () => {
  const { database, close } = await open();
  return { repository: new SqlTitleRepository({ database, indexOf: titleIndexOf }), close };
};

describe.skipIf(!has("mariadbd"))("with MariaDB", () => {
  authStoreSuite("MariaDB", async () => {
    const { database, close } = await open();
    return { store: new SqlAuthStore(database), close };
  });
  titleRepositorySuite("MariaDB", openTitles);
  titleQueriesSuite("MariaDB", openTitles);
  titleOrdersSuite("MariaDB", openTitles);
  sourceRepositorySuite("MariaDB", async () => {
    const { database, close } = await open();
    return { repository: new SqlSourceRepository(database, { upload: "store", library: "library" }), close };
  });
  uploadRecordsSuite("MariaDB", async () => {
    const { database, close } = await open();
    return { records: new SqlUploadRecords(database), close };
  });
});
