/** The three ways to show a run, all from the same events. @module */
import type { OutputFormat } from "../../config/define.ts";
import type { Emit, EngineEvent } from "../../engine/events.ts";
import type { Clock } from "../../engine/settings.ts";
import type { Screen } from "../screen.ts";
import { Narrator } from "./narrator.ts";
import type { Paint } from "./paint.ts";
import { Progress } from "./progress.ts";

export interface ViewOptions {
  readonly screen: Screen;
  readonly paint: Paint;
  readonly clock: Clock;
  readonly verbosity: number;
  readonly hosts: readonly string[];
  /** Tell only what went wrong. */
  readonly isQuiet: boolean;
  /** Output of operations is printed elsewhere. */
  readonly outputShown: boolean;
}

/** Shows a run. */
export interface View {
  readonly emit: Emit;
  /** Take the line in progress away while a question is on the screen; call the result afterwards. */
  pause(): () => void;
  /** The last call. */
  close(): void;
}

export const createView = (format: OutputFormat, options: ViewOptions): View => VIEWS[format](options);

const VIEWS: Readonly<Record<OutputFormat, (options: ViewOptions) => View>> = {
  pretty: prettyView,
  plain: plainView,
  json: jsonView,
};

/** Lines as they come. */
function plainView(options: ViewOptions): View {
  const narrator = narratorOf(options);
  return { emit: event => options.screen.lines(narrator.tell(event)), pause: () => () => {}, close: () => {} };
}

/** The same lines, and below them what is going on right now. */
function prettyView(options: ViewOptions): View {
  const { screen, paint, clock } = options;
  const narrator = narratorOf(options);
  const progress = new Progress();
  let paused = 0;
  const draw = (): void => {
    if (paused === 0) screen.live(progress.line(clock.now(), screen.columns, paint));
  };
  // The line shows that time passes even when nothing happens; the timer alone keeps no process alive.
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  return {
    emit: event => {
      progress.take(event, clock.now());
      screen.lines(narrator.tell(event));
      if (isTurn(event)) draw();
    },
    pause: () => {
      paused++;
      screen.live(undefined);
      return () => {
        paused--;
        draw();
      };
    },
    close: () => {
      clearInterval(timer);
      screen.live(undefined);
    },
  };
}
const REDRAW_MS = 100;

/** Events that end what the line says; all others wait for the timer, however many they are. */
const isTurn = (event: EngineEvent): boolean => /^(?:stage|operation):(?:start|end)$/.test(event.type);

/** One event per line, on stdout. */
function jsonView({ screen, clock }: ViewOptions): View {
  return {
    emit: event => screen.event(event, clock.now()),
    pause: () => () => {},
    close: () => {},
  };
}

const narratorOf = ({ paint, screen, verbosity, hosts, isQuiet, outputShown }: ViewOptions): Narrator =>
  new Narrator({
    paint,
    columns: () => screen.columns,
    width: () => screen.width,
    verbosity,
    hosts,
    isQuiet,
    outputShown,
  });
