/** The command tree: every subcommand is loaded when it is asked for. @module */
import { defineCommand, runCommand } from "citty";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import type { CommandName, Route } from "./route.ts";
import type { Context } from "./context.ts";

const SUBCOMMANDS: Readonly<Record<CommandName, () => Promise<Command>>> = {
  deploy: async () => (await import("./commands/deploy.ts")).deploy,
  exec: async () => (await import("./commands/exec.ts")).exec,
  fact: async () => (await import("./commands/fact.ts")).fact,
  operation: async () => (await import("./commands/operation.ts")).operation,
  "debug-inventory": async () => (await import("./commands/debug-inventory.ts")).debugInventory,
  init: async () => (await import("./commands/init.ts")).init,
  types: async () => (await import("./commands/types.ts")).types,
  check: async () => (await import("./commands/check.ts")).check,
  docs: async () => (await import("./commands/docs.ts")).docs,
  report: async () => (await import("./commands/report.ts")).report,
  ssh: async () => (await import("./commands/ssh.ts")).ssh,
  completions: async () => (await import("./commands/completions.ts")).completions,
};

export const COMMAND_NAMES = Object.keys(SUBCOMMANDS) as readonly CommandName[];
export const loadCommand = (name: CommandName): Promise<Command> => SUBCOMMANDS[name]();

/** The program. */
export const PROGRAM = { name: "tsinfra", description: "Agentless infrastructure automation in TypeScript" } as const;

/** Run what a route asks for. */
export async function runRoute(context: Context, route: Route): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const tree = treeFor({ context, route, answer: given => void (code = given) });
  // The words were read by `routeOf`: most stand behind an inventory, where citty looks for no subcommand.
  await runCommand(tree, { rawArgs: [route.command] });
  return code;
}

const treeFor = (call: Call) =>
  defineCommand({
    meta: PROGRAM,
    subCommands: Object.fromEntries(
      COMMAND_NAMES.map(name => [name, async () => (await loadCommand(name)).of(call)] as const),
    ),
  });
