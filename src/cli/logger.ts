/** Notes and warnings of the command line itself. @module */
import { createConsola, LogLevels } from "consola/core";

/** How much a note matters. */
export type NoteLevel = "info" | "warn";

/** Takes notes; the same one in quick succession is told once, with how often it came. */
export interface Notes {
  info(message: string): void;
  warn(message: string): void;
}

/** Notes that go to `tell`, a line each. */
export function createNotes(tell: (level: NoteLevel, message: string) => void): Notes {
  const consola = createConsola({
    level: LogLevels.info,
    reporters: [{ log: ({ args, type }) => tell(type === "warn" ? "warn" : "info", args.map(String).join(" ")) }],
  });
  return { info: message => consola.info(message), warn: message => consola.warn(message) };
}
