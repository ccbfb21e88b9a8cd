/** `tsinfra INVENTORY exec -- COMMAND`. @module */
import type { EngineEvent } from "../../engine/events.ts";
import { subcommand } from "../command.ts";
import type { Session } from "../session.ts";
import { oneLine, padEnd, widthOf } from "../views/text.ts";

export const exec = subcommand({
  name: "exec",
  description: "Run a shell command on every host",
  usage: ["tsinfra INVENTORY exec -- COMMAND..."],
  args: {
    command: { type: "positional", required: false, description: "Shell command; several words are joined by spaces" },
  },
  notes: [
    "What the command prints goes to stdout and stderr as it comes, behind the host's name where there is more than one host.",
    "There is no forecast and no question: the command runs.",
  ],
  async run(context, { inventory, shell }) {
    const [{ openSession }, { runStages }, { operationNamed }] = await Promise.all([
      import("../session.ts"),
      import("../stages.ts"),
      import("../names.ts"),
    ]);
    const session = await openSession(context, inventory);
    const operation = await operationNamed("server.shell");
    const deploy = { name: "exec", evaluate: async () => void operation({ commands: [shell], name: `exec ${shell}` }) };
    return runStages(session, () => Promise.resolve([deploy]), {
      isQuiet: true,
      outputShown: true,
      isUnasked: !session.options.dry,
      onEvent: printer(session),
    });
  },
});

/** Prints what the commands print. */
function printer({ screen, hosts, isJson, shard }: Session): (event: EngineEvent) => void {
  const width = Math.max(0, ...hosts.map(host => widthOf(oneLine(host.name))));
  const prefix = (host: string): string =>
    hosts.length === 1 && !shard ? "" : `${padEnd(`${oneLine(host)}:`, width + 1)} `;
  return event => {
    if (isJson || event.type !== "output" || event.for !== "operation") return;
    if (event.stream === "stdout" && hosts.length === 1 && !shard)
      screen.data(event.line, { goesOn: event.continues ?? false });
    else if (event.stream === "stdout") screen.data(prefix(event.host) + event.line);
    else screen.lines([prefix(event.host) + event.line]);
  };
}
