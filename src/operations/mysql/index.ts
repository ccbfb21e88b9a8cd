/** Databases, users and privileges of MySQL and MariaDB servers, through the `mysql` client. @module */
export { database, type DatabaseArguments } from "./database.ts";
export { privileges, type PrivilegesArguments } from "./privileges.ts";
export { dump, load, sql, type DumpArguments, type LoadArguments, type SqlArguments } from "./transfer.ts";
export { user, type UserArguments } from "./user.ts";
