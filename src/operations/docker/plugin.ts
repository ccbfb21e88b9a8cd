import { operand, sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { type DockerObject, DockerPlugin } from "../../facts/docker.ts";
import { checkName, docker, type Pairs, pairsOf } from "../shared/containers.ts";
import { notOption } from "../shared/options.ts";

/** Arguments of `docker.plugin`. */
export interface PluginArguments {
  /** Name and tag of the plugin. */
  readonly plugin: string;
  /** Name that it has on the host; default: its own. */
  readonly alias?: string;
  /** `false`: it must not be there; default true. */
  readonly present?: boolean;
  /** It must be enabled; `false`: it must not. Default true. */
  readonly enabled?: boolean;
  /** Settings that it must have; those not named here stay as they are. */
  readonly pluginOptions?: Pairs;
}

/**
 * Install, set up, enable, disable or remove a plugin of the engine. It gets every permission that it asks for.
 * @example docker.plugin({ plugin: "vieux/sshfs:latest", alias: "sshfs", pluginOptions: { DEBUG: "1" } });
 */
export const plugin = operation<PluginArguments>({
  name: "docker.plugin",
  positional: ["plugin"],
  async *steps(host, { plugin: source, alias, present = true, enabled = true, pluginOptions }) {
    checkName("docker.plugin", "plugin", source);
    const name = alias || source;
    const options = pairsOf(pluginOptions).map(pair => notOption("pluginOptions", pair));
    const [found] = await host.getFact(DockerPlugin, { objectId: name });
    if (!present) {
      if (found) yield sh`docker plugin rm -f ${operand(name)}`;
      else host.noop(`Plugin '${name}' is not installed.`);
    } else if (!found) {
      const flags = ["--grant-all-permissions", ...(alias ? ["--alias", alias] : []), !enabled && "--disable"];
      // The plugin's settings follow its name, so no option can.
      yield source.startsWith("-")
        ? sh`docker plugin install ${[...flags, "--", source, ...options]}`
        : sh`docker plugin install ${[source, ...flags, ...options]}`;
    } else if (hasOther(found, options)) {
      if (found.Enabled) yield docker("plugin", "disable", name);
      yield sh`docker plugin set ${[operand(name), ...options]}`;
      if (enabled) yield docker("plugin", "enable", name);
    } else if (found.Enabled !== enabled) yield docker("plugin", enabled ? "enable" : "disable", name);
    else
      host.noop(`Plugin '${name}' is already installed with the same options and ${enabled ? "enabled" : "disabled"}.`);
  },
});

const hasOther = (found: DockerObject, options: readonly string[]): boolean => {
  const current = found.Settings?.Env ?? [];
  return options.some(option => !current.includes(option));
};
