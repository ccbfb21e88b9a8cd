import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GpgKey, GpgKeyrings, GpgKeys, GpgSecretKeys } from "../../src/facts/gpg.ts";
import { key as aptKey } from "../../src/operations/apt/index.ts";
import { dearmor, key } from "../../src/operations/gpg.ts";
import { apply, applyTwice, askFact, localHost, mustRun } from "../support/apply.ts";
import { needTools } from "../support/machine.ts";

let root = "";
let globals = {};
const ids: string[] = [];
const path = (name: string) => join(root, name);
const gpg = (line: string) => mustRun(localHost(), `export GNUPGHOME='${path("home")}' && gpg --batch --quiet ${line}`);

/** Two keys of an own home: as text, one and both, and as binary. */
beforeAll(async () => {
  await needTools({ gpg: "gpg" });
  root = mkdtempSync(join(tmpdir(), "gpg test-"));
  mkdirSync(path("home"), { mode: 0o700 });
  globals = { _env: { GNUPGHOME: path("home") } };
  for (const name of ["One", "Two"])
    await gpg(`--passphrase '' --quick-generate-key '${name} <${name}@example.com>' ed25519 sign never 2>/dev/null`);
  ids.push(...Object.keys(await askFact(GpgKeys, {}, localHost(), globals)));
  await gpg(`--armor --output '${path("one key.asc")}' --export ${ids[0]}`);
  await gpg(`--armor --output '${path("both.asc")}' --export`);
  await gpg(`--output '${path("both.gpg")}' --export`);
}, 60_000);
afterAll(async () => {
  await mustRun(localHost(), `GNUPGHOME='${path("home")}' gpgconf --kill all || true`);
  rmSync(root, { recursive: true, force: true });
});

const keysIn = async (file: string): Promise<string[]> =>
  Object.keys(await askFact(GpgKey, { src: file }, localHost(), globals)).sort();

test("keys are read from a home, a file and the keyrings of a directory", async () => {
  expect(ids).toHaveLength(2);
  const secret = await askFact(GpgSecretKeys, {}, localHost(), globals);
  expect(Object.values(secret).map(({ uid }) => uid)).toEqual(["One <One@example.com>", "Two <Two@example.com>"]);
  expect(await keysIn(path("one key.asc"))).toEqual([ids[0] ?? ""]);
  const keyrings = await askFact(GpgKeyrings, { directories: [root, path("nowhere")] }, localHost(), globals);
  expect(keyrings[path("both.gpg")]?.format).toBe("gpg");
  expect(Object.keys(keyrings[path("one key.asc")]?.keys ?? {})).toEqual([ids[0] ?? ""]);
}, 30_000);

test("a key of text becomes a binary keyring, once, and again when it has another key", async () => {
  const dest = path("rings/it's $one.gpg");
  await applyTwice(key, { src: path("one key.asc"), dest, mode: "640" }, { globals });
  expect(readFileSync(dest, "latin1")).not.toContain("BEGIN PGP");
  expect((statSync(dest).mode & 0o777).toString(8)).toBe("640");
  await applyTwice(key, { src: path("both.asc"), dest }, { globals });
  expect(await keysIn(dest)).toEqual([...ids].sort());
  await applyTwice(key, { src: path("both.gpg"), dest: path("rings/copy.gpg") }, { globals });
}, 30_000);

test("one key is taken out of a keyring, the last one with its file", async () => {
  const dest = path("rings/it's $one.gpg");
  const [one = "", two = ""] = ids;
  await applyTwice(key, { keyId: `0x${one.slice(-8)}`, dest, present: false }, { globals });
  expect([await keysIn(dest), existsSync(`${dest}~`)]).toEqual([[two], false]);
  await applyTwice(key, { keyId: two.toLowerCase(), workingDirs: [path("rings")], present: false }, { globals });
  expect(existsSync(dest)).toBe(false);
  expect(await keysIn(path("rings/copy.gpg"))).toEqual([one]);
  await applyTwice(key, { dest: path("rings/copy.gpg"), present: false }, { globals });
  expect(existsSync(path("rings/copy.gpg"))).toBe(false);
}, 30_000);

test("text is turned into a keyring by itself", async () => {
  await applyTwice(dearmor, { src: path("both.asc"), dest: path("rings/dearmored.gpg") }, { globals });
  expect(await keysIn(path("rings/dearmored.gpg"))).toEqual([...ids].sort());
}, 30_000);

test("apt's keyring is named after where the key comes from, or as it is told", async () => {
  await applyTwice(aptKey, { src: path("one key.asc"), dest: path("rings/apt.gpg") }, { globals });
  expect(await keysIn(path("rings/apt.gpg"))).toEqual([ids[0] ?? ""]);
  await applyTwice(aptKey, { dest: path("rings/apt.gpg"), present: false }, { globals });
  expect(existsSync(path("rings/apt.gpg"))).toBe(false);
}, 30_000);

test("keys are fetched from a server into a keyring alone", async () => {
  await needTools({ dirmngr: "dirmngr" });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: request =>
      new Response(new URL(request.url).pathname === "/pks/lookup" ? readFileSync(path("one key.asc")) : "", {
        headers: { "content-type": "application/pgp-keys" },
      }),
  });
  try {
    const [one = ""] = ids;
    await applyTwice(
      aptKey,
      { keyServer: `hkp://127.0.0.1:${server.port}`, keyId: `0x${one}`, dest: path("rings/served.gpg") },
      { globals },
    );
    expect(await keysIn(path("rings/served.gpg"))).toEqual([one]);
  } finally {
    await server.stop(true);
  }
}, 60_000);

test("what is missing or makes no sense is said before anything runs", async () => {
  expect(apply(key, { dest: path("x") })).rejects.toThrow("Either `src` or `keyServer` must be provided");
  expect(apply(key, { keyServer: "hkps://example.com", dest: path("x") })).rejects.toThrow(
    "`keyId` must be provided with `keyServer`",
  );
  expect(apply(key, { src: path("both.asc") })).rejects.toThrow("`dest` must be provided");
  expect(apply(key, { keyId: "$(id)", dest: path("x"), present: false })).rejects.toThrow("hexadecimal");
  expect(apply(key, { present: false })).rejects.toThrow("For removal");
});
