import { expect, test } from "bun:test";
import { createLog, type LogEvent } from "../../src/cli/logger.ts";

function logged(isDebug: boolean) {
  const told: LogEvent[] = [];
  return { told, log: createLog(event => void told.push(event), { isDebug }) };
}

test("every log line is told when it is said, with its level and its host", () => {
  const { log, told } = logged(true);
  log.info("one");
  log.warn("two");
  for (const level of ["debug", "info", "warn", "error"] as const)
    log.event({ type: "log", level, message: `${level} of a host`, host: "web-1" });
  expect(told).toEqual([
    { type: "log", level: "info", message: "one" },
    { type: "log", level: "warn", message: "two" },
    { type: "log", level: "debug", message: "debug of a host", host: "web-1" },
    { type: "log", level: "info", message: "info of a host", host: "web-1" },
    { type: "log", level: "warn", message: "warn of a host", host: "web-1" },
    { type: "log", level: "error", message: "error of a host", host: "web-1" },
  ]);
});

test("lines that are the same are all told", () => {
  const { log, told } = logged(false);
  for (let time = 0; time < 20; time++) log.warn("again");
  expect(told).toHaveLength(20);
});

test("an empty line and text that looks like a format are told as they are", () => {
  const { log, told } = logged(false);
  for (const message of ["", "%s %d", "{}"]) log.info(message);
  expect(told.map(({ message }) => message)).toEqual(["", "%s %d", "{}"]);
});

test("lines of level debug are told only where they are wanted", () => {
  const { log, told } = logged(false);
  log.event({ type: "log", level: "debug", message: "detail" });
  expect(told).toEqual([]);
});
