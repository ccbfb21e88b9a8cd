/** An operation against facts that a test states: nothing runs. @module */
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import type { Fact, FactCallArguments } from "../../src/core/fact.ts";
import type { OperationHost } from "../../src/core/host.ts";
import type { Decided, OperationDefinition } from "../../src/core/operation.ts";
import type { Command } from "../../src/core/steps.ts";
import { layeredData } from "../../src/engine/host-data.ts";

/** A fact and its answer; with arguments, only when it is asked with these. */
export type Stated = readonly [fact: Fact<never, unknown>, answer: unknown, args?: object];

export interface Foreseen {
  /** What hosts would receive, secrets in the clear. */
  readonly commands: readonly string[];
  readonly noops: readonly string[];
  readonly steps: readonly Command[];
}

/** What an operation would do on a host of which these facts are true. A fact that is not stated fails the test. */
export async function foresee<A extends object>(
  operation: OperationDefinition<A>,
  args: A,
  stated: readonly Stated[],
): Promise<Foreseen> {
  const noops: string[] = [];
  const steps: Command[] = [];
  const refuse = () => {
    throw new Error("This host has no control machine");
  };
  const host: OperationHost = {
    name: "stated",
    groups: ["all"],
    data: layeredData("host", [], () => {}),
    config: { ...DEFAULT_CONFIG },
    local: {
      resolve: path => path,
      stat: async () => undefined,
      read: refuse,
      readText: refuse,
      checksum: refuse,
      list: refuse,
      render: refuse,
    },
    async getFact<B extends object, T>(fact: Fact<B, T>, ...[asked]: FactCallArguments<B>): Promise<T> {
      const found = stated.find(
        ([one, , given]) => one === (fact as unknown) && (given === undefined || Bun.deepEquals(given, { ...asked })),
      );
      if (!found) throw new Error(`The test does not state ${fact.name} ${JSON.stringify(asked ?? {})}`);
      return found[1] as T;
    },
    noop: reason => void noops.push(reason),
    warn: () => {},
    wantsDiff: false,
    showDiff: () => {},
    anticipate: () => {},
    tempDir: async () => "/tmp",
    tempFile: async () => "/tmp/file",
    timestamp: () => "2601010000",
  };
  for await (const step of operation.steps(host, args as Decided<A>)) steps.push(step);
  return { commands: steps.map(text), noops, steps };
}

function text(step: Command): string {
  if (step.kind === "configured") return text(step.command);
  if (step.kind === "shell") return step.wire();
  return step.kind === "function" ? `call ${step.name}` : `${step.kind} ${step.dest}`;
}
