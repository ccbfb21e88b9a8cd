/** The program from its sources, as a child. */
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** The words that start the program. */
export const CLI: readonly string[] = [process.execPath, MAIN];

/** Its environment, without what would change what it prints. */
export const CLI_ENVIRONMENT = { ...process.env, TSINFRA_DEBUG: "", NO_COLOR: "1" };
