/** Waiting that can be called off. @module */

/** Call `listener` when the signal is aborted, at once if it is already; disposing takes it back. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): Disposable {
  if (signal?.aborted) listener();
  else signal?.addEventListener("abort", listener, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", listener) };
}

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

/** The promise, unless the signal is aborted before; then rejects with its reason. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _ = onAbort(signal, () => reject(signal.reason));
  return await Promise.race([promise, aborted]);
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
