import { expect, test } from "bun:test";
import type { OperationHost } from "../../src/core/host.ts";
import type { Steps } from "../../src/core/steps.ts";
import * as operations from "../../src/operations/index.ts";
import type { GivenFact } from "../conformance/cases.ts";
import { caseHost } from "../conformance/host.ts";

const given = (fact: string, value: GivenFact["value"], args: GivenFact["args"] = {}): GivenFact => ({
  fact,
  key: null,
  args,
  tsArgs: args,
  value,
});

const host = (facts: readonly GivenFact[]) =>
  caseHost({
    id: "x",
    kind: "operation",
    module: "x",
    name: "x",
    x_bound: { named: {} },
    x_tags: [],
    x_facts: facts,
    x_observed: {},
  });

/** The commands of an operation on a host that has these facts. */
async function commandsOf<A extends object>(
  operation: { steps(host: OperationHost, args: A): Steps },
  args: A,
  facts: readonly GivenFact[] = [],
): Promise<readonly string[]> {
  const commands: string[] = [];
  for await (const command of operation.steps(host(facts), args))
    if (command.kind === "shell") commands.push(command.wire());
  return commands;
}

const { dnf, yum } = operations;
const INSTALLED = [
  given("rpm.RpmPackages", { vim: ["9.1"] }),
  given("rpm.RpmPackageProvides", [], { package: "vim" }),
  given("rpm.RpmPackageProvides", [], { package: "git=2" }),
  given("rpm.RpmPackageProvides", [], { package: "git" }),
];

test("yum and dnf send the same commands, each under its own name", async () => {
  const args = {
    packages: ["vim", "git=2"],
    latest: true,
    update: true,
    clean: true,
    noBest: true,
    extraInstallArgs: "--nogpgcheck",
  };
  expect(await commandsOf(yum.packages, args, INSTALLED)).toEqual([
    "yum clean all",
    "yum update -y",
    "yum install -y --nobest --nogpgcheck git=2",
    "yum update -y vim",
  ]);
  const asDnf = (commands: readonly string[]) => commands.map(line => line.replace(/^yum/, "dnf"));
  for (const want of [args, { packages: "vim", present: false, extraUninstallArgs: ["--noautoremove"] }])
    expect(await commandsOf(dnf.packages, want, INSTALLED)).toEqual(
      asDnf(await commandsOf(yum.packages, want, INSTALLED)),
    );
  expect(await commandsOf(dnf.update, {})).toEqual(asDnf(await commandsOf(yum.update, {})));
});

/** Each with what `update`, `upgrade` and an installation say. */
const FAMILIES = {
  apk: ["apk update", "apk upgrade", "apk add curl"],
  brew: ["brew update", "brew upgrade", "brew install curl"],
  pacman: ["pacman -Sy", "pacman --noconfirm -Su", "pacman --noconfirm -S curl"],
  pkgin: ["pkgin -y update", "pkgin -y upgrade", "pkgin -y install curl"],
  xbps: ["xbps-install -S", "xbps-install -y -u", "xbps-install -y -u curl"],
} as const;

for (const [name, [refresh, upgradeAll, install]] of Object.entries(FAMILIES))
  test(`${name}.packages does first what ${name}.update and ${name}.upgrade do`, async () => {
    const { packages, update, upgrade } = operations[name as keyof typeof FAMILIES];
    const fact = `${name}.${name[0]?.toUpperCase()}${name.slice(1)}Packages`;
    const nothing = [given(fact, {}), given("pacman.PacmanUnpackGroup", [], { package: "curl" })];
    expect(await commandsOf(update, {})).toEqual([refresh]);
    expect(await commandsOf(upgrade, {})).toEqual([upgradeAll]);
    expect(await commandsOf(packages, { packages: "curl", update: true, upgrade: true }, nothing)).toEqual([
      refresh,
      upgradeAll,
      install,
    ]);
    expect(await commandsOf(packages, { packages: "curl" }, nothing)).toEqual([install]);
  });
