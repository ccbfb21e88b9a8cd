/** `tsinfra check DEPLOY.ts…`. @module */
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { subcommand } from "../command.ts";
import { EXIT } from "../exit.ts";
import { ArgumentError } from "../parse.ts";
import { fatalLines } from "../views/errors.ts";
import { plural } from "../views/text.ts";

export const check = subcommand({
  name: "check",
  description: "Check the types of deploy files, offline",
  usage: ["tsinfra check FILE.ts..."],
  args: {
    file: {
      type: "positional",
      required: false,
      valueHint: "FILE.ts",
      description: "Deploy files, inventories, infra.config.ts",
    },
  },
  notes: ["Connects to nothing and runs nothing. The compiler and the declarations are part of the executable."],
  async run({ io, options, screen, paint }, { files }) {
    if (files.length === 0)
      throw new ArgumentError("There is no file to check", { hint: "Write tsinfra check deploy.ts" });
    const paths = files.map(file => resolve(io.cwd(), file));
    const missing = paths.find(path => !existsSync(path));
    if (missing !== undefined) throw new ArgumentError(`There is no file "${missing}"`);
    const { checkPrograms } = await import("../check/index.ts");
    const { findings, output } = await checkPrograms(
      await Promise.all(paths.map(path => realpath(path))),
      io.environment,
    );
    for (const { at, code, message, hint } of findings) {
      if (options.json)
        screen.event(
          { type: "check:error", ...{ at, code, message, ...(hint === undefined ? {} : { hint }) } },
          io.clock.now(),
        );
      const report = { code, message, at, ...(hint === undefined ? {} : { hint }) };
      screen.lines([...fatalLines(report, paint, screen.columns), ""]);
    }
    if (output !== undefined) {
      screen.lines(output.split("\n"));
      return EXIT.failed;
    }
    screen.lines([
      findings.length === 0
        ? `${paint("ok", "Fine:")} ${plural(files.length, "file")} checked`
        : `${paint("fail", "Found")} ${plural(findings.length, "mistake")}`,
    ]);
    return findings.length === 0 ? EXIT.ok : EXIT.failed;
  },
});
