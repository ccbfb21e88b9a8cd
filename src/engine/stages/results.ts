/** Counting what happened. @module */
import type { EngineEvent, HostSummary, OutcomeType } from "../events.ts";
import type { HostState } from "../host-state.ts";
import type { Ending } from "../operation/attempt.ts";
import type { PlannedOperation } from "./plan.ts";
import { reportError } from "../report.ts";

type Counts = Record<OutcomeType, number>;

/** The outcomes of a run, by operation and by host. */
export class Results {
  readonly #planned: readonly PlannedOperation[];
  readonly #byOperation = new Map<PlannedOperation, Counts & { seconds: number; unfinished: number }>();
  readonly #byHost = new Map<HostState, Counts>();
  readonly #begun = new Set<PlannedOperation>();

  constructor(planned: readonly PlannedOperation[]) {
    this.#planned = planned;
  }

  begin(operation: PlannedOperation): void {
    this.#begun.add(operation);
  }
  /** True once any host began it. */
  hasRun(operation: PlannedOperation): boolean {
    return this.#begun.has(operation);
  }

  add(operation: PlannedOperation, host: HostState, { outcome, unfinished }: Ending, seconds: number): void {
    const ofOperation = this.#byOperation.get(operation) ?? { ...noCounts(), seconds: 0, unfinished: 0 };
    ofOperation[outcome]++;
    if (unfinished) ofOperation.unfinished++;
    ofOperation.seconds = Math.max(ofOperation.seconds, seconds);
    this.#byOperation.set(operation, ofOperation);
    const ofHost = this.#byHost.get(host) ?? noCounts();
    ofHost[outcome]++;
    this.#byHost.set(host, ofHost);
  }

  /** `isWhole`: the run was not interrupted. */
  event(hosts: readonly HostState[], seconds: number, isWhole: boolean): EngineEvent {
    const operations = this.#planned.map(operation => {
      const counts = this.#byOperation.get(operation) ?? { ...noCounts(), seconds: 0, unfinished: 0 };
      const key = operation.key === undefined ? {} : { key: operation.key };
      return {
        operation: operation.name,
        id: operation.id,
        ...key,
        hosts: operation.calls.length,
        ...counts,
        notReached: operation.calls.length - reached(counts),
      };
    });
    const summaries = hosts.map((host): HostSummary => {
      const counts = this.#byHost.get(host) ?? noCounts();
      const { changed, unchanged, failed, ignored, interrupted } = counts;
      return {
        host: host.name,
        changed,
        unchanged,
        failed,
        ignored,
        interrupted,
        notReached: host.calls.length - reached(counts),
        ...(host.error ? { error: reportError(host.error) } : {}),
      };
    });
    return { type: "results", operations, hosts: summaries, seconds, ok: isWhole && hosts.every(host => !host.error) };
  }
}

const noCounts = (): Counts => ({ changed: 0, unchanged: 0, skipped: 0, failed: 0, ignored: 0, interrupted: 0 });

const reached = ({ changed, unchanged, skipped, failed, ignored, interrupted }: Counts): number =>
  changed + unchanged + skipped + failed + ignored + interrupted;
