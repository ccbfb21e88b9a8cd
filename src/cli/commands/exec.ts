/** `tsinfra INVENTORY exec -- COMMAND`. @module */
import { subcommand } from "../command.ts";
import type { Invocation, RunListener } from "../invocation.ts";
import { oneLine, padEnd, widthOf } from "../views/text.ts";

export const exec = subcommand({
  name: "exec",
  description: "Run a shell command on every host",
  usage: ["tsinfra INVENTORY exec -- COMMAND..."],
  args: {
    command: { type: "positional", required: false, description: "Shell command; several words are joined by spaces" },
  },
  notes: [
    "What the command prints goes to stdout and stderr as it comes: byte for byte from one host, in lines behind the host's name from several.",
    "There is no forecast and no question: the command runs.",
  ],
  async run(context, { inventory, shell }) {
    const [{ openInvocation }, { runStages }, { operationNamed }] = await Promise.all([
      import("../invocation.ts"),
      import("../stages.ts"),
      import("../names.ts"),
    ]);
    const invocation = await openInvocation(context, inventory);
    const operation = await operationNamed("server.shell");
    const deploy = { name: "exec", evaluate: async () => void operation({ commands: [shell], name: `exec ${shell}` }) };
    return runStages(invocation, () => Promise.resolve([deploy]), {
      isQuiet: true,
      outputShown: true,
      isUnasked: !invocation.options.dry,
      ...printer(invocation),
    });
  },
});

/** Prints what the commands print: bytes as they are where there is one host, else lines behind its name. */
function printer({ screen, hosts, isJson, shard }: Invocation): RunListener {
  if (isJson) return {};
  if (hosts.length === 1 && !shard) return { onOutput: (_, stream, chunk) => screen.bytes(stream, chunk) };
  const width = hosts.reduce((widest, host) => Math.max(widest, widthOf(oneLine(host.name))), 0);
  return {
    onEvent: event => {
      if (event.type !== "output" || event.for !== "operation") return;
      const line = `${padEnd(`${oneLine(event.host)}:`, width + 1)} ${event.line}`;
      if (event.stream === "stdout") screen.data(line);
      else screen.lines([line]);
    },
  };
}
