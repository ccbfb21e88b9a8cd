import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Server } from "bun";
import { checksum } from "../../../src/core/checksum.ts";
import { Secret } from "../../../src/core/command.ts";
import { copy, download, move, rsync, unarchive } from "../../../src/operations/files/index.ts";
import { apply, applyTwice, localHost, mustRun } from "../../support/apply.ts";
import { needTools } from "../../support/machine.ts";
import { HOSTILE_NAMES, onUserlands } from "../../support/userlands.ts";

const deployDir = mkdtempSync(join(tmpdir(), "deploy-"));
let server: Server<undefined>;
const requests: { readonly search: string; readonly authorization: string | null; readonly two: string | null }[] = [];
let body = "version 1\n";
beforeAll(async () => {
  await needTools({
    curl: "curl",
    wget: "wget",
    unzip: "unzip",
    zip: "zip",
    bzip2: "bzip2",
    xz: "xz-utils",
    zstd: "zstd",
  });
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      requests.push({
        search: new URL(request.url).search,
        authorization: request.headers.get("authorization"),
        two: request.headers.get("x-two"),
      });
      return new URL(request.url).pathname === "/missing" ? new Response("no", { status: 404 }) : new Response(body);
    },
  });
}, 120_000);
afterAll(() => {
  void server.stop(true);
  rmSync(deployDir, { recursive: true });
});

onUserlands("copies and downloads", userland => {
  const run = {
    deployDir,
    get host() {
      return userland.host;
    },
  };
  const read = (path: string) => readFileSync(userland.here(path), "utf8");
  const write = (path: string, text: string) => writeFileSync(userland.here(path), text);

  test("a file and a directory are copied into a directory, once", async () => {
    const parent = userland.fresh();
    mkdirSync(userland.here(`${parent}/src/sub`), { recursive: true });
    mkdirSync(userland.here(`${parent}/dest`));
    write(`${parent}/src/a`, "a");
    write(`${parent}/src/sub/it's`, "b");
    symlinkSync("a", userland.here(`${parent}/src/link`));
    await applyTwice(copy, { src: `${parent}/src/a`, dest: `${parent}/dest` }, run);
    await applyTwice(copy, { src: `${parent}/src`, dest: `${parent}/dest/` }, run);
    expect([read(`${parent}/dest/a`), read(`${parent}/dest/src/sub/it's`)]).toEqual(["a", "b"]);
    write(`${parent}/dest/a`, "other");
    await expect(apply(copy, { src: `${parent}/src/a`, dest: `${parent}/dest` }, run)).rejects.toThrow(
      "already exists and is different than src",
    );
    await applyTwice(copy, { src: `${parent}/src/a`, dest: `${parent}/dest`, overwrite: true }, run);
    write(`${parent}/dest/src/sub/it's`, "changed");
    await applyTwice(copy, { src: `${parent}/src`, dest: `${parent}/dest`, overwrite: true }, run);
    expect(read(`${parent}/dest/src/sub/it's`)).toBe("b");
    await expect(apply(copy, { src: `${parent}/none`, dest: parent }, run)).rejects.toThrow("does not exist");
  });

  test("something is moved into a directory, once", async () => {
    const parent = userland.fresh();
    mkdirSync(userland.here(`${parent}/dest/taken`), { recursive: true });
    write(`${parent}/taken`, "new");
    const args = { src: `${parent}/taken`, dest: `${parent}/dest` };
    await expect(apply(move, { ...args, overwrite: false }, run)).rejects.toThrow(
      "already exists and `overwrite` is unset",
    );
    await applyTwice(move, { ...args, overwrite: true }, run);
    expect([read(`${parent}/dest/taken`), existsSync(userland.here(`${parent}/taken`))]).toEqual(["new", false]);
    await expect(apply(move, { src: `${parent}/none`, dest: `${parent}/dest` }, run)).rejects.toThrow("does not exist");
    await expect(apply(move, { src: `${parent}/dest/taken`, dest: `${parent}/nowhere` }, run)).rejects.toThrow(
      "is not an existing directory",
    );
  });

  test("hostile names are copied and moved", async () => {
    const parent = userland.fresh();
    const options = { host: userland.host, globals: { _chdir: parent } };
    for (const name of HOSTILE_NAMES) {
      for (const directory of ["c", "m"]) mkdirSync(userland.here(`${parent}/${directory}${name}`));
      write(`${parent}/${name}`, name);
      await applyTwice(copy, { src: name, dest: `c${name}` }, options);
      await applyTwice(move, { src: name, dest: `m${name}` }, options);
      expect([read(`${parent}/c${name}/${name}`), read(`${parent}/m${name}/${name}`)]).toEqual([name, name]);
    }
  });

  test("a file is downloaded when it is missing, old, changed or forced", async () => {
    const dest = `${userland.fresh()}/it's a $file`;
    const src = `http://127.0.0.1:${server.port}/file`;
    body = "version 1\n";
    const { commands } = await applyTwice(download, { src, dest, user: "nobody", mode: "640" }, run);
    expect([read(dest), statSync(userland.here(dest)).uid, statSync(userland.here(dest)).mode & 0o777]).toEqual([
      "version 1\n",
      65534,
      0o640,
    ]);
    expect(commands[0]).toStartWith(userland.name === "GNU" ? "curl -sSLf" : "wget -q");
    await applyTwice(download, { src, dest, mode: "600", user: "root" }, run);
    expect(statSync(userland.here(dest)).mode & 0o777).toBe(0o600);

    body = "version 2\n";
    expect((await apply(download, { src, dest, cacheTime: 3600 }, run)).changed).toBe(false);
    utimesSync(userland.here(dest), 1_000_000_000, 1_000_000_000);
    await applyTwice(download, { src, dest, cacheTime: 3600 }, run);
    body = "version 3\n";
    await apply(download, { src, dest, force: true }, run);
    expect(read(dest)).toBe("version 3\n");
    body = "version 4\n";
    await applyTwice(
      download,
      {
        src,
        dest,
        md5sum: checksum(body, "md5"),
        sha1sum: checksum(body, "sha1"),
        sha256sum: checksum(body, "sha256").toUpperCase(),
      },
      run,
    );
    if (userland.name === "GNU")
      await apply(download, { src, dest, sha384sum: checksum(body, "sha384"), force: true }, run);
    await expect(apply(download, { src, dest, sha256sum: checksum("else", "sha256") }, run)).rejects.toThrow(
      "SHA256 did not match!",
    );
  });

  test("a failed download leaves the old file and nothing else", async () => {
    const directory = userland.fresh();
    write(`${directory}/file`, "old");
    const error: unknown = await apply(
      download,
      { src: `http://127.0.0.1:${server.port}/missing`, dest: `${directory}/file`, force: true },
      run,
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "E_COMMAND" });
    expect([read(`${directory}/file`), await mustRun(userland.host, `ls ${directory}`)]).toEqual(["old", "file\n"]);
    // This machine's /tmp is not ours alone.
    if (userland.name === "busybox") expect(await mustRun(userland.host, "ls /tmp | grep ^tsinfra- || true")).toBe("");
  });

  test("headers and options are sent and never shown when they are secrets", async () => {
    const dest = `${userland.fresh()}/file`;
    const src = `http://127.0.0.1:${server.port}/headers?a=1&b=$(x)`;
    const applied = await apply(
      download,
      {
        src,
        dest,
        headers: { Authorization: new Secret("Bearer t0ken"), "X-Two": "it's" },
        ...(userland.name === "GNU" ? { limitRate: "1M" } : {}),
      },
      run,
    );
    expect(requests.at(-1)).toEqual({ search: "?a=1&b=$(x)", authorization: "Bearer t0ken", two: "it's" });
    expect(JSON.stringify(applied.commands)).not.toContain("t0ken");
  });
});

