/** `tsinfra init`. @module */
import { join, resolve } from "node:path";
import { subcommand } from "../command.ts";
import { EXIT } from "../exit.ts";
import { ArgumentError } from "../parse.ts";
import { writeNew } from "../types-archive.ts";
import { writeEditorTypes } from "./types.ts";

export const init = subcommand({
  name: "init",
  description: "Write a starter: config, inventory, deploy",
  usage: ["tsinfra init [DIRECTORY]"],
  args: { directory: { type: "positional", required: false, description: "Where to write; default: here" } },
  notes: [
    "Writes infra.config.ts, inventory.ts, deploy.ts, tsconfig.json and .tsinfra/types. No file that exists is changed.",
  ],
  async run(context, { words }) {
    const [directory = ".", extra] = words;
    if (extra !== undefined) throw new ArgumentError(`Unexpected argument "${extra}"`);
    const target = resolve(context.io.cwd(), directory);
    for (const { name, text, mode } of STARTER) {
      const isNew = await writeNew(join(target, name), text, mode);
      context.screen.lines([`${isNew ? "Wrote" : "Kept"} ${name}`]);
    }
    await writeEditorTypes(context, target);
    const enter = directory === "." ? "" : `cd ${directory} && `;
    context.screen.lines(["", `Try it: ${enter}tsinfra inventory.ts deploy.ts`]);
    return EXIT.ok;
  },
});

const STARTER: readonly { readonly name: string; readonly text: string; readonly mode?: number }[] = [
  {
    name: "infra.config.ts",
    text: `import { defineConfig } from "tsinfra";

// Defaults for every run in this directory. The command line wins over them.
export default defineConfig({
  inventory: "inventory.ts",
  // sudo: true,
  // data: { sshUser: "ada" },
});
`,
  },
  {
    name: "inventory.ts",
    text: `// Every export is a group of hosts. A host may have data of its own: ["web-1", { sshPort: 2222 }].
// Data of a group can also be in group_data/<group>.ts.
export const here = ["@local"];

// export const web = {
//   hosts: ["web-1.example.com", ["web-2.example.com", { sshUser: "ada" }]],
//   data: { port: 8080 },
// };
`,
  },
  {
    name: "deploy.ts",
    mode: 0o755,
    text: `#!/usr/bin/env tsinfra
import { host } from "tsinfra";
import { files, server } from "tsinfra/operations";
import { Hostname } from "tsinfra/facts/server";

// This file is evaluated once for every host. Facts are awaited, operations are just called.
const hostname = await host.getFact(Hostname);

const note = files.line({
  name: "Leave a note",
  path: "/tmp/tsinfra-hello.txt",
  line: \`Hello from \${hostname}\`,
});

server.shell({
  name: "Read it, if it is new",
  commands: ["cat /tmp/tsinfra-hello.txt"],
  _if: note.didChange,
});
`,
  },
];
