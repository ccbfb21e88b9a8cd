/** How what the compiler says is told. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

const HEAD = `import { host, inventory, sh } from "tsinfra";
import * as tsinfra from "tsinfra";
import { server } from "tsinfra/operations";
import * as operations from "tsinfra/operations";
import * as facts from "tsinfra/facts/server";
import * as roles from "./roles.ts";
const handle = server.shell({ commands: ["true"] });
`;

/** What is found in a line behind the head. */
async function said(line: string): Promise<readonly string[]> {
  const cwd = await directory({
    "deploy.ts": `${HEAD}${line}\nexport { facts, handle, host, inventory, operations, roles, server, sh, tsinfra };\nconsole.log(1);\n`,
    "roles.ts": "export class Site { name = 1; }\n",
  });
  return (await check(cwd)).map(found => found.replace(/^deploy.ts:8:\d+ /, "").replace(` ${cwd}`, " "));
}

test("types and modules have the names that users import them by", async () => {
  const cases = {
    "console.log(server.shel);":
      "Property 'shel' does not exist on type 'tsinfra/operations/server'. Did you mean 'shell'? (TS2551)",
    "console.log(operations.srv);": "Property 'srv' does not exist on type 'tsinfra/operations'. (TS2339)",
    "console.log(facts.Krnel);":
      "Property 'Krnel' does not exist on type 'tsinfra/facts/server'. Did you mean 'Kernel'? (TS2551)",
    "console.log(tsinfra.hst);": "Property 'hst' does not exist on type 'tsinfra'. Did you mean 'host'? (TS2551)",
    "const wrong: number = handle; console.log(wrong);":
      "Type 'OperationHandle' is not assignable to type 'number'. (TS2322)",
    "const wrong: number = server; console.log(wrong);":
      "Type 'tsinfra/operations/server' is not assignable to type 'number'. (TS2322)",
  };
  for (const [line, wanted] of Object.entries(cases)) expect(await said(line)).toEqual([wanted]);
  for (const line of [
    "class OperationHandle { a = 1; }\nconst wrong: OperationHandle = handle; console.log(wrong);",
    "const wrong: { a: number }[] = [handle, server, roles, inventory.hosts, facts.Kernel]; console.log(wrong);",
    "handle.then(1);",
  ])
    expect((await said(line)).join("\n")).not.toMatch(
      /import\("\S*(?:tsinfra-check-\w+\/types|\/src\/(?:core|public|operations|facts)\/)/,
    );
});

test("an operation as a condition is one mistake", async () => {
  const wanted = [
    "An operation stands here in place of its result (What it did is known once it has run: pass its `didChange` to `_if`)",
  ];
  for (const line of [
    "if (handle) console.log(2);",
    "console.log(handle ? 1 : 2);",
    "console.log(handle && 1);",
    'if (server.shell({ commands: ["true"] })) console.log(2);',
    "if (!handle) console.log(2);",
  ])
    expect({ line, found: await said(line) }).toEqual({ line, found: wanted });
});
