/** `tsinfra check [FILE…]`. @module */
import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { Finding, CheckPlan } from "../check/index.ts";
import { dataKeysOf } from "../../inventory/index.ts";
import { subcommand } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { ArgumentError } from "../parse.ts";
import { fatalLines } from "../views/errors.ts";
import { plural } from "../views/text.ts";

export const check = subcommand({
  name: "check",
  description: "Find mistakes in deploy files, inventories and the config, offline",
  usage: ["tsinfra check [FILE...]"],
  args: {
    file: {
      type: "positional",
      required: false,
      valueHint: "FILE",
      description: "Deploy files, inventories, group data, infra.config.ts; default: those of this directory",
    },
  },
  notes: [
    "Without files: infra.config.ts, the inventory and group data that it names, group_data, and each program of this directory that uses tsinfra; always what those import and include.",
    "Finds wrong types, promises that nobody waits for, text made of promises, of functions, of operations or of what may be missing, inventories that no run takes, and host data that no connector can use.",
    "Connects to nothing and runs nothing. The compiler and the declarations are part of the executable.",
  ],
  async run(context, { files }) {
    const { io, options, screen, paint } = context;
    const cwd = io.cwd();
    const { checkPlan, plannedFiles, planOfDirectory, planOfFiles } = await import("../check/index.ts");
    const named = files.map(file => resolve(cwd, file));
    const missing = named.find(path => !existsSync(path));
    if (missing !== undefined) throw new ArgumentError(`There is no file "${missing}"`);
    const folder = named.find(path => statSync(path).isDirectory());
    if (folder !== undefined)
      throw new ArgumentError(`"${folder}" is a directory`, { hint: "Name files, or write tsinfra check in it" });
    const config = options.config ?? (io.environment["TSINFRA_CONFIG"] || undefined);
    const connectors = await io.connectors();
    const dataKeys = dataKeysOf(connectors.values());
    const plan =
      named.length > 0 ? await planOfFiles(named, { cwd, dataKeys }) : await planOfDirectory(cwd, config, { dataKeys });
    const count = plannedFiles(plan).length;
    if (count === 0)
      throw new ArgumentError("There is nothing to check in this directory", {
        hint: "Write tsinfra check FILE, or tsinfra init for a start",
      });
    if (named.length === 0) screen.lines([...planLines(plan, cwd), ""]);
    const { findings, output } = await checkPlan(plan, { cwd, connectors, environment: io.environment });
    for (const finding of findings) tell(context, finding);
    if (output !== undefined) {
      screen.lines(output.split("\n"));
      return EXIT.failed;
    }
    screen.lines([
      findings.length === 0
        ? `${paint("ok", "Fine:")} ${plural(count, "file")} checked`
        : `${paint("fail", "Found")} ${plural(findings.length, "mistake")}`,
    ]);
    return findings.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

function tell({ io, options, screen, paint }: Context, { at, code, message, hint }: Finding): void {
  const more = hint === undefined ? {} : { hint };
  if (options.json) screen.event({ type: "check:error", ...{ at, code, message, ...more } }, io.clock.now());
  screen.lines([...fatalLines({ code, message, at, ...more }, paint, screen.columns), ""]);
}

/** What is checked, by kind, a file a line. */
function planLines({ config, inventories, groupData, programs, notes }: CheckPlan, cwd: string): readonly string[] {
  const kinds = [
    ["Config", config === undefined ? [] : [config]],
    ["Inventory", inventories.map(({ file, function: name }) => (name === undefined ? file : `${file}:${name}`))],
    ["Group data", groupData],
    ["Programs", programs],
  ] as const;
  return [
    ...kinds.flatMap(([kind, files]) =>
      files.map((file, index) => `${(index === 0 ? kind : "").padEnd(12)}${relative(cwd, file) || file}`),
    ),
    ...notes.map((note, index) => `${(index === 0 ? "Not checked" : "").padEnd(12)}${note}`),
  ];
}
