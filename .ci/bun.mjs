// Runs Bun, of the version that package.json pins, on a machine that has only Node and npm: node .ci/bun.mjs ARGUMENTS...
// npm 11 holds back install scripts, and the `bun` package needs its own to become a program, so the program is taken
// out of the platform package beside it. What npm brings is checked against bun.lock before it runs.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies.bun;
const nested = join(root, "node_modules/.bootstrap");

const bun = program(root) ?? fetchBun();
run(bun, ["install", "--frozen-lockfile", "--silent"], "Installing dependencies");
if (existsSync(nested) && program(root)) rmSync(nested, { recursive: true });
run(program(root) ?? bun, process.argv.slice(2));

/** The program in a node_modules folder, if it is the pinned one and runs here. */
function program(folder) {
  const packages = join(folder, "node_modules/@oven");
  for (const name of existsSync(packages) ? readdirSync(packages) : []) {
    const path = join(packages, name, "bin", process.platform === "win32" ? "bun.exe" : "bun");
    const asked = spawnSync(path, ["--version"], { encoding: "utf8", env: { PATH: process.env.PATH } });
    if (asked.status === 0 && asked.stdout.trim() === version) return path;
  }
  return undefined;
}

function fetchBun() {
  console.error(`Fetching Bun ${version} from the npm registry`);
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const args = [...npm.slice(1), "install", "--prefix", nested, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", `bun@${version}`];
  const installed = spawnSync(npm[0], args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (installed.status !== 0) fail(`npm could not install bun@${version}`);
  const locked = readFileSync(join(root, "bun.lock"), "utf8");
  const { packages } = JSON.parse(readFileSync(join(nested, "node_modules/.package-lock.json"), "utf8"));
  for (const [path, { integrity }] of Object.entries(packages))
    if (!integrity || !locked.includes(`"${integrity}"`)) fail(`${path} is not the package that bun.lock names: its integrity is ${integrity}`);
  return program(nested) ?? fail(`The bun@${version} that npm installed has no program that runs here (${process.platform} ${process.arch})`);
}

function run(path, args, doing) {
  const env = { ...process.env, PATH: `${dirname(path)}${delimiter}${process.env.PATH ?? ""}` };
  const ended = spawnSync(path, args, { cwd: root, stdio: "inherit", env });
  if (ended.error) fail(ended.error.message);
  if (!doing || ended.status !== 0) {
    if (doing) console.error(`${doing} failed`);
    process.exit(ended.status ?? 1);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
