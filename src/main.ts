/** The program. @module */
import { version } from "../package.json" with { type: "json" };
import { startWithSettings } from "./cli/start.ts";

const args = process.argv.slice(2);
// The most frequent question of all is answered before anything is loaded.
if (args.length === 1 && args[0] === "--version") console.log(version);
else {
  startWithSettings(args);
  const { runCli } = await import("./cli/index.ts");
  const code = await runCli(args, version);
  // Open sockets of a connection that does not answer must not keep the process.
  process.exit(code);
}
