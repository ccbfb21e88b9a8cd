/** The host itself: commands, users, its name, services and packages of whatever kind it has. @module */
export * from "./identity.ts";
export * from "./kernel.ts";
export * from "./packages.ts";
export * from "./reboot.ts";
export * from "./service.ts";
export * from "./shell.ts";
export * from "./user.ts";
export * from "./user-authorized-keys.ts";
