/** `tsinfra INVENTORY MODULE.OPERATION [ARGUMENT] [key=value]…`. @module */
import { subcommand } from "../command.ts";

export const operation = subcommand({
  name: "operation",
  description: "Run one operation",
  usage: ["tsinfra INVENTORY MODULE.OPERATION [ARGUMENT] [KEY=VALUE]..."],
  args: {
    operation: {
      type: "positional",
      required: false,
      valueHint: "MODULE.OPERATION",
      description: "Such as apt.packages or server.shell",
    },
    argument: {
      type: "positional",
      required: false,
      description: "An argument by position, where the operation has some",
    },
    named: {
      type: "positional",
      required: false,
      valueHint: "KEY=VALUE",
      description: "An argument by name, _sudo=true and its like included",
    },
  },
  notes: [
    "Values are read as what the argument takes: text, a number, true or false, a list as a,b, anything else as JSON. tsinfra docs MODULE.OPERATION tells.",
    'All arguments can be one word of JSON: \'[["vim"], {"present": false}]\'.',
  ],
  async run(context, { inventory, name, words }) {
    const [{ openInvocation }, { runStages }, { operationArguments, operationNamed }] = await Promise.all([
      import("../invocation.ts"),
      import("../stages.ts"),
      import("../names.ts"),
    ]);
    const called = await operationNamed(name);
    const args = await operationArguments(called, words);
    const invocation = await openInvocation(context, inventory);
    return runStages(invocation, () => Promise.resolve([{ name, evaluate: async () => void called(args) }]));
  },
});
