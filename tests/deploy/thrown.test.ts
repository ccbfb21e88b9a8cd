import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { explained } from "../../src/cli/explain.ts";
import { DeployError, type TsinfraError } from "../../src/core/errors.ts";
import { installDeployModules, loadDeploy, prepareModule } from "../../src/deploy/index.ts";
import { reportError } from "../../src/engine/report.ts";
import { loadInventory } from "../../src/inventory/index.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";

let dir: string;
let files = 0;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/thrown-`));
  await installDeployModules();
});
afterAll(() => rmSync(dir, { recursive: true }));

const write = (source: string): string => {
  const file = `${dir}/deploy${files++}.ts`;
  writeFileSync(file, source);
  return file;
};

/** A run of a deploy file, and what it threw. */
async function outcome(
  source: string,
  hosts: readonly string[] = ["a"],
  fake: Parameters<typeof fakeRun>[1] = {},
): Promise<FakeRun & { readonly file: string; readonly error: TsinfraError | undefined }> {
  const file = write(source);
  const made = fakeRun(hosts, fake, {
    cwd: dir,
    loadDeploy: (name, includedFrom) => loadDeploy(name, { cwd: dir, includedFrom }),
  });
  await made.run.connect();
  try {
    await made.run.prepare([await loadDeploy(file, { cwd: dir })]);
    await made.run.execute();
  } catch (error) {
    return { ...made, file, error: (await explained(error)) as TsinfraError };
  }
  return { ...made, file, error: undefined };
}

/** Loading counts lines of what the engine runs, so each stands behind something that is erased. */
const ERASED = `interface Erased {\n  a: number;\n}\nenum Kind { One,\n  Two }\nvoid Kind;\n`;

describe("what the runtime throws into a deploy file is told at its line", () => {
  const cases: Readonly<Record<string, readonly [source: string, message: string, line?: number]>> = {
    "a text that is no base64": [`\natob("%%%");`, "InvalidCharacterError: The string contains invalid characters.", 8],
    "what cannot be cloned": [`structuredClone(() => {});`, "DataCloneError: The object can not be cloned.", 7],
    "in a function": [
      `const f = () => {\n  atob("%%%");\n};\nf();`,
      "InvalidCharacterError: The string contains invalid characters.",
      8,
    ],
    "a signal that was aborted": [
      `const { signal } = { signal: AbortSignal.abort() };\nsignal.throwIfAborted();`,
      "AbortError: The operation was aborted.",
      8,
    ],
    "an error whose stack was emptied": [`const e = new Error("mine");\ne.stack = "";\nthrow e;`, "mine", 7],
    "an error whose stack was deleted": [`const e = new Error("mine");\ndelete e.stack;\nthrow e;`, "mine", 7],
    "an error whose stack was replaced": [
      `const e = new Error("mine");\ne.stack = "Error: mine";\nthrow e;`,
      "mine",
      7,
    ],
    "an error without a message": [`\nthrow new Error();`, "An error without a message was thrown", 8],
    "an error that can be asked nothing": [
      `class Bad extends Error {\n  get name(): never { throw 1; }\n  get message(): never { throw 2; }\n  get stack(): never { throw 3; }\n  get cause(): never { throw 4; }\n}\nthrow new Bad();`,
      "An error without a message was thrown",
      13,
    ],
    "what an exception of its own has no stack of": [
      `throw new DOMException("dom", "AbortError");`,
      "AbortError: dom",
      7,
    ],
    "such an exception that is written in no one place": [
      `const text = "made";\nthrow new DOMException(text, "AbortError");`,
      "FILE threw AbortError: made",
    ],
    "a time limit": [
      `const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });\ntry {\n  await fetch(\`http://127.0.0.1:\${silent.port}\`, { signal: AbortSignal.timeout(5) });\n} finally {\n  silent.stop(true);\n}`,
      "TimeoutError: The operation timed out.",
      9,
    ],
    "a time limit among other signals": [
      `const limit = AbortSignal.timeout(5);\nconst any = AbortSignal.any([limit, new AbortController().signal]);\nawait new Promise((_, reject) => any.addEventListener("abort", () => reject(any.reason)));`,
      "TimeoutError: The operation timed out.",
      7,
    ],
    "a time limit of a timer": [
      `import { setTimeout } from "node:timers/promises";\n\nawait setTimeout(10_000, 0, { signal: AbortSignal.timeout(5) });`,
      "AbortError: The operation was aborted",
      9,
    ],
    "promises that all failed": [
      `await Promise.any([\n  Promise.reject(new Error("a")),\n]);`,
      "AggregateError of 1 error",
      8,
    ],
    "promises that failed with what is no error": [
      `await Promise.any([Promise.reject(1), Promise.reject(2)]);`,
      "FILE threw AggregateError of 2 errors",
    ],
  };
  for (const [name, [source, message, line]] of Object.entries(cases))
    test(name, async () => {
      const { error, file } = await outcome(`${ERASED}${source}\n`);
      expect(error).toBeInstanceOf(DeployError);
      expect(error?.message).toBe(message.replace("FILE", file));
      // What calls the file is a test here, whose own files look like the user's.
      expect(error?.at?.file === file ? error.at.line : undefined).toBe(line);
    });

  test("also in an included file, with who included it", async () => {
    const inner = write(`${ERASED}atob("%%%");\n`);
    const { error, file } = await outcome(`import { local } from "tsinfra";\n\nawait local.include("${inner}");\n`);
    expect(error?.at).toMatchObject({ file: inner, line: 7 });
    expect(error?.callers).toMatchObject([{ file, line: 3 }]);
  });

  test("in an included file without a line, at the include", async () => {
    const inner = write(`const text = "inner";\nthrow new DOMException(text, "AbortError");\n`);
    const { error, file } = await outcome(`import { local } from "tsinfra";\n\nawait local.include("${inner}");\n`);
    expect(error?.message).toBe(`${inner} threw AbortError: inner`);
    expect(error?.at).toMatchObject({ file, line: 3 });
    expect(error?.callers).toEqual([]);
  });

  test("of a file that is not there, once", async () => {
    const { error, file } = await outcome(`import { local } from "tsinfra";\n\nawait local.include("./nope.ts");\n`);
    expect(error?.message).toBe('There is no deploy file "./nope.ts"');
    expect(error?.at).toMatchObject({ file, line: 3 });
    expect(error?.callers).toEqual([]);
  });

  test("in what it imports", async () => {
    const helper = write(`${ERASED}export const x = 1;\natob("%%%");\n`);
    const { error } = await outcome(`import { x } from "${helper}";\nvoid x;\n`).catch(async (thrown: unknown) => ({
      error: (await explained(thrown)) as TsinfraError,
    }));
    expect(error?.message).toContain("InvalidCharacterError: The string contains invalid characters.");
    expect(error?.at).toMatchObject({ file: helper, line: 8 });
  });

  test("in an inventory, and in a function of it", async () => {
    for (const body of [
      `atob("%%%");`,
      `throw new AggregateError([new Error("a"), new Error("b")], "InvalidCharacterError");`,
    ]) {
      const file = write(
        `${ERASED}export const web = ["a"];\nexport const hosts = () => {\n  ${body}\n};\nif (process.argv.length === 0) hosts();\n`,
      );
      const error: unknown = await loadInventory(`${file}:hosts`, {
        cwd: dir,
        connectors: new Map(),
        context: { ask: async () => undefined, warn() {}, inform() {}, cwd: dir },
        beforeImport: prepareModule,
      }).catch((thrown: unknown) => thrown);
      expect(String(error)).toContain("InvalidCharacterError");
      expect((error as TsinfraError).at).toMatchObject({ file, line: 9 });
    }
  });
});

