import { authStoreSuite } from "../../auth/auth-store.suite.ts";
import { sourceRepositorySuite } from "../../streaming/source-repository.suite.ts";
import { uploadRecordsSuite } from "../../upload/upload-records.suite.ts";
import { openDatabase } from "../sql/open-database.ts";
import { SqlAuthStore } from "../sql/sql-auth-store.ts";
import { SqlSourceRepository } from "../sql/sql-source-repository.ts";
import { SqlUploadRecords } from "../sql/upload-tables.ts";

const open = async () => {
  const { database } = await openDatabase({ kind: "sqlite", path: ":memory:" });
  return { database, close: () => database.destroy() };
};

authStoreSuite("SQLite", async () => {
  const { database, close } = await open();
  return { store: new SqlAuthStore(database), close };
});
sourceRepositorySuite("SQLite", async () => {
  const { database, close } = await open();
  return { repository: new SqlSourceRepository(database, { upload: "store", library: "library" }), close };
});
uploadRecordsSuite("SQLite", async () => {
  const { database, close } = await open();
  return { records: new SqlUploadRecords(database), close };
});
