/** `tsinfra ssh explain HOST`. @module */
import type { Connector, ConnectorContext, Explanation, Target } from "../../core/connector.ts";
import { subcommand } from "../command.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { toJson } from "../json.ts";
import { createLog, logLine } from "../logger.ts";
import { ArgumentError } from "../parse.ts";
import type { Invocation } from "../invocation.ts";

export const ssh = subcommand({
  name: "ssh",
  description: "Explain how a host is reached over SSH",
  usage: ["tsinfra ssh explain HOST"],
  notes: [
    "Prints each server on the way with its address, user and keys, where each was said, what known_hosts says, and what comes of connecting. Nothing is run.",
    "HOST may be any inventory; --limit picks hosts of it. With --json there is one object for all hosts.",
  ],
  async run(context, { words: [verb, inventory, ...others] }) {
    if (verb !== "explain" || inventory === undefined || others.length > 0)
      throw new ArgumentError("There is no host to explain", { hint: "Write ssh explain HOST" });
    const { openInvocation } = await import("../invocation.ts");
    const invocation = await openInvocation(context, inventory);
    try {
      return await explainAll(invocation);
    } finally {
      await Promise.all([...invocation.connectors.values()].map(connector => connector.close?.()));
      invocation.close();
    }
  },
});

async function explainAll({
  hosts,
  connectors,
  prompts,
  screen,
  settings,
  interrupts: { signal },
  cwd,
  isJson,
  paint,
}: Invocation): Promise<ExitCode> {
  const log = createLog(event => screen.lines([logLine(event, paint)]), { isDebug: false });
  const connectorContext: ConnectorContext = {
    ask: question => prompts.ask(question),
    warn: log.warn,
    inform: log.info,
    cwd,
  };
  const explained: Record<string, Explanation> = {};
  for (const host of hosts) {
    const connector: Connector | undefined = connectors.get(host.connector);
    if (!connector?.explain) throw new ArgumentError(`The host ${host.name} is not reached over SSH`);
    const data = Object.assign({}, ...[...host.data].reverse()) as Target["data"];
    explained[host.name] = await connector.explain(
      { name: host.name, address: host.address, data, timeout: settings.config.connectTimeout ?? 10, signal },
      connectorContext,
    );
    if (!isJson) screen.data(lines({ [host.name]: explained[host.name] }).join("\n"));
  }
  if (isJson) screen.data(toJson(explained));
  return Object.values(explained).every(isConnected) ? EXIT.ok : EXIT.failed;
}

const isConnected = ({ connected, hops }: Explanation): boolean =>
  connected === "yes" || (Array.isArray(hops) && hops.every(hop => isConnected(hop as Explanation)));

/** Indented, a line each. */
function lines(explanation: Explanation, indent = ""): string[] {
  return Object.entries(explanation).flatMap(([what, value]) => {
    if (value === undefined) return [];
    const label = indent === "" && typeof value === "object" ? what : words(what);
    if (typeof value !== "object") return [`${indent}${label}: ${value}`];
    if (!Array.isArray(value)) return [`${indent}${label}`, ...lines(value as Explanation, `${indent}  `)];
    if (value.length === 0) return [`${indent}${label}: none`];
    return [
      `${indent}${label}`,
      ...value.flatMap(one =>
        typeof one === "string" ? [`${indent}  ${one}`] : item(lines(one as Explanation, `${indent}    `), indent),
      ),
    ];
  });
}

/** The first line gets a dash. */
const item = ([first = "", ...rest]: readonly string[], indent: string): string[] => [
  `${indent}  - ${first.trimStart()}`,
  ...rest,
];

/** `userFrom` as `user from`. */
const words = (name: string): string => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
