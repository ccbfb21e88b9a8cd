/** Names that operations have elsewhere or had before. @module */

/** Old name to the name to use. The old one works and says so. */
export const OPERATION_ALIASES: Readonly<Record<string, string>> = {
  "postgresql.database": "postgres.database",
  "postgresql.dump": "postgres.dump",
  "postgresql.load": "postgres.load",
  "postgresql.role": "postgres.role",
  "postgresql.sql": "postgres.sql",
  "python.call": "ts.call",
  "python.raiseException": "ts.throwError",
};
