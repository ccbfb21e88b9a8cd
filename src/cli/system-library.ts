/** The C library of the system, where it must be asked for what the runtime does not offer. @module */
import type { FFIFunction, Library } from "bun:ffi";

/** By the names it has on the systems that we build for. */
const NAMES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libc.so.6", `libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`],
  darwin: ["libSystem.B.dylib"],
};

/** Functions of it. Throws where there is none. */
export function systemLibrary<F extends Record<string, FFIFunction>>(functions: F): Library<F>["symbols"] {
  // Few programs need it, and some only when they end, where nothing can be waited for.
  const { dlopen } = import.meta.require("bun:ffi") as typeof import("bun:ffi");
  for (const name of NAMES[process.platform] ?? []) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // It has another name here.
    }
  }
  throw new Error("No library of the system");
}
