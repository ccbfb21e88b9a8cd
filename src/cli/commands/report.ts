/** `tsinfra report merge FILE…`. @module */
import { resolve } from "node:path";
import { linesFrom } from "../../core/lines.ts";
import { subcommand } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { toJson } from "../json.ts";
import { ArgumentError } from "../parse.ts";
import { readLogs, type RunLog } from "../report/log.ts";
import { mergeLogs, type Problem, type Report } from "../report/merge.ts";
import { colorPaint, noPaint, wantsColor } from "../views/paint.ts";
import { problemLines, reportLines, runLines } from "../views/shards.ts";

export const report = subcommand({
  name: "report",
  description: "Join the event logs of shards into one result",
  usage: ["tsinfra report merge FILE..."],
  args: {
    file: {
      type: "positional",
      required: false,
      description: "Logs that --json wrote; - is standard input, which may hold several",
    },
  },
  notes: [
    "Prints the results of all shards as one, on stdout; with --json as one event. Where the runs asked facts, it prints their answers.",
    "The exit code is 0 when all shards are there, whole, and went well. It is 1 when a host failed, and when a shard is missing, is there twice or was killed, a host is in two shards or in none, or the shards are not of one inventory: each of these is told on stderr.",
  ],
  async run(context, { words }) {
    const [verb, ...files] = words;
    if (verb !== "merge")
      throw new ArgumentError(
        verb === undefined ? "There is nothing to do with a report" : `There is no "report ${verb}"`,
        { hint: "Write tsinfra report merge FILE..." },
      );
    if (files.length === 0)
      throw new ArgumentError("There is no log to merge", {
        hint: "Write tsinfra report merge FILE..., or - for standard input",
      });
    const twice = files.find((file, index) => files.indexOf(file) !== index);
    if (twice !== undefined) throw new ArgumentError(`The log "${twice}" is named twice`);
    const merged = await merge(context, files);
    show(context, merged);
    return merged.results.ok ? EXIT.ok : EXIT.failed;
  },
});

async function merge({ io }: Context, files: readonly string[]): Promise<Report> {
  const logs: RunLog[] = [];
  const unreadable: Problem[] = [];
  for (const file of files) {
    try {
      logs.push(
        ...(file === "-"
          ? await readLogs("standard input", linesFrom(standardInput(io)))
          : await readLogs(file, linesFrom(Bun.file(resolve(io.cwd(), file)).stream()))),
      );
    } catch (error) {
      // The other shards' results are worth having all the same.
      unreadable.push({
        code: "log-unreadable",
        message: `The log ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }
  return mergeLogs(logs, unreadable);
}

function show({ io, options, screen, paint }: Context, merged: Report): void {
  const { runs, problems, results, proposed, answers } = merged;
  const { type: _, ...totals } = results;
  const hasAnswers = Object.keys(answers).length > 0;
  if (options.json) {
    screen.event(
      {
        type: "report",
        ...{
          shards: runs,
          problems,
          ...totals,
          ...(proposed.length > 0 ? { proposed } : {}),
          ...(hasAnswers ? { answers } : {}),
        },
      },
      io.clock.now(),
    );
    return;
  }
  const outPaint = wantsColor(options["no-color"] === true, io.environment, io.stdout.isTTY === true)
    ? colorPaint
    : noPaint;
  if (hasAnswers) {
    const all = Object.values(answers);
    screen.data(toJson(all.length === 1 ? all[0] : answers));
    screen.lines(runLines(merged, { paint, columns: () => screen.columns }));
  } else
    screen.data(
      reportLines(merged, { paint: outPaint, columns: () => io.stdout.columns || screen.columns }).join("\n"),
    );
  if (problems.length > 0) screen.lines(["", ...problemLines(merged, paint)]);
}

async function* standardInput({ stdin }: Io): AsyncGenerator<Uint8Array | string> {
  const waiting: (Uint8Array | string)[] = [];
  let wake = (): void => {};
  let hasEnded = false;
  const onData = (chunk: Uint8Array | string): void => {
    waiting.push(chunk);
    wake();
  };
  const onEnd = (): void => {
    hasEnded = true;
    wake();
  };
  stdin.on("data", onData);
  stdin.on("end", onEnd);
  stdin.resume();
  while (!hasEnded || waiting.length > 0) {
    if (waiting.length === 0) await new Promise<void>(done => (wake = done));
    yield* waiting.splice(0);
  }
  stdin.off("data", onData);
  stdin.off("end", onEnd);
  stdin.pause();
}
