/** What every command is given. @module */
import type { Io } from "./io.ts";
import type { OptionValues } from "./options.ts";
import type { Shard } from "../inventory/shard.ts";
import type { Interrupts } from "./interrupts.ts";
import type { Screen } from "./screen.ts";
import { parseShard, shardText } from "./shard.ts";
import { colorPaint, noPaint, type Paint, wantsColor } from "./views/paint.ts";

/** What a command is given. */
export interface Context {
  readonly io: Io;
  readonly options: OptionValues;
  readonly screen: Screen;
  readonly paint: Paint;
  readonly interrupts: Interrupts;
  /** The part of the inventory to work on; absent: all of it. */
  readonly shard: Shard | undefined;
}

export function createContext(
  { io, screen, interrupts }: Pick<Context, "io" | "screen" | "interrupts">,
  options: OptionValues,
): Context {
  const color = wantsColor(options["no-color"] === true, io.environment, io.stderr.isTTY === true);
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  if (shard) screen.origin = { shard: shardText(shard) };
  return { io, options, screen, interrupts, paint: color ? colorPaint : noPaint, shard };
}
