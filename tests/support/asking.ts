/** What tests of questions ask and run: a fact that takes a turn, an operation of one command, and hosts for both. @module */
import { sh } from "../../src/core/command.ts";
import { fact } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { type FakeRun, fakeRun } from "./fake-run.ts";

export const Answer = fact<Record<never, never>, string>({
  name: "test.Answer",
  command: () => sh`answer`,
  parse: ([line = ""]) => line,
  empty: "",
});

/** An operation of one command. */
export const run = operation<{ readonly command: string }>({
  name: "test.run",
  async *steps(_, { command }) {
    yield sh`${command}`;
  },
});

/** The scope of the file that runs. */
export const scope = () => currentScope("This test");
export const ask = (): Promise<string> => scope().host.getFact(Answer);

/** Hosts whose facts take a turn. */
export const turningHosts = (hosts: readonly string[]): FakeRun =>
  fakeRun(hosts, { answer: async (_, command) => (await Bun.sleep(0), { stdout: `${command}\n` }) });
