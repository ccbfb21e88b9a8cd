/** Homebrew, the package manager of macOS. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { packagesFact } from "./shared/packages.ts";

const LINE = /^(\S+)\s([\w.+-]+)/;

/** Installed formulae. */
export const BrewPackages = packagesFact({
  name: "brew.BrewPackages",
  requires: "brew",
  command: () => sh`brew list --versions`,
  line: LINE,
});

/** Installed casks. */
export const BrewCasks = packagesFact({
  name: "brew.BrewCasks",
  requires: "brew",
  command: () =>
    sh`if brew --version | grep -q -e "Homebrew\\ +(1\\.|2\\.[0-5]).*" 1>/dev/null;then brew cask list --versions; else brew list --cask --versions; fi`,
  line: LINE,
});

/** Taps: the repositories beside Homebrew's own. */
export const BrewTaps = fact<NoArguments, readonly string[]>({
  name: "brew.BrewTaps",
  requires: "brew",
  command: () => sh`brew tap`,
  parse: lines => lines.filter(line => line !== ""),
  empty: [],
});

/** Version of Homebrew. */
export type BrewVersionNumbers = readonly [major: number, minor: number, patch: number];

/** Version of Homebrew as three numbers; zeros where it does not say. */
export const BrewVersion = fact<NoArguments, BrewVersionNumbers>({
  name: "brew.BrewVersion",
  requires: "brew",
  command: () => sh`brew --version`,
  parse([line = ""]) {
    const [, major, minor, patch] = /^Homebrew\s+(\d+)\.(\d+)\.(\d+)/.exec(line) ?? [];
    return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
  },
  empty: [0, 0, 0],
});
