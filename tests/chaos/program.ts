/** Random deploys in which every command leaves a line of its own on the host. @module */
import { type Next, pick } from "./random.ts";

/** One operation, or a fact that the deploy asks between two of them. */
export interface Step {
  readonly kind: "shell" | "append" | "line" | "put" | "script" | "hang" | "callback" | "fact";
  /** What the operation is called; its commands write `ID.0`, `ID.1` … into the journal. */
  readonly id: string;
  readonly commands: number;
  /** So many attempts of a `shell` end in exit code 1, after their last line. */
  readonly failures: number;
  /** Seconds that a command sleeps before and after its line. */
  readonly pauses: readonly [number, number];
  /** Bytes of a `put`. */
  readonly size: number;
  /** Hosts that declare it, by number; all where absent. */
  readonly only?: "odd" | "even" | undefined;
  /** Runs if the operation of this id changed something. */
  readonly after?: string | undefined;
  readonly how: Readonly<Record<string, unknown>>;
  /** What a callback declares, before it runs a command of its own. */
  readonly nested: readonly Step[];
}

/** What is deployed, and how. */
export interface Program {
  readonly steps: readonly Step[];
  readonly options: readonly string[];
}

export const isDeclared = ({ only }: Step, index: number): boolean =>
  only === undefined || (only === "odd") === (index % 2 === 1);

/** Kinds that leave lines in the journal, and how many each leaves when it runs to its end. */
export const linesOfStep = ({ kind, commands }: Step): number =>
  ({ shell: commands, append: 2, script: 1, hang: 1, callback: 1, line: 0, put: 0, fact: 0 })[kind];

export function randomProgram(
  next: Next,
  { steps, isQuick = false }: { readonly steps: number; readonly isQuick?: boolean },
): Program {
  const strategy = pick(next, [[], [], ["--serial"], ["--no-wait"], ["--parallel", "2"]]);
  const made: Step[] = [];
  for (let number = 0; number < steps; number++) made.push(randomStep(next, `o${number}`, made, strategy, isQuick));
  return { steps: made, options: strategy };
}

function randomStep(
  next: Next,
  id: string,
  before: readonly Step[],
  strategy: readonly string[],
  isQuick: boolean,
  isNested = false,
): Step {
  const kinds: readonly Step["kind"][] = [
    "shell",
    "shell",
    "shell",
    "append",
    "append",
    "line",
    "line",
    "put",
    "put",
    "script",
    "callback",
    "fact",
    "hang",
  ];
  let kind = pick(next, kinds);
  if ((isNested && ["callback", "fact"].includes(kind)) || (kind === "hang" && (isNested || isQuick))) kind = "shell";
  const how: Record<string, unknown> = {};
  if (next(3) === 0) how["_ignoreErrors"] = true;
  if (next(3) === 0) Object.assign(how, { _retries: 1 + next(2), _retryDelay: 0.1 });
  // Where no host waits for another, which of them has it is decided by who comes first.
  if (!isNested)
    Object.assign(
      how,
      pick(next, [
        {},
        {},
        {},
        {},
        {},
        { _serial: true },
        { _parallel: 2 },
        strategy.length === 0 ? { _runOnce: true } : {},
      ]),
    );
  if (kind === "hang") Object.assign(how, { _timeout: 1, _ignoreErrors: true, _retries: 0 });
  const pause = (): number => (next(2) === 0 ? 0 : next(isQuick ? 5 : 20) / 100);
  const earlier = before.filter(({ kind: what, only }) => what !== "fact" && only === undefined);
  const failures = kind === "shell" && next(4) === 0 ? 1 + next(2) : 0;
  // Some run out of tries, but most hosts have to live long enough to see something.
  if (failures > 0 && next(4) > 0) Object.assign(how, { _retries: 2, _retryDelay: 0.1 });
  else if (failures > 0 && next(4) > 0) how["_ignoreErrors"] = true;
  return {
    kind,
    id,
    commands: 1 + next(3),
    failures,
    pauses: [pause(), pause()],
    size: pick(next, [10, 5_000, 60_000, isQuick ? 100_000 : 2_000_000]),
    only: !isNested && next(5) === 0 ? pick(next, ["odd", "even"] as const) : undefined,
    after: !isNested && earlier.length > 0 && next(6) === 0 ? pick(next, earlier).id : undefined,
    how,
    nested:
      kind === "callback"
        ? Array.from({ length: next(3) }, (_, index) => randomStep(next, `${id}n${index}`, [], strategy, isQuick, true))
        : [],
  };
}

/** What a `hang` does until it is ended. */
export const ENDLESS = "sleep 600";

/** The deploy file of a program. What it uploads is beside it: `put-SIZE` and `script.sh`. */
export const deployText = (program: Program): string => `import { fact, host, operation, sh } from "tsinfra";
import { files, server, ts } from "tsinfra/operations";

const steps = ${JSON.stringify(program.steps)} as any[];
const index = host.data.get("index", 0);
const dir = host.data.get("dir", "");
const journal = dir + "/journal";

const Lines = fact<{ readonly id: string; readonly journal: string }, readonly string[]>({
  name: "chaos.Lines",
  command: ({ id, journal }) => sh\`grep -xF \${id} \${journal} || true\`,
  parse: lines => lines,
  empty: [],
});
const append = operation<{ readonly id: string; readonly journal: string }>({
  name: "chaos.append",
  async *steps(host, { id, journal }) {
    if ((await host.getFact(Lines, { id: id + ".1", journal })).length > 0) return host.noop("it is there");
    yield sh\`echo \${id + ".0"} >>\${journal}\`;
    yield sh\`echo \${id + ".1"} >>\${journal}\`;
  },
});

const handles = new Map<string, any>();
function declare(step: any): any {
  const { id, kind, pauses: [before, behind], failures } = step;
  const condition = handles.get(step.after);
  const how = { ...step.how, name: id, ...(condition ? { _if: condition.didChange } : {}) };
  const line = (number: number) => \`echo \${id}.\${number} >>\${journal}\`;
  const paused = (command: string) => (before ? \`sleep \${before}; \` : "") + command + (behind ? \`; sleep \${behind}\` : "");
  const last = step.commands - 1;
  const check = failures ? \`; [ "$(grep -cxF \${id}.\${last} \${journal})" -gt \${failures} ]\` : "";
  const commands = Array.from({ length: step.commands }, (_, number) => paused(line(number)) + (number === last ? check : ""));
  if (kind === "shell") return server.shell({ commands, ...how });
  if (kind === "hang") return server.shell({ commands: [line(0) + "; ${ENDLESS}"], ...how });
  if (kind === "append") return append({ id, journal, ...how });
  if (kind === "line") return files.line({ path: dir + "/lines", line: id, ...how });
  if (kind === "put") return files.put({ src: \`put-\${step.size}\`, dest: \`\${dir}/put-\${id}\`, ...how });
  if (kind === "script") return server.script({ src: "script.sh", args: [id + ".0", journal, before, behind], ...how });
  return ts.call({
    async function(control) {
      for (const nested of step.nested) declare(nested);
      await control.run(sh\`echo \${id + ".0"} >>\${journal}\`);
    },
    ...how,
  });
}

for (const step of steps) {
  if (step.only !== undefined && (step.only === "odd") !== (index % 2 === 1)) continue;
  if (step.kind === "fact") await host.getFact(Lines, { id: step.id, journal });
  else handles.set(step.id, declare(step));
}
`;