describe("what conditions, callbacks and steps throw is told in their words", () => {
  const failures = ({ of }: FakeRun) => of("operation:host:end").map(({ error }) => error);

  test("in a callback", async () => {
    const made = await outcome(
      `import { ts } from "tsinfra/operations";\nts.call({ function: async () => {\n  await Promise.any([Promise.reject(new TypeError("a")), Promise.reject("b")]);\n} });\nts.call({ function: () => {\n  throw new DOMException("dom", "AbortError");\n}, _ignoreErrors: true });\n`,
    );
    expect(failures(made)[0]).toMatchObject({
      message: "ts.call threw AggregateError of 2 errors",
      at: { file: made.file, line: 3 },
      causes: ["TypeError: a", '"b"'],
    });
  });

  test("in a condition, at its line and the operation's", async () => {
    const made = await outcome(
      `import { server } from "tsinfra/operations";\nserver.shell({\n  commands: ["true"],\n  _if: () => {\n    atob("%%%");\n    return true;\n  },\n});\n`,
    );
    expect(failures(made)[0]).toMatchObject({
      message: "The condition in `_if` threw InvalidCharacterError: The string contains invalid characters.",
      at: { file: made.file, line: 5 },
      callers: [{ file: made.file, line: 2 }],
    });
  });

  test("in a callback without a line, at the call of the operation", async () => {
    const made = await outcome(
      `import { ts } from "tsinfra/operations";\n\nts.call({ function: () => {\n  throw new DOMException("dom", "AbortError");\n} });\n`,
    );
    expect(failures(made)[0]).toMatchObject({
      message: "ts.call threw AbortError: dom",
      at: { file: made.file, line: 3 },
    });
  });
});

