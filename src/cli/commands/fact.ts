/** `tsinfra INVENTORY fact NAME [key=value]…`. @module */
import { unlessAborted } from "../../core/abort.ts";
import { subcommand } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { FactRequest } from "../names.ts";
import type { Invocation } from "../invocation.ts";
import { oneLine } from "../views/text.ts";
import { toJson } from "../json.ts";

export const fact = subcommand({
  name: "fact",
  description: "Ask facts of every host",
  usage: ["tsinfra INVENTORY fact NAME [KEY=VALUE]..."],
  args: {
    name: {
      type: "positional",
      required: false,
      description: "A fact such as server.Hostname; its arguments follow it",
    },
  },
  notes: [
    "Prints JSON on stdout: an object with the answer of each host; with several facts, such an object for each of them by its name.",
    "A fact that cannot be answered is told on stderr, is left out of the JSON, and makes the exit code 1.",
  ],
  async run(context, { inventory, words }) {
    const [{ openInvocation }, { factRequests }] = await Promise.all([
      import("../invocation.ts"),
      import("../names.ts"),
    ]);
    const requests = await factRequests(words);
    const invocation = await openInvocation(context, inventory);
    try {
      return await askAll(invocation, requests);
    } finally {
      invocation.close();
    }
  },
});

type Answers = Readonly<Record<string, unknown>>;

async function askAll(invocation: Invocation, requests: readonly FactRequest[]): Promise<ExitCode> {
  const { givenUp } = invocation.interrupts;
  const run = await invocation.start({ isQuiet: true });
  let isComplete = true;
  try {
    await unlessAborted(run.connect(), givenUp);
    const all: [string, Answers][] = [];
    // All facts at once, so that they travel together.
    const asking = Promise.all(requests.map(({ fact: wanted, args }) => run.facts(host => host.getFact(wanted, args))));
    const answered = await unlessAborted(asking, givenUp);
    for (const [index, { label }] of requests.entries()) {
      const answers: Record<string, unknown> = {};
      for (const [host, result] of answered[index] ?? []) {
        if ("error" in result) {
          isComplete = false;
          invocation.screen.lines([
            `${invocation.paint("fail", "Failed:")} ${label} on ${oneLine(host)}: ${oneLine(result.error.message)}`,
          ]);
        } else answers[host] = result.answer ?? null;
        if (invocation.isJson) invocation.screen.event(answerEvent(label, host, result), invocation.io.clock.now());
      }
      all.push([label, answers]);
    }
    if (!invocation.isJson) invocation.screen.data(toJson(all.length === 1 ? all[0]?.[1] : Object.fromEntries(all)));
  } finally {
    await run.disconnect();
  }
  return isComplete && run.failedHosts.length === 0 ? EXIT.ok : EXIT.failed;
}

type Result = { readonly answer: unknown } | { readonly error: { readonly code: string; readonly message: string } };

const answerEvent = (label: string, host: string, result: Result): { readonly type: string } => ({
  type: "fact:answer",
  ...{ host, fact: label },
  ...("error" in result
    ? { error: { code: result.error.code, message: result.error.message } }
    : { answer: JSON.parse(toJson(result.answer ?? null)) as unknown }),
});
