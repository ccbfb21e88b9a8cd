/** What options say in place of settings and host data. @module */
import { settingProblem } from "../config/index.ts";
import { Secret } from "../core/command.ts";
import type { Connector } from "../core/connector.ts";
import { didYouMean } from "../core/nearest.ts";
import { type OptionName, OPTIONS, type OptionSpec, type OptionValues } from "./options.ts";
import { ArgumentError } from "./parse.ts";

/** Settings that options override. Throws `ArgumentError` for values that a setting does not take. */
export function overridesOf(options: OptionValues): Readonly<Record<string, unknown>> {
  const overrides: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(OPTIONS) as [OptionName, OptionSpec][]) {
    const value = options[name];
    if (
      spec.setting === undefined ||
      value === undefined ||
      (Array.isArray(value) && value.length === 0) ||
      (spec.kind === "count" && value === 0)
    )
      continue;
    const given = name === "shell-executable" && /^(?:none|null|false)$/i.test(String(value)) ? false : value;
    const problem = settingProblem(spec.setting, given);
    if (problem) throw new ArgumentError(problem.message.replace(/^Setting "\w+"/, `Option --${name}`));
    overrides[spec.setting] = given;
  }
  if (options.json) overrides["output"] = "json";
  return overrides;
}

/** Host data that options override. */
export function connectorData(
  options: OptionValues,
  connectors: ReadonlyMap<string, Connector>,
): Readonly<Record<string, unknown>> {
  const known = new Set([...connectors.values()].flatMap(connector => Object.keys(connector.dataKeys)));
  const data: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(OPTIONS) as [OptionName, OptionSpec][]) {
    const value = options[name];
    if (spec.data === undefined || value === undefined) continue;
    if (!known.has(spec.data))
      throw new ArgumentError(`Option --${name} means nothing to the connectors`, {
        hint: didYouMean(spec.data, known),
      });
    data[spec.data] = spec.secret ? new Secret(String(value)) : value;
  }
  return options["ssh-accept-new"] ? { ...data, sshStrictHostKeyChecking: "accept-new" } : data;
}
