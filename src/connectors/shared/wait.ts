/** Waiting that can be called off. @module */
import { onAbort } from "../../core/abort.ts";

/** Wait; rejects with the signal's reason when aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  using _ = onAbort(signal, () => reject(signal?.reason));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** True once the promise has settled, false if that takes longer than `milliseconds`. */
export async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, milliseconds, false);
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** The delay before try number `attempt` (counted from 1), in milliseconds: doubling, and random so that many hosts do not come back together. */
export function backOff(attempt: number, { first, most }: { readonly first: number; readonly most: number }): number {
  const longest = Math.min(most, first * 2 ** (attempt - 1));
  return longest * (0.5 + Math.random() / 2);
}
