/** Subcommands: citty's definitions, with a typed way to run them. @module */
import { type ArgsDef, type CommandDef, defineCommand } from "citty";
import type { ExitCode } from "./exit.ts";
import type { CommandName, Route } from "./route.ts";
import type { Context } from "./context.ts";

/** What a subcommand is given. */
export type RouteOf<N extends CommandName> = Extract<Route, { readonly command: N }>;

/** A subcommand as its file defines it. */
export interface Subcommand<N extends CommandName> {
  readonly name: N;
  readonly description: string;
  /** How to write it. */
  readonly usage: readonly string[];
  /** Its words, for help. */
  readonly args?: ArgsDef;
  /** More lines of help. */
  readonly notes?: readonly string[];
  run(context: Context, route: RouteOf<N>): Promise<ExitCode>;
}

/** What `--help` shows beside what citty knows. */
export interface HelpNotes {
  readonly usage: readonly string[];
  readonly notes: readonly string[];
}

/** A citty command with help of ours. */
export type Command = CommandDef & { readonly help: HelpNotes };

interface Call {
  readonly context: Context;
  readonly route: Route;
  answer(code: ExitCode): void;
}

/** Define a subcommand. */
export function subcommand<N extends CommandName>({
  name,
  description,
  usage,
  args = {},
  notes = [],
  run,
}: Subcommand<N>): Command {
  const definition = defineCommand({
    meta: { name, description },
    args,
    async run({ data }) {
      const { context, route, answer } = data as Call;
      answer(await run(context, route as RouteOf<N>));
    },
  });
  return Object.assign(definition, { help: { usage, notes } });
}