test("archives of every kind are unpacked, and not again when what they create is there", async () => {
  const parent = mkdtempSync(join(tmpdir(), "unarchive-"));
  try {
    mkdirSync(join(parent, "in"));
    writeFileSync(join(parent, "in/it's"), "content");
    const make = [
      "tar -cf a.tar in",
      "tar -czf a.tar.gz in",
      "tar -czf a.tgz in",
      "tar -cjf a.tar.bz2 in",
      "tar -cJf a.txz in",
      "tar --zstd -cf a.tar.zst in",
      "zip -qr a.zip in",
    ];
    await mustRun(localHost(), `cd ${parent} && ${make.join(" && ")}`);
    for (const name of ["a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.txz", "a.tar.zst", "a.zip"]) {
      const dest = join(parent, `out ${name}`);
      mkdirSync(dest);
      await applyTwice(unarchive, { src: name, dest, creates: `${dest}/in`, user: "nobody" }, { deployDir: parent });
      expect([readFileSync(`${dest}/in/it's`, "utf8"), statSync(`${dest}/in/it's`).uid]).toEqual(["content", 65534]);
    }
    mkdirSync(join(parent, "remote"));
    await applyTwice(unarchive, {
      src: join(parent, "a.tgz"),
      dest: join(parent, "remote"),
      remoteSrc: true,
      creates: join(parent, "remote/in"),
      extraOpts: ["--no-same-owner"],
    });
    await expect(apply(unarchive, { src: "a.rar", dest: parent }, { deployDir: parent })).rejects.toThrow(
      "Unsupported archive format for a.rar",
    );
    await expect(apply(unarchive, { src: "b.tar", dest: parent }, { deployDir: parent })).rejects.toThrow(
      "No such file",
    );
    await expect(apply(unarchive, { src: "a.tar", dest: join(parent, "none") }, { deployDir: parent })).rejects.toThrow(
      "is not an existing directory",
    );
  } finally {
    rmSync(parent, { recursive: true });
  }
});

test("rsync is given the local directory, its slash and the flags", async () => {
  const yielded: unknown[] = [];
  const host = { local: { resolve: (path: string) => `/deploy/${path.replace(/\/$/, "")}`, stat: async () => ({}) } };
  for (const args of [
    { src: "site/", dest: "/www" },
    { src: "site", dest: "/www", flags: ["-a"] },
  ])
    for await (const command of rsync.steps(host as never, args)) yielded.push(command);
  expect(yielded).toEqual([
    { kind: "rsync", src: "/deploy/site/", dest: "/www", flags: ["-ax", "--delete"] },
    { kind: "rsync", src: "/deploy/site", dest: "/www", flags: ["-a"] },
  ]);
});
