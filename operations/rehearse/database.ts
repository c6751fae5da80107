import initSqlJs, { type Database } from "sql.js";

/** Creates a SQLite database with one row, as many apps keep one in their volume. */
export const databaseWith = async (value: string): Promise<Buffer> =>
  withDatabase(undefined, (database) => {
    database.exec("PRAGMA page_size = 512; CREATE TABLE rehearsal (value TEXT NOT NULL)");
    database.exec("INSERT INTO rehearsal VALUES (?)", [value]);
    return Buffer.from(database.export());
  });

/** Reads the row of such a database; undefined if the database is damaged or is not one. */
export const rowIn = async (content: Uint8Array): Promise<string | undefined> => {
  try {
    return await withDatabase(content, (database) => {
      const single = (query: string): unknown => database.exec(query)[0]?.values[0]?.[0];
      const row = single("SELECT value FROM rehearsal");
      return single("PRAGMA integrity_check") === "ok" && typeof row === "string" ? row : undefined;
    });
  } catch {
    return undefined;
  }
};

const withDatabase = async <T>(content: Uint8Array | undefined, work: (database: Database) => T): Promise<T> => {
  const { Database: SqliteDatabase } = await initSqlJs();
  const database = new SqliteDatabase(content);
  try {
    return work(database);
  } finally {
    database.close();
  }
};
