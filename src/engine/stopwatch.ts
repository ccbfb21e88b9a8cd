/** How long something takes. @module */
import type { Clock } from "./settings.ts";

/** Started now; each call gives the seconds since then, whatever happens to the date meanwhile. */
export function stopwatch(clock: Clock): () => number {
  const started = clock.monotonic();
  return () => (clock.monotonic() - started) / 1000;
}
