/** `tsinfra INVENTORY debug-inventory`. @module */
import { subcommand } from "../command.ts";
import { EXIT } from "../exit.ts";
import { toJson } from "../json.ts";

export const debugInventory = subcommand({
  name: "debug-inventory",
  description: "Print hosts, groups and data",
  usage: ["tsinfra INVENTORY debug-inventory"],
  notes: [
    "Prints JSON on stdout without connecting to anything. Passwords are masked. With --json there is one line per host.",
  ],
  async run(context, { inventory }) {
    const [{ openInvocation }, { DataKeys }] = await Promise.all([
      import("../invocation.ts"),
      import("../../inventory/index.ts"),
    ]);
    const invocation = await openInvocation(context, inventory);
    try {
      const keys = new DataKeys(invocation.connectors.values());
      const hosts = invocation.hosts.map(({ name, connector, address, through, groups, data }) => {
        const merged: Record<string, unknown> = Object.assign({}, ...[...data].reverse());
        const shown = Object.fromEntries(
          Object.entries(merged).map(([key, value]) => [key, keys.isSecret(key) ? "***" : value]),
        );
        return { name, connector, address, ...(through.length > 0 ? { through } : {}), groups, data: shown };
      });
      if (invocation.isJson)
        for (const host of hosts)
          invocation.screen.event(
            { type: "inventory:host", ...(JSON.parse(toJson(host)) as object) },
            invocation.io.clock.now(),
          );
      else {
        const groups = [...new Set(hosts.flatMap(host => host.groups))].sort();
        const members = groups.map(group => [
          group,
          hosts.filter(host => host.groups.includes(group)).map(host => host.name),
        ]);
        const byName = hosts.map(({ name, ...host }) => [name, host]);
        invocation.screen.data(toJson({ hosts: Object.fromEntries(byName), groups: Object.fromEntries(members) }));
      }
      return EXIT.ok;
    } finally {
      invocation.close();
    }
  },
});
