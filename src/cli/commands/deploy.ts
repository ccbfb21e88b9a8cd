/** `tsinfra INVENTORY DEPLOY.ts…` and `./deploy.ts [INVENTORY]`. @module */
import { subcommand } from "../command.ts";

export const deploy = subcommand({
  name: "deploy",
  description: "Run deploy files",
  usage: ["tsinfra INVENTORY DEPLOY.ts...", "./DEPLOY.ts [INVENTORY]"],
  args: {
    inventory: { type: "positional", required: false, description: "Hosts, a connector, or a file of groups" },
    deploy: {
      type: "positional",
      required: false,
      valueHint: "DEPLOY.ts",
      description: "Deploy files, run one after the other",
    },
  },
  notes: [
    "Connects to all hosts, evaluates the files for each of them, shows what would change, asks, and makes it so.",
    "A file that starts with #!/usr/bin/env tsinfra can be called as a program. Without an inventory the one of infra.config.ts is used; without that either, this machine, after a question. Where there is no terminal to ask on, an inventory must be named: -y does not answer this question.",
  ],
  async run(context, { inventory, files }) {
    const [{ openInvocation }, { runStages }] = await Promise.all([import("../invocation.ts"), import("../stages.ts")]);
    const invocation = await openInvocation(context, inventory, files[0]);
    return runStages(invocation, async () => {
      const ready = invocation.installModules();
      const { loadDeploy } = await import("../../deploy/index.ts");
      const deploys = [];
      for (const file of files) deploys.push(await loadDeploy(file, { cwd: invocation.cwd, ready }));
      return deploys;
    });
  },
});
