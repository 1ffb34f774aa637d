import { describe } from "bun:test";
import { openNewDatabase } from "../../../test/support/sql-server.ts";
import { type SqlServerKind, sqlServers } from "../../../test/support/sql-servers.ts";
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
import { textIndexSuite } from "../sql/text-index.suite.ts";
import { SqlUploadRecords } from "../sql/upload-tables.ts";

function suites({ name, isWhole, shared }: SqlServerKind) {
  const open = async () => {
    const { database } = await openNewDatabase(await shared());
    return { database, close: () => database.destroy() };
  };
  const openTitles = async () => {
    const { database, close } = await open();
    return { repository: new SqlTitleRepository({ database, indexOf: titleIndexOf }), close };
  };
  titleQueriesSuite(name, openTitles);
  titleOrdersSuite(name, openTitles);
  if (!isWhole) return;
  textIndexSuite(name, async () => (await open()).database);
  titleRepositorySuite(name, openTitles);
  authStoreSuite(name, async () => {
    const { database, close } = await open();
    return { store: new SqlAuthStore(database), close };
  });
  sourceRepositorySuite(name, async () => {
    const { database, close } = await open();
    return { repository: new SqlSourceRepository(database, { upload: "store", library: "library" }), close };
  });
  uploadRecordsSuite(name, async () => {
    const { database, close } = await open();
    return { records: new SqlUploadRecords(database), close };
  });
}

for (const kind of sqlServers) describe.skipIf(!kind.isThere)(`with ${kind.name}`, () => suites(kind));
