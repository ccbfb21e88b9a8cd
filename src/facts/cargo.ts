/** Rust's packages. @module */
import { sh } from "../core/command.ts";
import { packagesFact } from "./shared/packages.ts";

/** Crates whose programs cargo has installed for the user. */
export const CargoPackages = packagesFact({
  name: "cargo.CargoPackages",
  requires: "cargo",
  command: () => sh`cargo install --list`,
  line: /^([\w-]+)\sv([^\s:]+)/,
});
