import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { directory, file, link } from "../../../src/operations/files/index.ts";
import { apply, applyTwice } from "../../support/apply.ts";
import { HOSTILE_NAMES, onUserlands } from "../../support/userlands.ts";

const mode = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);

onUserlands("directories, files and links", userland => {
  const run = {
    get host() {
      return userland.host;
    },
  };

  test("a directory is made with owner and mode, and those above it", async () => {
    const path = `${userland.fresh()}/a/b c`;
    const { commands } = await applyTwice(directory, { path, user: "nobody", group: "nogroup", mode: "2750" }, run);
    expect(commands).toHaveLength(3);
    const found = statSync(userland.here(path));
    expect([found.uid, found.gid, mode(userland.here(path))]).toEqual([65534, 65534, "2750"]);
    expect(mode(userland.here(join(path, "..")))).toBe("755");
    await applyTwice(directory, { path, mode: "700", user: "root", group: "root" }, run);
    expect([statSync(userland.here(path)).uid]).toEqual([0]);
  });

  test("an inherited set-group-ID bit is no reason to run chmod for ever, and four digits take it away", async () => {
    const parent = userland.fresh();
    chmodSync(userland.here(parent), 0o2755);
    const path = `${parent}/child`;
    await applyTwice(directory, { path, mode: "755" }, run);
    chmodSync(userland.here(path), 0o2755);
    await applyTwice(directory, { path, mode: "0755" }, run);
    expect(mode(userland.here(path))).toBe("755");
  });

  test("a change of owner does not take the wanted set-user-ID bit away", async () => {
    const path = `${userland.fresh()}/tool`;
    await applyTwice(file, { path, user: "nobody", mode: "4755" }, run);
    expect(mode(userland.here(path))).toBe("4755");
    await applyTwice(file, { path, user: "root", mode: "4755" }, run);
    expect(mode(userland.here(path))).toBe("4755");
  });

  test("owner and mode reach everything inside when asked to", async () => {
    const path = userland.fresh();
    mkdirSync(userland.here(`${path}/in/side`), { recursive: true });
    writeFileSync(userland.here(`${path}/in/file`), "");
    await applyTwice(directory, { path, group: "nogroup", mode: "770", recursive: true }, run);
    expect(
      ["in/file", "in/side", "."].map(name => [
        statSync(userland.here(`${path}/${name}`)).gid,
        mode(userland.here(`${path}/${name}`)),
      ]),
    ).toEqual(Array(3).fill([65534, "770"]));
  });

  test("a directory is removed with what is in it", async () => {
    const path = userland.fresh();
    writeFileSync(userland.here(`${path}/x`), "");
    await applyTwice(directory, { path, present: false }, run);
    expect(existsSync(userland.here(path))).toBe(false);
    expect((await apply(directory, { path, present: false }, run)).noops).toEqual([`directory ${path} does not exist`]);
  });

  test("something else in its place is an error, or is kept, or goes", async () => {
    const path = `${userland.fresh()}/it`;
    writeFileSync(userland.here(path), "old");
    await expect(apply(directory, { path }, run)).rejects.toThrow(`${path} exists and is not a directory`);
    await applyTwice(directory, { path, force: true }, run);
    expect(readFileSync(userland.here(`${path}.2601010000`), "utf8")).toBe("old");
    await applyTwice(file, { path, force: true, forceBackup: false }, run);
    expect(statSync(userland.here(path)).isFile()).toBe(true);
    const keep = userland.fresh();
    await applyTwice(link, { path, target: "/nowhere", force: true, forceBackupDir: keep }, run);
    expect(readdirSync(userland.here(keep))).toEqual(["it.2601010000"]);
  });

  test("an empty file is made, its mode changed by letters, and removed", async () => {
    const path = `${userland.fresh()}/sub/empty`;
    await applyTwice(file, { path, mode: "600" }, run);
    await applyTwice(file, { path, mode: "u+x,g=u" }, run);
    expect(mode(userland.here(path))).toBe("770");
    expect((await apply(file, { path, mode: "a+X" }, run)).changed).toBe(true);
    expect(mode(userland.here(path))).toBe("771");
    expect((await apply(file, { path, touch: true }, run)).commands).toEqual([`touch ${path}`]);
    await applyTwice(file, { path, present: false }, run);
    expect(existsSync(userland.here(path))).toBe(false);
  });

  test("a link is made, pointed elsewhere and removed; what it points to stays", async () => {
    const parent = userland.fresh();
    const path = `${parent}/deep/link`;
    writeFileSync(userland.here(`${parent}/target`), "kept");
    await applyTwice(link, { path, target: `${parent}/target` }, run);
    await applyTwice(link, { path, target: "../it's -> there", user: "nobody" }, run);
    expect([readlinkSync(userland.here(path)), lstatSync(userland.here(path)).uid]).toEqual([
      "../it's -> there",
      65534,
    ]);
    await applyTwice(link, { path, target: "../it's -> there", user: "root" }, run);
    await applyTwice(link, { path, present: false }, run);
    expect(readFileSync(userland.here(`${parent}/target`), "utf8")).toBe("kept");
  });

  test("a hard link is recognised", async () => {
    const parent = userland.fresh();
    writeFileSync(userland.here(`${parent}/one`), "");
    await applyTwice(link, { path: `${parent}/two`, target: `${parent}/one`, symbolic: false }, run);
    expect(statSync(userland.here(`${parent}/two`)).nlink).toBe(2);
    writeFileSync(userland.here(`${parent}/three`), "");
    await expect(
      apply(link, { path: `${parent}/three`, target: `${parent}/one`, symbolic: false }, run),
    ).rejects.toThrow("exists and is not a link");
  });

  test("a link where the parent directory should be will do", async () => {
    const parent = userland.fresh();
    mkdirSync(userland.here(`${parent}/real`));
    symlinkSync("real", userland.here(`${parent}/dir`));
    await applyTwice(file, { path: `${parent}/dir/x` }, run);
    expect(existsSync(userland.here(`${parent}/real/x`))).toBe(true);
  });

  test("hostile names are names and nothing else", async () => {
    const parent = userland.fresh();
    const options = { host: userland.host, globals: { _chdir: parent } };
    for (const name of HOSTILE_NAMES) {
      await applyTwice(directory, { path: `d${name}` }, options);
      await applyTwice(directory, { path: name, mode: "711" }, options);
      await applyTwice(file, { path: `${name}/${name}`, mode: "604" }, options);
      await applyTwice(link, { path: `l${name}`, target: name, user: "nobody" }, options);
      expect(readlinkSync(userland.here(`${parent}/l${name}`))).toBe(name);
      await applyTwice(link, { path: `l${name}`, target: `${name}/other` }, options);
      await applyTwice(file, { path: `${name}/${name}`, present: false }, options);
    }
    const expected = HOSTILE_NAMES.flatMap(name => [name, `d${name}`, `l${name}`]).sort();
    expect(readdirSync(userland.here(parent)).sort()).toEqual(expected);
    for (const name of HOSTILE_NAMES) await applyTwice(directory, { path: name, present: false }, options);
  });
});

test("arguments that make no sense are refused before anything runs", async () => {
  const wrong = async (args: object, code: string, message: string) => {
    const error: unknown = await apply(file, { path: "/nowhere/x", ...args }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  };
  await wrong({ mode: 644 }, "E_OPERATION_TYPE", '`mode` must be a string of octal digits such as "644", not 644');
  await wrong({ mode: "rw-r--r--" }, "E_OPERATION_VALUE", 'octal digits such as "644"');
  await wrong({ mode: "888" }, "E_OPERATION_VALUE", '`mode` is "888"');
  await wrong({ user: "-R" }, "E_OPERATION_VALUE", '`user` is "-R"');
  await wrong({ path: "" }, "E_OPERATION_VALUE", "`path` must not be empty");
  await wrong({ path: ["a", "b"] }, "E_OPERATION_TYPE", "`path` must be a string");
});
