/**
 * A second signal ends the program even where its own code cannot: while a deploy file loops without end, no handler of ours runs.
 *
 * The system itself is told to forget a handler once it was called (`SA_RESETHAND`, sigaction(2)); whoever handles the first signal asks for it
 * again. Nothing changes where the system's library cannot be reached.
 * @module
 */
import { constants } from "node:os";

/** Where the flags stand in `struct sigaction`, and what the flag is. */
const LAYOUTS: Partial<
  Record<NodeJS.Platform, { readonly library: readonly string[]; readonly at: number; readonly flag: number }>
> = {
  linux: {
    library: ["libc.so.6", `libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`],
    at: 136,
    flag: 0x80000000,
  },
  darwin: { library: ["libSystem.B.dylib"], at: 12, flag: 0x0004 },
};
/** No `struct sigaction` is longer. */
const MOST_BYTES = 256;

/** Say of a signal, which has a handler, whether the program ends when it comes a second time before this is called again. */
export type SecondEnds = (signal: NodeJS.Signals, isOn: boolean) => void;

/** Reach for the system's library. */
export async function secondSignal(): Promise<SecondEnds> {
  const layout = LAYOUTS[process.platform];
  if (!layout) return () => {};
  const { dlopen, ptr } = await import("bun:ffi");
  const symbols = { sigaction: { args: ["i32", "ptr", "ptr"], returns: "i32" } } as const;
  for (const name of layout.library) {
    try {
      const { sigaction } = dlopen(name, symbols).symbols;
      const actions = new Map<NodeJS.Signals, Uint8Array>();
      return (signal, isOn) => {
        const number = constants.signals[signal];
        // As it was at first: once it was called, the system has forgotten it.
        const action = actions.get(signal) ?? new Uint8Array(MOST_BYTES);
        if (!actions.has(signal) && sigaction(number, null, ptr(action)) !== 0) return;
        actions.set(signal, action);
        const flags = new DataView(action.buffer);
        const others = flags.getUint32(layout.at, true) & ~layout.flag;
        flags.setUint32(layout.at, (isOn ? others | layout.flag : others) >>> 0, true);
        sigaction(number, ptr(action), null);
      };
    } catch {
      // Another system has it under another name.
    }
  }
  return () => {};
}