describe("an error that was made of others", () => {
  test("tells them, and what they were made of, up to a limit", async () => {
    const { error } = await outcome(
      `const inner = new AggregateError([new Error("one"), "two"], "inner");\nthrow new AggregateError([inner, new TypeError("three", { cause: new Error("four") })], "outer");\n`,
    );
    expect(reportError(error)).toMatchObject({
      message: "AggregateError: outer",
      causes: ["AggregateError: inner", "Error: one", '"two"', "TypeError: three", "Error: four"],
    });
    const { error: wide } = await outcome(
      `const own = new AggregateError([1, 2, 3, 4, 5, 6, 7, 8, 9], "own");\nown.errors.unshift(own, own);\nthrow own;\n`,
    );
    const { causes } = reportError(wide);
    expect(causes).toHaveLength(13);
    expect(causes?.at(-1)).toBe("more");
  });

  const FACTS = `import { fact, host, sh } from "tsinfra";\nconst Bad = fact<{ n: number }, string>({ name: "own.Bad", command: ({ n }) => sh\`bad \${n}\`, parse: lines => lines.join(), empty: "" });\n`;
  const answer = (host: string, command: string) =>
    host === "b" && command.includes("bad") ? { exitCode: 3, stderr: "no" } : {};
  // Answers of several questions at once are more than this host can give.
  const onB = (source: string): string => `if (host.name === "b") {\n${source}\n}\n`;
  const ways: Readonly<Record<string, string>> = {
    "by Promise.any": `await Promise.any([host.getFact(Bad, { n: 1 }), host.getFact(Bad, { n: 2 })]);`,
    "by hand": `const all = await Promise.allSettled([host.getFact(Bad, { n: 1 }), host.getFact(Bad, { n: 2 })]);\nconst bad = all.flatMap(one => (one.status === "rejected" ? [one.reason] : []));\nif (bad.length > 0) throw new AggregateError(bad, "both failed");`,
    "as its cause": `try {\n  await host.getFact(Bad, { n: 1 });\n} catch (cause) {\n  throw new Error("without it", { cause });\n}`,
  };
  for (const [name, source] of Object.entries(ways))
    test(`of a host's answers ${name} fails that host alone`, async () => {
      const { error, file, of, run } = await outcome(`${FACTS}${onB(source)}`, ["a", "b", "c"], { answer });
      expect(error).toBeUndefined();
      expect(run.failedHosts).toEqual(["b"]);
      const [failed] = of("host:failed");
      expect(failed?.error.message).toStartWith(`${file.slice(dir.length + 1)} threw `);
      expect(failed?.error.at).toMatchObject({ file });
      expect(failed?.error.causes?.[0]).toContain("own.Bad");
    });

  test("of a host's answers and something else is a mistake in the file", async () => {
    const { error } = await outcome(
      `${FACTS}${onB(`await Promise.any([host.getFact(Bad, { n: 1 }), Promise.reject(new RangeError("x"))]);`)}`,
      ["a", "b"],
      { answer },
    );
    expect(reportError(error).causes).toEqual([expect.stringContaining("own.Bad"), "RangeError: x"]);
  });
});
