/** Puppet. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";

/** Arguments of `puppet.agent`. */
export interface AgentArguments {
  /** Name of the server; default: the configured one. */
  readonly server?: string;
  /** Port of the server; default: the configured one. */
  readonly port?: number;
}

/**
 * Run the agent once. It ends with 2 when it has changed something: say so with `_successExitCodes`.
 * Where `puppet` is only in the `PATH` of a login shell, `_useSudoLogin` or `_useSuLogin` gives it that.
 * @example puppet.agent({ server: "puppet.example.com", _sudo: true, _successExitCodes: [0, 2] });
 */
export const agent = operation<AgentArguments>({
  name: "puppet.agent",
  idempotent: "The agent is run every time, and changes only what differs from its catalogue",
  async *steps(_, { server, port }) {
    yield sh`puppet agent -t ${[server ? `--server=${server}` : false, port !== undefined && `--masterport=${port}`]}`;
  },
});
