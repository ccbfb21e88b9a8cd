/** Timers that deploy files make, and where. @module */
import type { CallSite } from "../core/errors.ts";
import { scopeOrNone } from "../core/scope.ts";
import { rememberAsked } from "../core/thrown.ts";
import { callerSite } from "./call-site.ts";

interface Made {
  readonly timer: NodeJS.Timeout & { readonly _destroyed?: boolean };
  readonly at: CallSite;
}

const made = new Set<Made>();
/** With more than this many, those that are over are forgotten. */
const MOST = 1000;

/**
 * From now on, what a deploy file makes with `setTimeout`, `setInterval` and `Bun.sleep` is known; once per process.
 * So is where it asked for an `AbortSignal.timeout`, whose error has no stack.
 * A `Bun.sleep` of a deploy file keeps the program waiting as any timer does, which the runtime's own does not.
 */
export function watchTimers(): void {
  const { setInterval, setTimeout } = globalThis;
  const { sleep } = Bun;
  const watched = <F extends (...given: never[]) => NodeJS.Timeout>(make: F): F => {
    const watching = (...given: never[]): NodeJS.Timeout => {
      const at = scopeOrNone() && callerSite(watching);
      const timer = make(...given);
      if (at) remember({ timer, at });
      return timer;
    };
    // `util.promisify` finds its own way in one of them.
    return Object.defineProperties(watching, Object.getOwnPropertyDescriptors(make)) as unknown as F;
  };
  globalThis.setTimeout = watched(setTimeout);
  globalThis.setInterval = watched(setInterval);
  const sleeping = (until: number | Date): Promise<void> => {
    const at = scopeOrNone() && callerSite(sleeping);
    if (!at) return sleep(until);
    const { promise, resolve } = Promise.withResolvers<void>();
    remember({ timer: setTimeout(resolve, typeof until === "number" ? until : until.getTime() - Date.now()), at });
    return promise;
  };
  Bun.sleep = sleeping;
  const { timeout } = AbortSignal;
  const limiting = (milliseconds: number): AbortSignal => {
    const at = callerSite(limiting);
    const signal = timeout.call(AbortSignal, milliseconds);
    const remembering = (): void => void (at && rememberAsked(signal.reason as Error, at));
    signal.addEventListener("abort", remembering, { once: true });
    return signal;
  };
  AbortSignal.timeout = limiting;
}

/** Where the timers were made that are still to come and keep the program waiting; each place once. */
export function waitingTimers(): readonly CallSite[] {
  forget();
  const places = new Map([...made].filter(({ timer }) => timer.hasRef()).map(({ at }) => [JSON.stringify(at), at]));
  return [...places.values()];
}

function remember(one: Made): void {
  made.add(one);
  if (made.size > MOST) forget();
}

function forget(): void {
  for (const one of made) if (one.timer._destroyed) made.delete(one);
}
