/** Programs that Go builds. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { GoPackages } from "../facts/go.ts";
import { ensurePackages, type LatestArguments, type PackageArguments, type WantedPackage } from "./shared/packages.ts";

/** Arguments of `go.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {}

/**
 * Install, upgrade or remove programs, by the import path they are built from, for the user it runs as. A version is pinned as `path@v1.2.3`.
 * @example
 * go.packages({ packages: ["honnef.co/go/tools/cmd/staticcheck@v0.6.1"] });
 */
export const packages = operation<PackagesArguments>({
  name: "go.packages",
  positional: ["packages"],
  async *steps(host, { packages: names = [], present = true, latest = false }) {
    const wanted = [names]
      .flat()
      .map(text => (present ? versioned(text) : { ...versioned(text), word: programOf(text) }));
    yield* ensurePackages(host, await host.getFact(GoPackages), { packages: wanted, present, latest }, go);
  },
});

const go = {
  install: sh`go install`,
  // Go itself removes nothing.
  remove: sh`BINDIR="$(go env GOBIN)"; [ -n "$BINDIR" ] || BINDIR="$(go env GOPATH)/bin"; cd "$BINDIR" && rm -f --`,
  upgrade: sh`go install`,
};

/** `@latest` is what Go takes for no version at all. */
function versioned(text: string): WantedPackage {
  const [name = text, version = "latest"] = text.split("@");
  return {
    name,
    word: `${name}@${version}`,
    ...(version === "latest" ? {} : { accepts: (installed: string) => installed === version }),
  };
}

/** The program's name: the last part of the path, a major version aside. */
const programOf = (text: string): string => {
  const parts = text.replace(/@.*/, "").split("/");
  return (/^v\d+$/.test(parts.at(-1) ?? "") ? parts.at(-2) : parts.at(-1)) ?? text;
};
