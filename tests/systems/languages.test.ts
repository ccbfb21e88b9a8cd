import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GemPackages } from "../../src/facts/gem.ts";
import { NpmPackages } from "../../src/facts/npm.ts";
import { Pip3Packages } from "../../src/facts/pip.ts";
import { PipxEnvironment } from "../../src/facts/pipx.ts";
import * as gem from "../../src/operations/gem.ts";
import * as npm from "../../src/operations/npm.ts";
import * as pip from "../../src/operations/pip.ts";
import * as pipx from "../../src/operations/pipx.ts";
import { apply, applyTwice, askFact, chrootHost, localHost, mustRun, type TestHost } from "../support/apply.ts";
import { needTools } from "../support/machine.ts";
import { debianRootfs, removeRootfs } from "../support/rootfs.ts";

let scratch = "";
let root = "";
let host: TestHost;
const offline = { _env: { PIP_NO_INDEX: "1", PIP_FIND_LINKS: "/srv/wheels", HOME: "/root" } };

/** A Debian with Python and Ruby, and packages made here for each. */
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "languages-"));
  root = await debianRootfs({ packages: ["python3-venv", "python3-pip", "pipx", "virtualenv", "ruby"] });
  host = chrootHost(root);
  for (const version of ["1.0", "1.1", "2.0"]) await wheel("Tsinfra.Probe", version);
  for (const version of ["1.0.0", "2.0.0"]) await buildGem("tsinfra-probe", version);
}, 600_000);
afterAll(() => {
  removeRootfs(root);
  rmSync(scratch, { recursive: true, force: true });
});

/** A wheel is an archive with a description of itself. */
async function wheel(name: string, version: string): Promise<void> {
  const module = name.toLowerCase().replace(".", "_");
  const info = `${module}-${version}.dist-info`;
  const files = {
    [`${module}.py`]: `def main():\n    print("${version}")\n`,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nProvides-Extra: more\n`,
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    [`${info}/entry_points.txt`]: `[console_scripts]\n${module} = ${module}:main\n`,
  };
  const record = Object.keys(files)
    .map(file => `${file},,\n`)
    .join("");
  const tree = join(root, "root/wheel");
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, info), { recursive: true });
  for (const [file, text] of Object.entries({ ...files, [`${info}/RECORD`]: `${record}${info}/RECORD,,\n` }))
    writeFileSync(join(tree, file), text);
  await mustRun(
    host,
    `mkdir -p /srv/wheels && cd /root/wheel && python3 -m zipfile -c /srv/wheels/${module}-${version}-py3-none-any.whl ${module}.py ${info}`,
  );
}

async function buildGem(name: string, version: string): Promise<void> {
  mkdirSync(join(root, "srv/gems/gems"), { recursive: true });
  writeFileSync(
    join(root, "srv/gems", `${name}.gemspec`),
    `Gem::Specification.new { |s| s.name = "${name}"; s.version = "${version}"; s.summary = "for tests"; s.authors = ["Test"]; s.files = [] }\n`,
  );
  await mustRun(
    host,
    `cd /srv/gems && gem build -q ${name}.gemspec -o gems/${name}-${version}.gem 2>/dev/null && gem generate_index --quiet 2>/dev/null`,
  );
}

const installed = (python: string): Promise<string> =>
  mustRun(host, `'${python}' -m pip list --format freeze --disable-pip-version-check | grep -i probe || true`).then(
    text => text.trim(),
  );

test("pip: packages go into a virtual environment that is made for them", async () => {
  const venv = "/srv/it's an app";
  const inVenv = { virtualenv: venv, virtualenvKwargs: { venv: true, python: "python3" } };
  await applyTwice(pip.packages, { packages: "tsinfra_probe>=1,<2", ...inVenv }, { host, globals: offline });
  expect(await installed(`/srv/it'"'"'s an app/bin/python`)).toBe("Tsinfra.Probe==1.1");
  await applyTwice(pip.packages, { packages: ["tsinfra-probe==1.0"], ...inVenv }, { host, globals: offline });
  await apply(pip.packages, { packages: ["Tsinfra.Probe"], latest: true, ...inVenv }, { host, globals: offline });
  expect(await installed(`/srv/it'"'"'s an app/bin/python`)).toBe("Tsinfra.Probe==2.0");
  await applyTwice(
    pip.packages,
    { packages: ["TSINFRA-PROBE"], present: false, ...inVenv },
    { host, globals: offline },
  );
  expect(await installed(`/srv/it'"'"'s an app/bin/python`)).toBe("");
  writeFileSync(join(root, "srv/needs it.txt"), "tsinfra-probe==1.1\n");
  await apply(pip.packages, { requirements: "/srv/needs it.txt", ...inVenv }, { host, globals: offline });
  expect(await installed(`/srv/it'"'"'s an app/bin/python`)).toBe("Tsinfra.Probe==1.1");
  await applyTwice(pip.venv, { path: venv, present: false }, { host });
  expect(existsSync(join(root, venv))).toBe(false);
}, 300_000);

test("pip: an environment is made by virtualenv, with what the host has", async () => {
  await applyTwice(
    pip.virtualenv,
    { path: "/srv/virtual", sitePackages: true, alwaysCopy: true },
    { host, globals: offline },
  );
  expect(readFileSync(join(root, "srv/virtual/pyvenv.cfg"), "utf8")).toContain("include-system-site-packages = true");
  await applyTwice(pip.virtualenv, { path: "/srv/virtual", present: false }, { host });
  expect(Object.keys(await askFact(Pip3Packages, {}, host))).toContain("pip");
}, 120_000);

