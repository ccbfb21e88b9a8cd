/** Counting what happened. @module */
import type { EngineEvent, HostSummary } from "../events.ts";
import type { HostState } from "../host-state.ts";
import type { Ending } from "../operation/attempt.ts";
import type { PlannedOperation } from "./plan.ts";
import { reportError } from "../report.ts";
import { Tally, total } from "../tally.ts";

/** The outcomes of a run, by operation and by host. */
export class Results {
  readonly #planned: readonly PlannedOperation[];
  readonly #tally = new Tally<PlannedOperation, HostState>();
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
    this.#tally.add(operation, host, { outcome, unfinished, seconds });
  }

  /** `isWhole`: the run was not interrupted. */
  event(hosts: readonly HostState[], seconds: number, isWhole: boolean): EngineEvent & { readonly type: "results" } {
    const operations = this.#planned.map(operation => {
      const counts = this.#tally.ofOperation(operation);
      const key = operation.key === undefined ? {} : { key: operation.key };
      return {
        operation: operation.name,
        id: operation.id,
        ...key,
        hosts: operation.calls.length,
        ...counts,
        notReached: operation.calls.length - total(counts),
      };
    });
    const summaries = hosts.map((host): HostSummary => {
      const counts = this.#tally.ofHost(host);
      const { changed, unchanged, failed, ignored, interrupted } = counts;
      return {
        host: host.name,
        changed,
        unchanged,
        failed,
        ignored,
        interrupted,
        notReached: host.calls.length - total(counts),
        ...(host.directCommands > 0 ? { direct: host.directCommands } : {}),
        ...(host.error ? { error: reportError(host.error) } : {}),
      };
    });
    return { type: "results", operations, hosts: summaries, seconds, ok: isWhole && hosts.every(host => !host.error) };
  }
}
