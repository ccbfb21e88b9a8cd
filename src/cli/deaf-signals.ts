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

/** The system's library, by the names it has on the systems that we build for. */
const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libc.so.6", `libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`],
  darwin: ["libSystem.B.dylib"],
};
/** What is needed of it, in the order in which the program takes it; how they are called does not matter here. */
const FUNCTIONS = ["sigaction", "alarm", "poll", "write", "clock_gettime", "_exit"] as const;

/** A guard whose `heard` must be called by each handler; one that does nothing where no such program can be made. */
export async function signalGuard(): Promise<SignalGuard> {
  let directory: string | undefined;
  try {
    const { cc, ptr } = await import("bun:ffi");
    // The compiler reads a file: in a directory that nobody else can look into.
    directory = mkdtempSync(join(tmpdir(), "tsinfra-"));
    const file = join(directory, "deaf-signals.c");
    writeFileSync(file, source);
    const { symbols } = cc({
      source: file,
      flags: "-nostdlib",
      define: { EXIT_CODE: String(EXIT.interrupted) },
      symbols: {
        reach: { args: ["ptr"], returns: "void" },
        guard: { args: ["i32"], returns: "void" },
        heard: { args: [], returns: "void" },
      },
    });
    symbols.reach(ptr(await addresses()));
    return { guard: signal => symbols.guard(constants.signals[signal]), heard: () => symbols.heard() };
  } catch {
    return { guard: () => {}, heard: () => {} };
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** Where the functions stand in memory. Throws where there is no such library. */
async function addresses(): Promise<BigUint64Array> {
  const { dlopen } = await import("bun:ffi");
  const declared = Object.fromEntries(FUNCTIONS.map(name => [name, {}]));
  const opened = (LIBRARIES[process.platform] ?? []).flatMap(library => {
    try {
      return [dlopen(library, declared).symbols];
    } catch {
      // It has another name here.
      return [];
    }
  });
  // Bun keeps the address there; its types do not tell.
  return BigUint64Array.from(FUNCTIONS, name => BigInt(Reflect.get(opened[0]![name]!, "ptr") as number));
}
