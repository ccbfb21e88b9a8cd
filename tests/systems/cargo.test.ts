import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CargoPackages } from "../../src/facts/cargo.ts";
import { packages } from "../../src/operations/cargo.ts";
import { apply, applyTwice, askFact, localHost, mustRun } from "../support/apply.ts";
import { needTools } from "../support/machine.ts";

let root = "";
let globals = {};

/** Crates come from a directory, as vendored ones do: nothing is fetched. */
beforeAll(async () => {
  await needTools({ cargo: "cargo", cc: "gcc" });
  root = mkdtempSync(join(tmpdir(), "cargo-"));
  const home = join(root, "home");
  mkdirSync(home);
  writeFileSync(
    join(home, "config.toml"),
    `[source.crates-io]\nreplace-with = "here"\n[source.here]\ndirectory = "${join(root, "crates")}"\n[net]\noffline = true\n`,
  );
  globals = { _env: { CARGO_HOME: home, CARGO_TARGET_DIR: join(root, "target") } };
  for (const version of ["1.0.0", "1.1.0"]) crate("tsinfra-probe", version);
}, 600_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

function crate(name: string, version: string): void {
  const tree = join(root, "crates", `${name}-${version}`);
  mkdirSync(join(tree, "src"), { recursive: true });
  const files = {
    "Cargo.toml": `[package]\nname = "${name}"\nversion = "${version}"\nedition = "2021"\n`,
    "src/main.rs": `fn main() { println!("${version}") }\n`,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(tree, file), text);
  const sums = Object.fromEntries(
    Object.entries(files).map(([file, text]) => [file, createHash("sha256").update(text).digest("hex")]),
  );
  writeFileSync(join(tree, ".cargo-checksum.json"), JSON.stringify({ files: sums, package: null }));
}

const says = () => mustRun(localHost(), `'${root}/home/bin/tsinfra-probe'`).then(text => text.trim());

test("programs are built, pinned, upgraded and removed", async () => {
  await applyTwice(packages, { packages: ["tsinfra-probe@1.0.0"] }, { globals });
  expect(await says()).toBe("1.0.0");
  expect(await askFact(CargoPackages, {}, localHost(), globals)).toEqual({ "tsinfra-probe": ["1.0.0"] });
  await apply(packages, { packages: "tsinfra-probe", latest: true }, { globals });
  expect(await says()).toBe("1.1.0");
  await applyTwice(packages, { packages: "tsinfra-probe", present: false }, { globals });
  expect(await askFact(CargoPackages, {}, localHost(), globals)).toEqual({});
}, 300_000);
