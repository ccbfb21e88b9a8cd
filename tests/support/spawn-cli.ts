/** The program as a child. @module */
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** The words that start the program. */
export const CLI: readonly string[] = [process.execPath, MAIN];

/** Its environment, without what would change what it prints. */
export const CLI_ENVIRONMENT = { ...process.env, TSINFRA_DEBUG: "", NO_COLOR: "1", CI: "" };

/** Run a program in a directory to its end, with nobody at a keyboard: what it printed, and its exit code. */
export async function runToEnd(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>> = CLI_ENVIRONMENT,
) {
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}
