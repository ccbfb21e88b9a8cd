/** What an operation yields. @module */
import type { ConnectorArguments } from "./arguments.ts";
import type { Download, FunctionCall, Rsync, Shell, Upload } from "./command.ts";
import type { HostControl } from "./host.ts";

/** One thing to do on a host, and possibly how: `arguments` win over those of the operation. */
export type Command = Shell | Upload | Download | Rsync | FunctionCall<HostControl> | ConfiguredCommand;

/** A command with its own connector arguments. */
export interface ConfiguredCommand {
  readonly kind: "configured";
  readonly command: Shell | Upload | Download | Rsync;
  readonly arguments: ConnectorArguments;
}
/** Run one command with connector arguments of its own. */
export const withArguments = (command: ConfiguredCommand["command"], args: ConnectorArguments): ConfiguredCommand => ({
  kind: "configured",
  command,
  arguments: args,
});

/** The commands of one operation, made one by one: a fact asked after a command was yielded is asked after it ran. */
export type Steps = AsyncGenerator<Command, void, void>;
