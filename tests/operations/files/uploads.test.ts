import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../../src/core/command.ts";
import { get, put, sync, template } from "../../../src/operations/files/index.ts";
import { apply, applyTwice } from "../../support/apply.ts";
import { HOSTILE_NAMES, onUserlands } from "../../support/userlands.ts";

const deployDir = mkdtempSync(join(tmpdir(), "deploy-"));
const local = (name: string) => join(deployDir, name);
beforeAll(() => {
  writeFileSync(local("motd"), "welcome\n");
  chmodSync(local("motd"), 0o604);
  writeFileSync(local("blob"), Uint8Array.of(0, 255, 10, 13, 0));
  writeFileSync(
    local("site.j2"),
    "{% for s in servers %}\nserver {{ s.name }};\n{% endfor %}\npassword={{ password }}\non {{ host.name }}\n",
  );
});
afterAll(() => rmSync(deployDir, { recursive: true }));

onUserlands("uploads", userland => {
  const run = {
    deployDir,
    get host() {
      return userland.host;
    },
  };
  const read = (path: string) => readFileSync(userland.here(path), "utf8");
  const mode = (path: string) => (statSync(userland.here(path)).mode & 0o7777).toString(8);

  test("a file is uploaded when it differs, with owner and mode", async () => {
    const dest = `${userland.fresh()}/deep/motd`;
    const { commands } = await applyTwice(
      put,
      { src: "motd", dest, user: "nobody", group: "nogroup", mode: "640" },
      run,
    );
    expect(commands).toHaveLength(3);
    expect([read(dest), mode(dest), statSync(userland.here(dest)).uid]).toEqual(["welcome\n", "640", 65534]);
    await applyTwice(put, { src: "motd", dest, mode: true }, run);
    expect([mode(dest), statSync(userland.here(dest)).uid]).toEqual(["604", 65534]);
    writeFileSync(userland.here(dest), "changed by hand");
    await applyTwice(put, { src: "motd", dest }, run);
    expect([read(dest), mode(dest)]).toEqual(["welcome\n", "604"]);
    expect((await apply(put, { src: "motd", dest, force: true }, run)).changed).toBe(true);
  });

  test("bytes arrive as they are", async () => {
    const dest = `${userland.fresh()}/blob`;
    await applyTwice(put, { src: "blob", dest }, run);
    await applyTwice(put, { content: Uint8Array.of(10, 0, 200), dest }, run);
    expect([...readFileSync(userland.here(dest))]).toEqual([10, 0, 200]);
    await applyTwice(put, { content: "", dest }, run);
    expect(statSync(userland.here(dest)).size).toBe(0);
  });

  test("a directory as destination takes the file under its own name", async () => {
    const dest = userland.fresh();
    await applyTwice(put, { src: "motd", dest }, run);
    await applyTwice(put, { src: "motd", dest: `${dest}/new/` }, run);
    expect([read(`${dest}/motd`), read(`${dest}/new/motd`)]).toEqual(["welcome\n", "welcome\n"]);
    await expect(apply(put, { content: "x", dest }, run)).rejects.toThrow(
      "`dest` must be a full file path, not a directory",
    );
  });

  test("a link at the destination is followed and stays", async () => {
    const parent = userland.fresh();
    writeFileSync(userland.here(`${parent}/real`), "old");
    symlinkSync("real", userland.here(`${parent}/one`));
    symlinkSync(`${parent}/one`, userland.here(`${parent}/two`));
    await applyTwice(put, { src: "motd", dest: `${parent}/two` }, run);
    expect([read(`${parent}/real`), readlinkSync(userland.here(`${parent}/one`))]).toEqual(["welcome\n", "real"]);
  });

  test("times are taken from text, from the local file and from a file of the host", async () => {
    const dest = `${userland.fresh()}/motd`;
    const mtime = () => statSync(userland.here(dest)).mtimeMs;
    await applyTwice(put, { src: "motd", dest, mtime: "2020-02-20T20:20:20+01:00" }, run);
    expect(mtime()).toBe(Date.parse("2020-02-20T19:20:20Z"));
    utimesSync(local("motd"), 1_500_000_000, 1_400_000_000);
    await applyTwice(put, { src: "motd", dest, mtime: true }, run);
    expect(mtime()).toBe(1_400_000_000_000);
    await applyTwice(put, { src: "motd", dest, mtime: new Date("2001-01-01T00:00:00Z") }, run);
    await applyTwice(put, { src: "motd", dest, mtime: 1_300_000_000 }, run);
    expect(mtime()).toBe(1_300_000_000_000);
    writeFileSync(userland.here(`${dest}.ref`), "");
    utimesSync(userland.here(`${dest}.ref`), 1_200_000_000, 1_200_000_000);
    await applyTwice(put, { src: "motd", dest, mtime: `${dest}.ref` }, run);
    expect(mtime()).toBe(1_200_000_000_000);
  });

  test("a template is rendered and uploaded; a secret in it is never shown", async () => {
    const dest = `${userland.fresh()}/site.conf`;
    const data = { servers: [{ name: "a" }, { name: "b" }], password: new Secret("hunter2") };
    const { diffs } = await applyTwice(
      template,
      { src: "site.j2", dest, data, mode: "600", jinjaEnvKwargs: { trimBlocks: true } },
      { ...run, host: userland.host, diff: true },
    );
    expect(read(dest)).toBe("server a;\nserver b;\npassword=hunter2\non test-host\n");
    expect(mode(dest)).toBe("600");
    expect(JSON.stringify(diffs)).not.toContain("hunter2");
    expect(diffs[0]?.after).toBeInstanceOf(Secret);
  });

  test("a diff shows how the content changes", async () => {
    const dest = `${userland.fresh()}/motd`;
    const options = { ...run, host: userland.host, diff: true };
    expect((await apply(put, { src: "motd", dest }, options)).diffs).toEqual([
      { path: dest, before: undefined, after: "welcome\n" },
    ]);
    writeFileSync(userland.here(dest), "welcome");
    expect((await apply(put, { src: "motd", dest }, options)).diffs).toEqual([
      { path: dest, before: "welcome", after: "welcome\n" },
    ]);
    expect((await apply(put, { src: "motd", dest }, options)).diffs).toEqual([]);
    expect((await apply(put, { src: "blob", dest }, options)).diffs[0]?.after).toBe("5 bytes that are no text\n");
  });

  test("a file comes back to the control machine once", async () => {
    const src = `${userland.fresh()}/log`;
    writeFileSync(userland.here(src), "line\n");
    await applyTwice(get, { src, dest: `fetched/${userland.name}/log`, createLocalDir: true }, run);
    expect(readFileSync(local(`fetched/${userland.name}/log`), "utf8")).toBe("line\n");
    await expect(apply(get, { src, dest: "fetched" }, run)).rejects.toThrow(
      `Not a file: ${local("fetched")} is a directory`,
    );
  });

  test("hostile names are uploaded to and fetched from", async () => {
    const parent = userland.fresh();
    for (const name of HOSTILE_NAMES) {
      const dest = `${parent}/d/${name}`;
      await applyTwice(put, { content: name, dest, mode: "600" }, run);
      expect(read(dest)).toBe(name);
      await applyTwice(get, { src: dest, dest: `back-${userland.name}/${name}`, createLocalDir: true }, run);
      expect(readFileSync(local(`back-${userland.name}/${name}`), "utf8")).toBe(name);
    }
    expect(existsSync("pwned")).toBe(false);
  });

  test("a directory is brought to what the local one is", async () => {
    const src = `tree-${userland.name}`;
    mkdirSync(local(`${src}/sub/cache`), { recursive: true });
    mkdirSync(local(`${src}/cache`));
    chmodSync(local(`${src}/sub`), 0o750);
    for (const name of ["a", "b.pyc", "sub/c $(touch pwned)", "sub/cache/no", "cache/no"])
      writeFileSync(local(`${src}/${name}`), name);
    chmodSync(local(`${src}/a`), 0o600);
    symlinkSync("a", local(`${src}/link`));
    symlinkSync("sub", local(`${src}/dirlink`));

    const dest = `${userland.fresh()}/dest`;
    const args = { src, dest, exclude: "*.pyc", excludeDir: ["cache", "*/cache"], user: "nobody", delete: true };
    await applyTwice(sync, args, run);
    expect([read(`${dest}/a`), mode(`${dest}/a`), mode(`${dest}/sub`)]).toEqual(["a", "600", "750"]);
    expect(read(`${dest}/sub/c $(touch pwned)`)).toBe("sub/c $(touch pwned)");
    expect([readlinkSync(userland.here(`${dest}/link`)), readlinkSync(userland.here(`${dest}/dirlink`))]).toEqual([
      "a",
      "sub",
    ]);
    expect(["b.pyc", "cache", "sub/cache"].filter(name => existsSync(userland.here(`${dest}/${name}`)))).toEqual([]);
    expect(lstatSync(userland.here(`${dest}/sub`)).uid).toBe(65534);

    writeFileSync(userland.here(`${dest}/extra"`), "");
    writeFileSync(userland.here(`${dest}/keep.pyc`), "");
    symlinkSync("gone", userland.here(`${dest}/sub/oldlink`));
    writeFileSync(userland.here(`${dest}/a`), "changed");
    const { commands } = await applyTwice(sync, args, run);
    expect(commands).toHaveLength(3);
    expect([`extra"`, "sub/oldlink"].filter(name => existsSync(userland.here(`${dest}/${name}`)))).toEqual([]);
    expect([read(`${dest}/a`), existsSync(userland.here(`${dest}/keep.pyc`))]).toEqual(["a", true]);
    await applyTwice(sync, { ...args, mode: "644", dirMode: "755" }, run);
    expect([mode(`${dest}/a`), mode(`${dest}/sub`)]).toEqual(["644", "755"]);
  });

  test("a directory is synced through a link, and nothing wanted is deleted", async () => {
    const parent = userland.fresh();
    mkdirSync(userland.here(`${parent}/real`));
    symlinkSync("real", userland.here(`${parent}/dest`));
    mkdirSync(local(`flat-${userland.name}`));
    writeFileSync(local(`flat-${userland.name}/x`), "x");
    await applyTwice(sync, { src: `flat-${userland.name}`, dest: `${parent}/dest`, delete: true }, run);
    expect(read(`${parent}/real/x`)).toBe("x");
  });
});

test("what is wrong with local files is said before anything runs", async () => {
  const options = { deployDir };
  const fails = (operation: Parameters<typeof apply>[0], args: object) =>
    apply(operation, args, options).then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(await fails(put as never, { src: "nope", dest: "/x" })).toMatchObject({
    code: "E_LOCAL_FILE",
    message: `No such file: ${local("nope")}`,
  });
  expect(await fails(put as never, { src: ".", dest: "/x" })).toMatchObject({
    code: "E_LOCAL_FILE",
    message: `Not a file: ${deployDir} is a directory`,
  });
  expect(await fails(template as never, { src: "nope.j2", dest: "/x" })).toMatchObject({ code: "E_LOCAL_FILE" });
  expect(await fails(sync as never, { src: "nope", dest: "/x" })).toMatchObject({
    code: "E_LOCAL_FILE",
    message: "No such directory: nope",
  });
  expect(await fails(get as never, { src: "/etc/passwd", dest: "no/such/place" })).toMatchObject({
    code: "E_LOCAL_FILE",
    message: `No such directory: ${local("no/such")}`,
  });
  expect(await fails(put as never, { src: "motd", content: "x", dest: "/x" })).toMatchObject({
    code: "E_OPERATION_VALUE",
  });
});
