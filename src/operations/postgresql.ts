/** Older names of `postgres`. @module */
import * as postgres from "./postgres.ts";
import { renamed } from "./shared/renamed.ts";

/**
 * Older name of `postgres.sql`.
 * @deprecated Use `postgres.sql`.
 * @example
 * postgresql.sql({ sql: "SELECT 1" });
 */
export const sql = renamed("postgresql.sql", postgres.sql);

/**
 * Older name of `postgres.role`.
 * @deprecated Use `postgres.role`.
 * @example
 * postgresql.role({ role: "app" });
 */
export const role = renamed("postgresql.role", postgres.role);

/**
 * Older name of `postgres.database`.
 * @deprecated Use `postgres.database`.
 * @example
 * postgresql.database({ database: "app", owner: "app" });
 */
export const database = renamed("postgresql.database", postgres.database);

/**
 * Older name of `postgres.dump`.
 * @deprecated Use `postgres.dump`.
 * @example
 * postgresql.dump({ dest: "/var/backups/app.sql", psqlDatabase: "app" });
 */
export const dump = renamed("postgresql.dump", postgres.dump);

/**
 * Older name of `postgres.load`.
 * @deprecated Use `postgres.load`.
 * @example
 * postgresql.load({ src: "/var/backups/app.sql", psqlDatabase: "app" });
 */
export const load = renamed("postgresql.load", postgres.load);
