/**
 * Signals end the program even where its own code cannot hear them: while code of a deploy loops without end, or blocks in a call, no handler of
 * ours runs. A few lines of C stand before them (`deaf-signals.c`), made into a program by the compiler in Bun.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "./exit.ts";
import source from "./deaf-signals.c" with { type: "text" };

/** What stands before the handlers of signals. */
export interface SignalGuard {
  /** Stand before the handler of a signal, which is there. */
  guard(signal: NodeJS.Signals): void;
  /** A handler of ours was called. */
  heard(): void;
}

/** A guard whose `heard` must be called by each handler; one that does nothing where no such program can be made. */
export async function signalGuard(): Promise<SignalGuard> {
  const { cc } = await import("bun:ffi");
  let directory: string | undefined;
  try {
    // The compiler reads a file: in a directory that nobody else can look into.
    directory = mkdtempSync(join(tmpdir(), "tsinfra-"));
    const file = join(directory, "deaf-signals.c");
    writeFileSync(file, source);
    const { symbols } = cc({
      source: file,
      define: { EXIT_CODE: String(EXIT.interrupted) },
      symbols: { guard: { args: ["i32"], returns: "void" }, heard: { args: [], returns: "void" } },
    });
    return { guard: signal => symbols.guard(constants.signals[signal]), heard: () => symbols.heard() };
  } catch {
    return { guard: () => {}, heard: () => {} };
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}
