/** What a config says, and what is wrong with it. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { loadConfigFile } from "../../src/config/index.ts";
import { check, checksFiles, directory } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

const CAN = "can: { pty: false, stdin: true, rsync: false, users: false }";

describe("connectors of the project's own", () => {
  const config = (connectors: string): string => `import type { Connector } from "tsinfra";
const name = "mine";
const base = { name, summary: "Mine", dataKeys: {} };
export const noConnect = (): void => {};
export default { connectors: ${connectors} };
`;
  const problems = async (connectors: string): Promise<readonly string[]> => {
    const found = await check(await directory({ "infra.config.ts": config(connectors) }), "infra.config.ts");
    return found.flatMap(line => (/Setting "connectors"/.test(line) ? [line] : []));
  };

  test.each([
    [`[{ name: "mine", summary: "Mine", ${CAN}, dataKeys: {}, async hosts() { return []; } }]`],
    [
      `[{ name, summary: "Mine", ${CAN}, dataKeys: {}, async connect() { throw new Error("no"); } } satisfies Connector]`,
    ],
    [`[{ ...base, ${CAN}, async "hosts"() { return []; } }] satisfies readonly Connector[]`],
    [`[{ ...base, ${CAN}, hosts: async () => [] }]`],
    [`[{ ...base, ${CAN}, hosts: noConnect }, { name, ...Object(base) }, Object(base)]`],
    [`[{ ...base, get can() { return {}; }, hosts: async () => [] }]`],
  ])("are left alone: %s", async connectors => {
    expect(await problems(connectors)).toEqual([]);
  });

  test.each([
    [`[{ ...base, ${CAN} }]`, '"mine" without connect or hosts'],
    [`[{ name: "mine", async hosts() { return []; } }]`, '"mine" without can, and without dataKeys'],
    [`[{ ...base, ${CAN}, async hosts() { return []; } }, { summary: "x" }]`, "one without a name"],
    [
      `[{ ...base, name: "My own" }]`,
      'one named "My own": a name has small letters, digits and dashes, and begins with a letter',
    ],
    ["[5]", "5"],
    ["5", "5"],
  ])("that lack something are told, with what it is, by check and by a run: %s", async (connectors, found) => {
    const message = `Setting "connectors" must be a list of connectors, each with name, can, dataKeys, and connect or hosts, found ${found}`;
    const [problem] = await problems(connectors);
    expect(problem).toEndWith(` ${message}`);
    const cwd = await directory({ "infra.config.ts": config(connectors) });
    const run = loadConfigFile({ cwd, file: join(cwd, "infra.config.ts") });
    expect(
      await run.then(
        () => "",
        (error: Error) => error.message,
      ),
    ).toBe(message);
  });
});