test("pipx: programs are installed, changed to another version, and removed", async () => {
  await applyTwice(
    pipx.packages,
    { packages: ["tsinfra-probe==1.0"], extraArgs: ["--pip-args=--no-index --find-links=/srv/wheels"] },
    { host, globals: offline },
  );
  expect(await mustRun(host, "/root/.local/bin/tsinfra_probe")).toBe("1.0\n");
  await applyTwice(pipx.packages, { packages: ["Tsinfra.Probe==1.1"] }, { host, globals: offline });
  expect(await mustRun(host, "/root/.local/bin/tsinfra_probe")).toBe("1.1\n");
  expect((await askFact(PipxEnvironment, {}, host, offline))["PIPX_BIN_DIR"]).toBe("/root/.local/bin");
  const path = { _env: { ...offline._env, PATH: "/root/.local/bin:/usr/bin:/bin" } };
  expect((await apply(pipx.ensurePath, {}, { host, globals: path })).changed).toBe(false);
  expect((await apply(pipx.ensurePath, {}, { host, globals: offline })).changed).toBe(true);
  await apply(pipx.upgradeAll, {}, { host, globals: offline });
  await applyTwice(pipx.packages, { packages: ["tsinfra-probe"], present: false }, { host, globals: offline });
  expect(existsSync(join(root, "root/.local/bin/tsinfra_probe"))).toBe(false);
}, 300_000);

test("gem: packages are installed, pinned, upgraded and removed", async () => {
  writeFileSync(join(root, "root/.gemrc"), ":sources:\n- file:///srv/gems/\ngem: --no-document\n");
  const globals = { _env: { HOME: "/root" } };
  await applyTwice(gem.packages, { packages: "tsinfra-probe:1.0.0" }, { host, globals });
  expect((await askFact(GemPackages, {}, host, globals))["tsinfra-probe"]).toEqual(["1.0.0"]);
  await apply(gem.packages, { packages: "tsinfra-probe", latest: true }, { host, globals });
  expect((await askFact(GemPackages, {}, host, globals))["tsinfra-probe"]).toEqual(["1.0.0", "2.0.0"]);
  await mustRun(host, "gem uninstall -q -x tsinfra-probe -v 1.0.0");
  await applyTwice(gem.packages, { packages: "tsinfra-probe", present: false }, { host, globals });
}, 120_000);

test("npm: packages of a project and of the host are kept apart", async () => {
  await needTools({ npm: "npm" });
  const registry = await npmRegistry("@tsinfra/probe", ["1.0.0", "2.0.0"]);
  try {
    const project = join(scratch, "my project");
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{"name":"project","version":"1.0.0"}');
    const globals = {
      _env: {
        npm_config_registry: registry.url.href,
        npm_config_prefix: join(scratch, "global"),
        npm_config_cache: join(scratch, "cache"),
        npm_config_userconfig: "/dev/null",
        npm_config_audit: "false",
      },
    };
    mkdirSync(join(scratch, "global/lib"), { recursive: true });
    await applyTwice(npm.packages, { packages: ["@tsinfra/probe@1.0.0"], directory: project }, { globals });
    expect(await askFact(NpmPackages, { directory: project }, localHost(), globals)).toEqual({
      "@tsinfra/probe": ["1.0.0"],
    });
    expect(await askFact(NpmPackages, {}, localHost(), globals)).toEqual({});
    await applyTwice(npm.packages, { packages: ["@tsinfra/probe"] }, { globals });
    expect(
      JSON.parse(readFileSync(join(scratch, "global/lib/node_modules/@tsinfra/probe/package.json"), "utf8")).version,
    ).toBe("2.0.0");
    await applyTwice(npm.packages, { packages: ["@tsinfra/probe"], present: false, directory: project }, { globals });
    await applyTwice(npm.packages, { packages: ["@tsinfra/probe"], present: false }, { globals });
    expect(await askFact(NpmPackages, { directory: join(scratch, "nowhere") }, localHost(), globals)).toEqual({});
  } finally {
    await registry.stop(true);
  }
}, 120_000);

/** A registry of one package. */
async function npmRegistry(name: string, versions: readonly string[]): Promise<Bun.Server<undefined>> {
  const archives = new Map<string, Buffer>();
  for (const version of versions) {
    const tree = join(scratch, `npm-${version}`);
    mkdirSync(join(tree, "package"), { recursive: true });
    writeFileSync(join(tree, "package/package.json"), JSON.stringify({ name, version }));
    await mustRun(localHost(), `tar -czf '${tree}.tgz' -C '${tree}' package`);
    archives.set(version, readFileSync(`${tree}.tgz`));
  }
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, server) {
      const archive = archives.get(/([\d.]+)\.tgz$/.exec(request.url)?.[1] ?? "");
      if (archive) return new Response(new Uint8Array(archive));
      if (!decodeURIComponent(new URL(request.url).pathname).endsWith(name)) return new Response("{}", { status: 404 });
      const entries = [...archives].map(([version, data]) => [
        version,
        {
          name,
          version,
          dist: {
            tarball: `${server.url}${version}.tgz`,
            integrity: `sha512-${createHash("sha512").update(data).digest("base64")}`,
          },
        },
      ]);
      return Response.json({ name, "dist-tags": { latest: versions.at(-1) }, versions: Object.fromEntries(entries) });
    },
  });
}
