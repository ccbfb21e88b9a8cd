/** Many hosts at once, but not too many. @module */

/** Call `body` for every item in order, at most `limit` at once (`0`: all). Rejects with the first rejection once all that began have ended. */
export async function forEachHost<T>(
  items: readonly T[],
  limit: number,
  body: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      await body(items[next++]!).catch((error: unknown) => errors.push(error));
    }
  };
  const workers = limit > 0 ? Math.min(limit, items.length) : items.length;
  await Promise.all(Array.from({ length: workers }, worker));
  if (errors.length > 0) throw errors[0];
}
