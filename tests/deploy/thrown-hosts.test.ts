import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describeError } from "../../src/cli/exit.ts";
import { explained } from "../../src/cli/explain.ts";
import { installDeployModules, loadDeploy } from "../../src/deploy/index.ts";
import { fakeRun } from "../support/fake-run.ts";

let dir: string;
let files = 0;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/thrown-hosts-`));
  await installDeployModules();
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What is told of a deploy file that cannot be prepared on hosts, and of what else is wrong beside it. */
async function told(body: string, hosts: readonly string[] = ["app-1", "app-2", "app-3"]) {
  const file = `${dir}/deploy${files++}.ts`;
  writeFileSync(file, `import { host } from "tsinfra";\n${body}`);
  const fake = fakeRun(hosts, {}, { cwd: dir });
  await fake.run.connect();
  const thrown: unknown = await fake.run.prepare([await loadDeploy(file, { cwd: dir })]).then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );
  const { report } = describeError(await explained(thrown));
  return { file, thrown, report, logs: fake.of("log") };
}

describe("what the user's code throws on some of several hosts is told with the host", () => {
  test.each([
    ["an error", `new Error("boom")`, "boom"],
    ["an error of another kind", `new TypeError("boom")`, "TypeError: boom"],
    ["an error without a message", `new Error()`, "An error without a message was thrown"],
    ["an error that is frozen", `Object.freeze(new Error("boom"))`, "boom"],
    ["an error of the runtime", `new DOMException("boom", "AbortError")`, "AbortError: boom"],
    ["several errors", `new AggregateError([new Error("a"), new Error("b")], "boom")`, "AggregateError: boom"],
    ["a text", `"boom"`, 'FILE threw "boom"'],
    ["null", `null`, "FILE threw null"],
    ["nothing", `undefined`, "FILE threw undefined"],
  ])("%s", async (_, value, message) => {
    const { file, report } = await told(`if (host.name === "app-2")\n  throw ${value};`);
    expect(report.message).toBe(`${message.replace("FILE", file)} (host app-2)`);
    expect(report.at).toMatchObject({ file, line: 3 });
  });

  test("also an object that is no error, whose place nobody knows", async () => {
    const { file, report } = await told(`if (host.name === "app-2") throw Object.freeze({ a: 1 });`);
    expect(report.message).toBe(`${file} threw { a: 1 } (host app-2)`);
  });

  test("and with how many more there are", async () => {
    const { report } = await told(`if (host.name !== "app-1") throw new Error("boom");`);
    expect(report.message).toBe("boom (and on 1 more host) (host app-2)");
  });

  test("each that differs with its own", async () => {
    const { file, report, logs } = await told(`throw new Error(\`boom \${host.name.slice(-1)}\`);`);
    expect(report.message).toBe("boom 1 (host app-1)");
    expect(logs.map(({ host, message }) => [host, message])).toEqual([
      ["app-2", `boom 2 (${file}:2:11)`],
      ["app-3", `boom 3 (${file}:2:11)`],
    ]);
  });

  test("though its words have the host's name by chance", async () => {
    const hosts = ["db", "web"];
    const throwing = (error: string): Promise<string> =>
      told(`if (host.name === "db") throw ${error};`, hosts).then(({ report }) => report.message);
    expect(await throwing(`new Error("no feedback")`)).toBe("no feedback (host db)");
    expect(await throwing(`new Error("no db password")`)).toBe("no db password (host db)");
    expect(await throwing(`new Error(\`Host "\${host.name}" has no role\`)`)).toBe('Host "db" has no role');
    expect(await throwing(`new Error(\`no role on \${host.name}\`)`)).toBe("no role on db");
    expect(await throwing(`new Error(\`\${host.name}: no role\`)`)).toBe("db: no role");
  });

  test("through the functions that it came from", async () => {
    const { file, report } = await told(
      `const role = (name: string): string => {\n  if (name === "app-2") throw new Error("boom");\n  return name;\n};\nrole(host.name);`,
    );
    expect(report).toMatchObject({
      message: "boom (host app-2)",
      at: { file, line: 3, column: 35 },
    });
    expect(report.callers?.[0]).toMatchObject({ file, line: 6 });
  });

  test("also what is one object for all of them, and an error of ours that cannot be changed", async () => {
    const shared = await told(`const error = new Error("boom");\nif (host.name !== "app-3") throw error;`);
    expect(shared.report.message).toBe("boom (and on 1 more host) (host app-1)");
    const ours = await told(
      `import { server } from "tsinfra/operations";
try {
  server.shell({ commands: [], ...(host.name === "app-2" ? { _sudoo: 1 } : {}) });
} catch (error) {
  throw Object.freeze(error);
}`,
    );
    expect(ours.report).toMatchObject({
      code: "E_GLOBAL_ARGUMENT",
      message: 'server.shell has no global argument "_sudoo" (host app-2)',
    });
  });
});

test("the error itself is left as it was thrown", async () => {
  const { thrown } = await told(`if (host.name === "app-2") throw Object.assign(new Error("boom"), { code: 7 });`);
  expect(thrown).toMatchObject({ message: "boom", code: 7 });
  expect(Object.keys(thrown as Error)).not.toContain("host");
});

test("what is wrong on every host names none, nor does what is wrong on the only one", async () => {
  expect((await told(`throw new Error("boom");`)).report.message).toBe("boom");
  expect((await told(`throw new Error("boom");`, ["app-1"])).report.message).toBe("boom");
});
