/** Facts about the host itself: its system, users, processes, ports. @module */
export * from "./distribution.ts";
export * from "./host-date.ts";
export * from "./kernel.ts";
export * from "./mounts.ts";
export * from "./ports.ts";
export * from "./processes.ts";
export type { LinuxDistributionAnswer } from "./release-files.ts";
export * from "./system.ts";
export * from "./time.ts";
export * from "./users.ts";
