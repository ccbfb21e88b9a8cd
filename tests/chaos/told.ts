/** What a run told about every operation on every host, read from its events. @module */
import type { EngineEvent, ErrorReport } from "../../src/engine/events.ts";

export type Results = EngineEvent & { readonly type: "results" };
type Ended = EngineEvent & { readonly type: "operation:host:end" };
type Event = EngineEvent | { readonly type: "error"; readonly error: ErrorReport };

/** One operation on one host, from its start to its end or to that of the run. One that a callback declares may be performed several times. */
export interface Performance {
  readonly operation: string;
  /** Attempts that were told to have failed, or to be tried again. */
  readonly retries: { readonly error: ErrorReport | undefined }[];
  end: Ended | undefined;
}

/** A run as its events tell it. */
export interface Told {
  /** By host, in the order of their starts. */
  readonly performances: ReadonlyMap<string, readonly Performance[]>;
  readonly failed: ReadonlyMap<string, ErrorReport>;
  readonly results: Results | undefined;
  readonly errors: readonly ErrorReport[];
  readonly hasExecuted: boolean;
  /** Lines that are no events. */
  readonly stray: readonly string[];
  /** Ends without a start, and starts within another performance of the same operation. */
  readonly odd: readonly string[];
}

export function toldBy(stdout: string): Told {
  const performances = new Map<string, Performance[]>();
  const failed = new Map<string, ErrorReport>();
  const [errors, stray, odd]: [ErrorReport[], string[], string[]] = [[], [], []];
  let [results, hasExecuted]: [Results | undefined, boolean] = [undefined, false];
  const open = (host: string, operation: string): Performance | undefined =>
    performances.get(host)?.findLast(one => one.operation === operation && !one.end);
  for (const line of stdout.split("\n").filter(Boolean)) {
    const event = eventOf(line);
    if (!event) stray.push(line);
    else if (event.type === "error") errors.push(event.error);
    else if (event.type === "results") results = event;
    else if (event.type === "host:failed") failed.set(event.host, event.error);
    else if (event.type === "stage:start" && event.stage === "execute") hasExecuted = true;
    else if (event.type === "operation:host:start") {
      if (open(event.host, event.operation)) odd.push(`${event.operation} began twice on ${event.host}`);
      const known = performances.get(event.host) ?? [];
      performances.set(event.host, [...known, { operation: event.operation, retries: [], end: undefined }]);
    } else if (event.type === "operation:retry") {
      const performance = open(event.host, event.operation);
      if (performance) performance.retries.push({ error: event.error });
      else odd.push(`${event.operation} is tried again on ${event.host}, where it has not begun`);
    } else if (event.type === "operation:host:end") {
      const performance = open(event.host, event.operation);
      if (performance) performance.end = event;
      else if (event.outcome === "skipped")
        performances.set(event.host, [
          ...(performances.get(event.host) ?? []),
          { operation: event.operation, retries: [], end: event },
        ]);
      else odd.push(`${event.operation} ended on ${event.host}, where it has not begun`);
    }
  }
  return { performances, failed, results, errors, hasExecuted, stray, odd };
}

function eventOf(line: string): Event | undefined {
  try {
    return JSON.parse(line) as Event;
  } catch {
    return undefined;
  }
}
