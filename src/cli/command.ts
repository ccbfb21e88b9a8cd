/** Subcommands: citty's definitions, with a typed way to run them. @module */
import { type ArgsDef, type CommandDef, type CommandMeta, defineCommand } from "citty";
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

/** One call of the program. */
export interface Call {
  readonly context: Context;
  readonly route: Route;
  answer(code: ExitCode): void;
}

/** What help shows of a subcommand, and how to run it. */
export interface Command {
  readonly meta: CommandMeta;
  readonly args: ArgsDef;
  readonly usage: readonly string[];
  readonly notes: readonly string[];
  /** citty's command for one call: its tree hands no data of ours down to subcommands. */
  of(call: Call): CommandDef;
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
  const meta = { name, description };
  return {
    meta,
    args,
    usage,
    notes,
    of: ({ context, route, answer }) =>
      defineCommand({
        meta,
        run: async () => answer(await run(context, route as RouteOf<N>)),
      }),
  };
}
