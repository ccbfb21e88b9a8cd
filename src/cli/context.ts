/** What every command is given. @module */
import type { Io } from "./io.ts";
import type { OptionValues } from "./options.ts";
import { Screen } from "./screen.ts";
import { colorPaint, noPaint, type Paint, wantsColor } from "./views/paint.ts";

/** What a command is given. */
export interface Context {
  readonly io: Io;
  readonly options: OptionValues;
  readonly screen: Screen;
  readonly paint: Paint;
}

export function createContext(io: Io, options: OptionValues): Context {
  const color = wantsColor(options["no-color"] === true, io.environment, io.stderr.isTTY === true);
  return { io, options, screen: new Screen(io.stdout, io.stderr), paint: color ? colorPaint : noPaint };
}
