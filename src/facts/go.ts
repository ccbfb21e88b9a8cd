/** Programs that Go has built. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { type Packages, packagesOf } from "./shared/packages.ts";

/** Programs in Go's directory of programs, by the import path that they were built from. */
export const GoPackages = fact<NoArguments, Packages>({
  name: "go.GoPackages",
  requires: "go",
  command: () =>
    sh`BINDIR="$(go env GOBIN)"; [ -n "$BINDIR" ] || BINDIR="$(go env GOPATH)/bin"; ! test -d "$BINDIR" || find "$BINDIR" -maxdepth 1 -type f -perm -u+x -exec go version -m {} + 2>/dev/null || true`,
  parse(lines) {
    const found: (readonly [string, string])[] = [];
    let path: string | undefined;
    for (const line of lines) {
      // A line without a tab names the program; those with one tell about it.
      const [start, key, name, version] = line.split("\t");
      if (start !== "") path = undefined;
      else if (key === "path") path = name;
      // Built from a directory, it has no version to compare.
      else if (key === "mod" && path !== undefined && version !== undefined && version !== "(devel)")
        found.push([path, version]);
    }
    return packagesOf(found);
  },
  empty: {},
});
