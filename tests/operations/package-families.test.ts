import { expect, test } from "bun:test";
import type { OperationHost } from "../../src/core/host.ts";
import type { OperationDefinition, Steps } from "../../src/core/operation.ts";
import { ApkPackages } from "../../src/facts/apk.ts";
import { BrewPackages } from "../../src/facts/brew.ts";
import { PacmanPackages, PacmanUnpackGroup } from "../../src/facts/pacman.ts";
import { PkginPackages } from "../../src/facts/pkgin.ts";
import { RpmPackageProvides, RpmPackages } from "../../src/facts/rpm.ts";
import { XbpsPackages } from "../../src/facts/xbps.ts";
import { apk, brew, dnf, pacman, pkgin, xbps, yum } from "../../src/operations/index.ts";
import { foresee, type Stated } from "../support/fact-host.ts";

const INSTALLED: readonly Stated[] = [
  [RpmPackages, { vim: ["9.1"] }],
  [RpmPackageProvides, []],
];

test("yum and dnf send the same commands, each under its own name", async () => {
  const latest = {
    packages: ["vim", "git=2"],
    latest: true,
    update: true,
    clean: true,
    noBest: true,
    extraInstallArgs: "--nogpgcheck",
  };
  const sent = await foresee(yum.packages, latest, INSTALLED);
  expect(sent.commands).toEqual([
    "yum clean all",
    "yum update -y",
    "yum install -y --nobest --nogpgcheck git=2",
    "yum update -y vim",
  ]);
  const asDnf = (commands: readonly string[]) => commands.map(line => line.replace(/^yum/, "dnf"));
  expect((await foresee(dnf.packages, latest, INSTALLED)).commands).toEqual(asDnf(sent.commands));
  const gone = { packages: "vim", present: false, extraUninstallArgs: ["--noautoremove"] };
  expect((await foresee(dnf.packages, gone, INSTALLED)).commands).toEqual(["dnf remove -y --noautoremove vim"]);
  expect((await foresee(yum.packages, gone, INSTALLED)).commands).toEqual(["yum remove -y --noautoremove vim"]);
  expect((await foresee(dnf.update, {}, [])).commands).toEqual(["dnf update -y"]);
  expect((await foresee(yum.update, {}, [])).commands).toEqual(["yum update -y"]);
});

/** Each with what is installed, and what `update`, `upgrade` and an installation say. */
const FAMILIES = [
  [apk, ApkPackages, "apk update", "apk upgrade", "apk add curl"],
  [brew, BrewPackages, "brew update", "brew upgrade", "brew install curl"],
  [pacman, PacmanPackages, "pacman -Sy", "pacman --noconfirm -Su", "pacman --noconfirm -S curl"],
  [pkgin, PkginPackages, "pkgin -y update", "pkgin -y upgrade", "pkgin -y install curl"],
  [xbps, XbpsPackages, "xbps-install -S", "xbps-install -y -u", "xbps-install -y -u curl"],
] as const;

/** What the families have in common. */
interface Asked {
  readonly packages?: string;
  readonly update?: boolean;
  readonly upgrade?: boolean;
  /** Of `apk.upgrade`. */
  readonly available?: boolean;
}
const plain = ({
  name,
  steps,
}: {
  readonly name: string;
  steps(host: OperationHost, args: Asked): Steps;
}): OperationDefinition<Asked> => ({ name, steps });

for (const [{ packages, update, upgrade }, installed, refresh, upgradeAll, install] of FAMILIES)
  test(`${packages.name} does first what ${update.name} and ${upgrade.name} do`, async () => {
    const nothing: readonly Stated[] = [
      [installed, {}],
      [PacmanUnpackGroup, []],
    ];
    expect((await foresee(plain(update), {}, [])).commands).toEqual([refresh]);
    expect((await foresee(plain(upgrade), {}, [])).commands).toEqual([upgradeAll]);
    expect(
      (await foresee(plain(packages), { packages: "curl", update: true, upgrade: true }, nothing)).commands,
    ).toEqual([refresh, upgradeAll, install]);
    expect((await foresee(plain(packages), { packages: "curl" }, nothing)).commands).toEqual([install]);
  });
