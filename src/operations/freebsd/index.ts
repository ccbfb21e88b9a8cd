/** What FreeBSD has of its own. @module */
export * as freebsdUpdate from "./freebsd-update.ts";
export * as pkg from "./pkg.ts";
export * as service from "./service.ts";
export * as sysrc from "./sysrc.ts";
