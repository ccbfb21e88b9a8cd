/** `npm run demo`: build the executable and deploy the quickstart to this machine, twice, in a directory of its own. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const site = join(mkdtempSync(join(tmpdir(), "tsinfra-demo-")), "site");
const command = [
  join(root, "dist/tsinfra"),
  "@local",
  join(root, "fixtures/demo/quickstart.ts"),
  "--data",
  `site=${site}`,
  "--yes",
];

say("Building the executable");
run([process.execPath, join(root, "build.ts")]);

say("First run: everything is new");
run(command);
const first = contents();

say("Second run: nothing changes");
run(command);
if (contents() !== first) fail("The second run changed something");

say(`What was deployed is in ${site}`);
for (const name of readdirSync(site).sort()) console.log(`  ${name}`);
const reloads = readFileSync(join(site, "reload.log"), "utf8").trim().split("\n").length;
if (reloads !== 1) fail(`The command that waits for a change ran ${reloads} times`);
console.log("\nreload.log has one line: the second run had no reason to reload.");

function run(argv: string[]): void {
  console.log(`$ ${argv.map(word => word.replace(`${root}/`, "")).join(" ")}`);
  const { exitCode } = Bun.spawnSync(argv, { stdio: ["ignore", "inherit", "inherit"], cwd: root });
  if (exitCode !== 0) fail(`Exit code ${exitCode}`);
}

function contents(): string {
  return readdirSync(site)
    .sort()
    .map(name => `${name}\n${readFileSync(join(site, name), "utf8")}`)
    .join("\n");
}

function say(text: string): void {
  console.log(`\n── ${text} ${"─".repeat(Math.max(0, 76 - text.length))}\n`);
}

function fail(text: string): never {
  console.error(text);
  process.exit(1);
}
