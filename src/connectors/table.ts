/** What connectors can do, in Markdown. @module */
import type { Connector, DataKey } from "../core/connector.ts";

/** A row per connector. */
export function connectorTable(connectors: Iterable<Connector>): string {
  const rows = [...connectors].map(connector => {
    const { name, summary, can, connect } = connector;
    // What is short for a chain runs what the chain does.
    const runs = connect !== undefined || can.pty;
    const cells = [runs, runs && can.pty, runs && can.rsync, runs && can.through === true, !runs].map(yes =>
      yes ? "✓" : "–",
    );
    return `| \`@${name}\` | ${cells.join(" | ")} | ${escaped(summary)} |`;
  });
  return [
    "| connector | commands and their input | terminal | rsync | through others | brings hosts | |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** The table, and the host data that each connector reads. */
export function connectorPage(connectors: Iterable<Connector>): string {
  const all = [...connectors];
  const parts = all
    .filter(({ dataKeys }) => Object.keys(dataKeys).length > 0)
    .map(({ name, summary, dataKeys }) => {
      const rows = Object.entries(dataKeys).map(
        ([key, { type, description, ...more }]) =>
          `| \`${key}\` | ${TYPES[type]} | ${more.default === undefined ? "" : `\`${JSON.stringify(more.default)}\``} | ${escaped(description)} |`,
      );
      return `## @${name}\n\n${summary}\n\n| host data | type | default | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
    });
  return `# Connectors\n\n${PREFACE}\n\n${connectorTable(all)}\n\n${parts.join("\n")}`;
}

/** How a value of host data is written. */
export const TYPES: Readonly<Record<DataKey["type"], string>> = {
  string: "text",
  number: "number",
  boolean: "true or false",
  secret: "text, never shown",
  strings: "list of texts",
};

const PREFACE = `A host is \`@connector/address\`; a plain name is a host of \`@ssh\`. Connectors that run commands may be chained:
\`@ssh/bastion/@docker/app\` is the container app on the host bastion, and every host has a chain of its own. Each host is in the
groups of its connectors, such as \`@docker\`. Host data says the rest: \`["@docker/debian:12", { dockerOnDisconnect: "remove" }]\`.

Connectors of your own are listed in \`infra.config.ts\` (\`connectors: [mine]\`): a \`Connector\` is an object, and \`programConnector\`
makes one out of a program's command line.`;

const escaped = (text: string): string => text.replaceAll("|", "\\|");
