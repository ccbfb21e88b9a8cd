/**
 * `npm test`: install what the tests need, check the types, run the tests.
 *
 *   bun .ci/test.ts [FOLDER or PATTERN...]      without any: everything but tests/systems
 *
 * Writes a JUnit report to $TEST_REPORT, or to a temporary file.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
process.chdir(root);

installPackages();

console.log("$ bun fmt --check");
const formatted = Bun.spawnSync([process.execPath, "fmt", "--check", "--no-script"], {
  stdio: ["ignore", "ignore", "inherit"],
});
if (formatted.exitCode !== 0) console.error("Not formatted: npm run format");

console.log("$ bun check");
const checked = Bun.spawnSync([process.execPath, "check", "--no-script"], { stdio: ["ignore", "inherit", "inherit"] });

const report = process.env.TEST_REPORT ?? join(tmpdir(), `tsinfra-junit-${process.pid}.xml`);
const wanted = process.argv.slice(2);
// Most tests wait for processes: three files at once keep two processors busy.
const patterns = wanted.length > 0 ? wanted : ["tests", "--path-ignore-patterns=tests/systems/**", "--parallel=3"];
// Tests start real programs, on busy machines: a deadline that only a hang reaches, and a second try.
const timeout = "--timeout=120000";
const ran = Bun.spawnSync(
  [
    process.execPath,
    "test",
    ...patterns,
    timeout,
    "--retry=1",
    "--only-failures",
    "--reporter=junit",
    `--reporter-outfile=${report}`,
  ],
  { stdio: ["ignore", "inherit", "inherit"] },
);
if (!process.env.TEST_REPORT) rmSync(report, { force: true });
process.exit(formatted.exitCode || checked.exitCode || (ran.exitCode ?? 1));

/** Programs the tests run, as Debian packages: those that are missing are installed where root can, and named where not. */
function installPackages(): void {
  const packages = readFileSync(join(import.meta.dir, "packages"), "utf8")
    .split("\n")
    .filter(line => line && !line.startsWith("#"));
  if (!existsSync("/usr/bin/dpkg-query"))
    return console.warn(`This is not a Debian: tests that need these packages will fail: ${packages.join(" ")}`);
  const asked = Bun.spawnSync([
    "dpkg-query",
    "--show",
    "--showformat",
    "${Package} ${db:Status-Status}\n",
    ...packages,
  ]).stdout.toString();
  const missing = packages.filter(name => !asked.includes(`${name} installed\n`));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0)
    return console.warn(
      `Not installed, because this is not root: tests that need them will fail: ${missing.join(" ")}`,
    );
  console.log(`$ apt-get install ${missing.join(" ")}`);
  const apt = "apt-get -o DPkg::Lock::Timeout=600";
  const line = `${apt} update -qq && DEBIAN_FRONTEND=noninteractive ${apt} install -y -qq --no-install-recommends "$@" >/dev/null`;
  const installed = Bun.spawnSync(["sh", "-c", line, "sh", ...missing], { stdio: ["ignore", "inherit", "inherit"] });
  if (installed.exitCode !== 0)
    console.warn(`apt-get failed: tests that need these packages will fail: ${missing.join(" ")}`);
}
