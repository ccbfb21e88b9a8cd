import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describeError } from "../../src/cli/exit.ts";
import { ArgumentError } from "../../src/cli/parse.ts";
import { fatalLines } from "../../src/cli/views/errors.ts";
import { noPaint } from "../../src/cli/views/paint.ts";
import { reportError } from "../../src/engine/report.ts";
import * as errors from "../../src/core/errors.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-exit-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test("a host's error and one that ends the run have their hints from one table", () => {
  const error = new errors.CommandTimeoutError("Command timed out after 1 s: x", { host: "web-1" });
  expect(reportError(error).hint).toBe("_timeout is in seconds and counts for each command");
  expect(describeError(error).report.hint).toBe(reportError(error).hint);
  expect(reportError(new errors.CommandTimeoutError("x", { hint: "y" })).hint).toBe("y");
});

test("wrong usage is 2, an interrupt 130, everything else 1", () => {
  expect(describeError(new ArgumentError("x")).exitCode).toBe(2);
  expect(describeError(new errors.CancelledError("x")).exitCode).toBe(130);
  expect(describeError(new errors.DeployError("x")).exitCode).toBe(1);
  expect(describeError(new TypeError("x")).exitCode).toBe(1);
});

test("an error's own hint wins over the table's", () => {
  expect(describeError(new ArgumentError("x")).report.hint).toBe("See tsinfra --help");
  expect(describeError(new ArgumentError("x", { hint: "y" })).report.hint).toBe("y");
});

test("a mistake of ours says so, and keeps its stack apart", () => {
  const { report, stack } = describeError(new TypeError("undefined is not a function"));
  expect([report.code, report.message]).toEqual(["E_UNEXPECTED", "TypeError: undefined is not a function"]);
  expect(stack).toContain("exit.test.ts");
});

test("a host is named once", () => {
  expect(describeError(new errors.FactError("Cannot read the answer", { host: "web-1" })).report.message).toBe(
    "Cannot read the answer (host web-1)",
  );
  expect(describeError(new errors.FactError("Cannot ask web-1", { host: "web-1" })).report.message).toBe(
    "Cannot ask web-1",
  );
});

describe("an error on the screen", () => {
  test("shows the user's own line with a mark", async () => {
    const file = join(root, "deploy.ts");
    await writeFile(file, 'import { apt } from "tsinfra/operations";\n\n\tapt.packges({ packages: ["vim"] });\n');
    const error = new errors.DeployLoadError("There is no operation packges", {
      at: { file, line: 3, column: 6 },
      hint: 'Did you mean "packages"?',
    });
    const path = relative(process.cwd(), file);
    expect(fatalLines(describeError(error).report, noPaint, 80)).toEqual([
      "Error: There is no operation packges",
      `  at ${path.length < file.length ? path : file}:3:6`,
      '  3 │ apt.packges({ packages: ["vim"] });',
      "    │     ^",
      'Hint: Did you mean "packages"?',
    ]);
  });

  test("shows a long line from where the mistake is", async () => {
    const file = join(root, "long.ts");
    await writeFile(file, `${"x".repeat(200)}!${"y".repeat(200)}\n`);
    const lines = fatalLines({ code: "E", message: "m", at: { file, line: 1, column: 201 } }, noPaint, 60);
    expect(Math.max(...lines.slice(2).map(line => Bun.stringWidth(line)))).toBeLessThanOrEqual(60);
    expect(lines[2]?.[lines[3]?.indexOf("^") ?? -1]).toBe("!");
  });

  test("does without a file that cannot be read, or a line that is not there", async () => {
    expect(
      fatalLines({ code: "E", message: "m", at: { file: "/nowhere.ts", line: 1, column: 1 } }, noPaint, 80).length,
    ).toBe(2);
    await writeFile(join(root, "short.ts"), "one\n");
    expect(
      fatalLines({ code: "E", message: "m", at: { file: join(root, "short.ts"), line: 9, column: 1 } }, noPaint, 80)
        .length,
    ).toBe(2);
  });
});
