/** The program. @module */
import { version } from "../package.json" with { type: "json" };
import { writeSync } from "node:fs";
import { closedStreams } from "./cli/closed-streams.ts";
import { startWithSettings } from "./cli/start.ts";

const args = process.argv.slice(2);
const closed = closedStreams();
// The most frequent question of all is answered before anything is loaded; where it cannot be, the long way tells why.
if (!(args.length === 1 && args[0] === "--version" && closed.length === 0 && isWritten(`${version}\n`))) {
  const hasSettings = startWithSettings(args, closed);
  const { processIo, runCli } = await import("./cli/index.ts");
  // Not awaited: a module that is not through keeps the process from ever being idle.
  // Open sockets of a connection that does not answer must not keep the process.
  void runCli(args, version, processIo(closed, hasSettings)).then(code => process.exit(code));
}

function isWritten(text: string): boolean {
  try {
    return writeSync(1, text) === text.length;
  } catch {
    return false;
  }
}
