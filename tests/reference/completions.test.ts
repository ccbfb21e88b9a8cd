import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { completionScript, completionWords, SHELLS, type ShellName } from "../../src/cli/completions/index.ts";
import { type Reference, type ValueType } from "../../src/reference/index.ts";
import { needTools } from "../support/machine.ts";
import { spawn } from "../support/test-host.ts";

const entry = (name: string, types: Readonly<Record<string, ValueType>>) => ({
  name,
  module: name.split(".")[0] ?? "",
  summary: `Says what's "in" $it: \`${name}\`. And more.`,
  arguments: Object.entries(types).map(([argument, type]) => ({
    name: argument,
    text: "",
    required: false,
    type,
    typeText: "",
  })),
  examples: [],
  source: "",
});
const REFERENCE: Reference = {
  operations: [
    {
      ...entry("apt.packages", {
        packages: { list: "string" },
        present: "boolean",
        state: { is: ["started", "stop ped"] },
      }),
      positional: [],
      idempotent: true,
      testedOn: [],
    },
    { ...entry("apt.update", {}), positional: [], idempotent: true, testedOn: [] },
    { ...entry("old.gone", {}), positional: [], idempotent: true, testedOn: [], deprecated: "Use apt.update" },
  ],
  facts: [
    { ...entry("files.File", { path: "string" }), resultText: "" },
    { ...entry("files.Link", {}), resultText: "" },
  ],
  operationModules: [{ name: "apt", summary: "Debian's packages." }],
  factModules: [{ name: "files", summary: "Files." }],
  globals: [{ name: "_sudo", text: "", required: false, type: "boolean", typeText: "" }],
  aliases: {},
  problems: [],
};

const directory = mkdtempSync(join(tmpdir(), "completions-"));
afterAll(() => rmSync(directory, { recursive: true }));
const scriptOf = (shell: ShellName): string => join(directory, `tsinfra.${shell}`);
beforeAll(async () => {
  await needTools({ bash: "bash", zsh: "zsh", fish: "fish" });
  for (const shell of SHELLS) writeFileSync(scriptOf(shell), completionScript(shell, completionWords(REFERENCE)));
  for (const name of ["deploy.ts", "notes.txt"]) writeFileSync(join(directory, name), "");
}, 300_000);

/** What each shell offers for a line. */
const OFFERS: Readonly<Record<"bash" | "fish", (line: string) => Promise<readonly string[]>>> = {
  async bash(line) {
    // As bash itself splits a line into words.
    const words = line.slice("tsinfra ".length).match(/[=:]+|[^\s=:]+/g) ?? [];
    const all = ["tsinfra", ...words, ...(/[\s=:]$/.test(line) ? [""] : [])];
    const program =
      'source "$1"; line=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE=$line; COMP_POINT=${#line}; _tsinfra; printf "%s\\n" "${COMPREPLY[@]}"';
    return lines(["bash", "--norc", "-c", `cd '${directory}'; ${program}`, "bash", scriptOf("bash"), line, ...all]);
  },
  async fish(line) {
    return (
      await lines([
        "fish",
        "--no-config",
        "-c",
        `cd '${directory}'; source tsinfra.fish; complete -C ${JSON.stringify(line)}`,
      ])
    ).map(found => found.split("\t")[0] ?? "");
  },
};

async function lines(argv: string[]): Promise<readonly string[]> {
  const ended = await spawn(argv, undefined, { ...process.env, HOME: directory });
  expect(ended.stderr).toBe("");
  return ended.stdout.split("\n").filter(line => line !== "");
}

const CASES: Readonly<Record<string, readonly string[]>> = {
  "tsinfra do": ["docs"],
  "tsinfra @local apt.": ["apt.packages", "apt.update"],
  "tsinfra --sudo --parallel 5 @local apt.p": ["apt.packages"],
  "tsinfra @local old.": [],
  "tsinfra @local apt.packages p": ["packages=", "present="],
  "tsinfra @local apt.packages _": ["_sudo="],
  "tsinfra @local fact files.L": ["files.Link"],
  "tsinfra @local fact files.File p": ["path="],
  "tsinfra fact files.L": ["files.Link"],
  "tsinfra docs files.F": ["files.File"],
  "tsinfra docs a": ["apt", "apt.packages", "apt.update"],
  "tsinfra completions z": ["zsh"],
  "tsinfra --fail": ["--fail-percent"],
  "tsinfra @local dep": ["deploy.ts"],
};

describe.each(["bash", "fish"] as const)("%s", shell => {
  test.each(Object.entries(CASES))("completes %p", async (line, offered) => {
    expect([...new Set(await OFFERS[shell](line))].sort()).toEqual([...offered].sort());
  });

  test("completes the values of an argument that can be listed", async () => {
    const values = async (line: string) => (await OFFERS[shell](line)).map(found => found.replace(/^\w+=/, ""));
    expect(await values("tsinfra @local apt.packages present=t")).toEqual(["true"]);
    expect(await values("tsinfra @local apt.packages state=")).toEqual(["started"]);
    expect(await values("tsinfra @local apt.packages _sudo=f")).toEqual(["false"]);
  });
});

test("zsh completes a line as it is typed", async () => {
  const out = join(directory, "zsh.out");
  const typed = [
    "tsinfra @local apt.pack",
    "tsinfra @local apt.packages pac",
    "tsinfra @local apt.packages present=t",
    "tsinfra docs files.Li",
    "tsinfra --fail-p",
    "tsinfra @local fact files.Li",
    "tsinfra @local dep",
  ];
  writeFileSync(
    join(directory, "type.zsh"),
    [
      "zmodload zsh/zpty; zpty shell zsh -f -i",
      `zpty -w shell 'cd ${directory}; PS1=; autoload -Uz compinit; compinit -u -D; source ${scriptOf("zsh")}'`,
      `zpty -w shell 'keep() { print -r -- "$BUFFER" >> ${out}; BUFFER=; }; zle -N keep; bindkey "^T" keep; print > ${join(directory, "ready")}'`,
      `until [[ -e ${join(directory, "ready")} ]]; do read -t 0.05 <&-; zpty -r -t shell seen; done`,
      ...typed.map(
        (line, index) =>
          `zpty -w -n shell ${JSON.stringify(line)}$'\\t\\x14'; until [[ $(wc -l < ${out} 2>/dev/null || echo 0) -gt ${index} ]]; do zpty -r -t shell seen || sleep 0.02; done`,
      ),
      "zpty -d shell",
    ].join("\n"),
  );
  const ended = await spawn(["timeout", "60", "zsh", "-f", join(directory, "type.zsh")], undefined, {
    ...process.env,
    HOME: directory,
    TERM: "dumb",
  });
  expect(ended.exitCode, ended.stderr).toBe(0);
  expect(
    (await Bun.file(out).text())
      .trimEnd()
      .split("\n")
      .map(line => line.trimEnd()),
  ).toEqual([
    "tsinfra @local apt.packages",
    "tsinfra @local apt.packages packages=",
    "tsinfra @local apt.packages present=true",
    "tsinfra docs files.Link",
    "tsinfra --fail-percent",
    "tsinfra @local fact files.Link",
    "tsinfra @local deploy.ts",
  ]);
}, 90_000);
