/**
 * Signals end the program even where its own code cannot hear them: while code of a deploy loops without end, or blocks in a call, no handler of
 * ours runs. A few lines of C stand before them (`deaf-signals.c`), made into a program by the compiler in Bun.
 * @module
 */
import { closeSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { EXIT } from "./exit.ts";
import { SHOW_CURSOR } from "./screen.ts";
import { systemLibrary } from "./system-library.ts";
import source from "./deaf-signals.c" with { type: "text" };

/** What stands before the handlers of signals. */
export interface SignalGuard {
  /** Stand before the handler of a signal, which is there. */
  guard(signal: NodeJS.Signals): void;
  /** Stand before what the system does at a signal that stops the program: the terminal gets its cursor back. Once; again when it goes on. */
  guardStop(signal: NodeJS.Signals): void;
  /** A handler of ours was called. */
  heard(): void;
}

/** What the C needs of the system's library, in the order in which it takes them; how they are called does not matter here. */
const REACHED = { sigaction: {}, alarm: {}, poll: {}, write: {}, clock_gettime: {}, _exit: {}, raise: {} } as const;
const FUNCTIONS = { pipe: { args: ["ptr"], returns: "i32" }, ...REACHED } as const;

/**
 * A guard whose `heard` must be called by each handler; one that does nothing where no such program can be made.
 *
 * @param isTerminal Whether standard error is one: its cursor may be hidden when the program ends.
 */
export async function signalGuard(isTerminal: boolean): Promise<SignalGuard> {
  try {
    const { cc, ptr } = await import("bun:ffi");
    const system = systemLibrary(FUNCTIONS);
    // The compiler wants a file. One that has a name could be left behind, or could not be written.
    const ends = new Int32Array(2);
    if (system.pipe(ptr(ends)) !== 0) throw new Error("No pipe");
    const [reader = 0, writer = 0] = ends;
    writeSync(writer, source);
    closeSync(writer);
    try {
      const { symbols } = cc({
        source: `/dev/fd/${reader}`,
        flags: "-nostdlib",
        define: { EXIT_CODE: String(EXIT.interrupted), RESTORED: isTerminal ? cText(SHOW_CURSOR) : '""' },
        symbols: {
          reach: { args: ["ptr"], returns: "void" },
          guard: { args: ["i32"], returns: "void" },
          guard_stop: { args: ["i32"], returns: "void" },
          heard: { args: [], returns: "void" },
        },
      });
      // Bun keeps the address there; its types do not tell.
      const addresses = Object.keys(REACHED).map(name => BigInt(Reflect.get(Reflect.get(system, name), "ptr")));
      symbols.reach(ptr(BigUint64Array.from(addresses)));
      return {
        guard: signal => symbols.guard(constants.signals[signal]),
        guardStop: signal => symbols.guard_stop(constants.signals[signal]),
        heard: () => symbols.heard(),
      };
    } finally {
      closeSync(reader);
    }
  } catch {
    return { guard: () => {}, guardStop: () => {}, heard: () => {} };
  }
}

/** Text as C writes it. */
function cText(text: string): string {
  return `"${Array.from(Buffer.from(text), byte => `\\${byte.toString(8).padStart(3, "0")}`).join("")}"`;
}
