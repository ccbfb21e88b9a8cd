/** Python programs, each in an environment of its own. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { splitOnce } from "./shared/lines.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed pipx packages. */
export const PipxPackages = packagesFact({
  name: "pipx.PipxPackages",
  requires: "pipx",
  command: () => sh`pipx list --short`,
  line: /^([\w.+-]+)\s+(\d\S*)$/,
});

/** Settings of pipx by name: `PIPX_BIN_DIR` says where programs go. */
export const PipxEnvironment = fact<NoArguments, Readonly<Record<string, string>>>({
  name: "pipx.PipxEnvironment",
  requires: "pipx",
  command: () => sh`pipx environment`,
  parse: lines =>
    Object.fromEntries(lines.filter(line => /^[A-Z_]+=/.test(line)).flatMap(line => [splitOnce(line, "=") ?? []])),
  empty: {},
});
