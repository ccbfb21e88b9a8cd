/** Log lines: of connectors and settings, of operations, and of the `logger` of deploy files. @module */
import { createConsola, LogLevels, type LogObject } from "consola/core";
import type { EngineEvent } from "../engine/events.ts";
import type { Paint } from "./views/paint.ts";

/** One log line. */
export type LogEvent = EngineEvent & { readonly type: "log" };

/** Takes log lines, each when it is said. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  /** A line of the run. */
  event(event: LogEvent): void;
}

/** All log lines go to `tell`; those of level debug only if they are wanted. */
export function createLog(tell: (event: LogEvent) => void, { isDebug }: { readonly isDebug: boolean }): Log {
  const consola = createConsola({
    level: isDebug ? LogLevels.debug : LogLevels.info,
    // Lines that are the same are lines of their own: held back, the last of them would be lost at the end.
    throttle: 0,
    reporters: [{ log: line => tell(eventOf(line)) }],
  });
  return {
    info: message => consola.info({ args: [message] }),
    warn: message => consola.warn({ args: [message] }),
    event: ({ level, message, host }) => consola[level]({ args: [message], host }),
  };
}

function eventOf({ type, args, host }: LogObject): LogEvent {
  const level = type === "debug" || type === "warn" || type === "error" ? type : "info";
  const message = args.map(String).join(" ");
  return { type: "log", level, message, ...(typeof host === "string" ? { host } : {}) };
}

/** A log line where there is no view to show it. */
export const logLine = ({ level, message }: LogEvent, paint: Paint): string =>
  level === "warn" ? `${paint("warn", "Warning:")} ${message}` : message;
