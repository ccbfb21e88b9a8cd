/** Revoked host keys: lists as ssh-keygen makes them, judged as ssh-keygen judges them. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRevocationList } from "../../src/connectors/ssh/host-keys/krl.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { createRevokedKeys } from "../../src/connectors/ssh/host-keys/revoked.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";
import { createKey, keygen, startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client" });

let directory: string;
let count = 0;
/** Paths of public keys and certificates, by name. */
let all: Readonly<Record<string, string>>;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsinfra-revoked-"));
  for (const name of ["ca", "ca2"]) await createKey(path(name), "ed25519");
  const made: Record<string, string> = { ca: path("ca.pub"), ca2: path("ca2.pub") };
  for (const name of ["ed25519", "ecdsa", "rsa"] as const) {
    await createKey(path(name), name);
    made[name] = path(`${name}.pub`);
  }
  for (const [name, type, authority, keyId, serial] of CERTIFICATES) {
    await createKey(path(name), type);
    await keygen(["-q", "-s", path(authority), "-h", "-I", keyId, "-z", serial, "-n", "web", `${path(name)}.pub`]);
    made[name] = `${path(name)}-cert.pub`;
    made[`${name} without its certificate`] = `${path(name)}.pub`;
  }
  all = made;
});
afterAll(() => rm(directory, { recursive: true }));

const CERTIFICATES = [
  ["one", "ed25519", "ca", "web one", "1"],
  ["two", "ecdsa", "ca", "web two", "2"],
  ["hundred", "rsa", "ca", "web one", "100"],
  ["huge", "ed25519", "ca", "huge", "18446744073709551615"],
  ["zero", "ed25519", "ca", "zero", "0"],
  ["other", "ed25519", "ca2", "web one", "2"],
] as const;

const blobOf = async (file: string): Promise<Buffer> =>
  Buffer.from((await Bun.file(file).text()).split(" ")[1] ?? "", "base64");

/** A list that ssh-keygen makes of a specification, in which names of keys stand for them. */
async function list(
  specification: string,
  { authority, update }: { readonly authority?: string; readonly update?: string } = {},
): Promise<string> {
  const file = update ?? path(`krl-${count++}`);
  const input = path(`spec-${count++}`);
  const keyText = await Promise.all(
    Object.values(all).map(async name => [name, (await Bun.file(name).text()).trim()] as const),
  );
  await Bun.write(
    input,
    keyText.reduce((text, [name, key]) => text.replaceAll(`@${name.slice(directory.length + 1)}`, key), specification),
  );
  await keygen([
    "-q",
    "-k",
    ...(update ? ["-u"] : []),
    "-f",
    file,
    ...(authority ? ["-s", `${path(authority)}.pub`] : []),
    "-z",
    "7",
    input,
  ]);
  return file;
}

/** Names of what is revoked. */
async function revokedHere(krl: string): Promise<readonly string[]> {
  const revoked = createRevokedKeys();
  const judged = await Promise.all(
    Object.entries(all).map(async ([name, file]) =>
      (await revoked.by(await blobOf(file), krl)) === undefined ? [] : [name],
    ),
  );
  return judged.flat();
}
async function revokedBySsh(krl: string): Promise<readonly string[]> {
  const judged = await Promise.all(
    Object.entries(all).map(async ([name, file]) => {
      const said = Bun.spawn(["ssh-keygen", "-Q", "-f", krl, file], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const text = await said.stdout.text();
      await said.exited;
      return /: REVOKED\b/.test(text) ? [name] : [];
    }),
  );
  return judged.flat();
}

/** What ssh-keygen is given, and for which authority. */
const LISTS: readonly (readonly [why: string, specification: string, authority?: string])[] = [
  ["nothing", ""],
  ["keys", "@ed25519.pub\n@rsa.pub\n"],
  ["a key named as such", "key: @ecdsa.pub\n"],
  ["the key of a certificate", "@one.pub\n"],
  ["a certificate", "@two-cert.pub\n"],
  ["the key of an authority", "@ca.pub\n"],
  ["hashes by SHA1", "sha1: @ed25519.pub\nsha1: @one.pub\n"],
  ["hashes by SHA256", "sha256: @rsa.pub\nsha256: @ca2.pub\n"],
  ["a serial number", "serial: 1\n", "ca"],
  ["several serial numbers", "serial: 1\nserial: 100\nserial: 5000\n", "ca"],
  ["the highest serial number", "serial: 18446744073709551615\n", "ca"],
  ["a range", "serial: 2-50\n", "ca"],
  ["a wide range", "serial: 3-18446744073709551614\n", "ca"],
  [
    "many serial numbers, which become bits",
    Array.from({ length: 60 }, (_, index) => `serial: ${index * 2 + 2}\n`).join(""),
    "ca",
  ],
  ["odd serial numbers", Array.from({ length: 80 }, (_, index) => `serial: ${index * 2 + 1}\n`).join(""), "ca"],
  ["numbers, ranges and a gap", "serial: 1\nserial: 90-101\nserial: 1000-2000\nserial: 4\n", "ca"],
  ["a serial number of another authority", "serial: 1\nserial: 2\n", "ca2"],
  ["a key id", "id: web one\n", "ca"],
  ["a key id of another authority", "id: web one\n", "ca2"],
  ["key ids and serial numbers", "id: zero\nid: huge\nserial: 2\n", "ca"],
  ["everything", "serial: 1\nid: web two\nkey: @rsa.pub\nsha1: @ecdsa.pub\nsha256: @ed25519.pub\n", "ca"],
];

describe("a key revocation list", () => {
  for (const [why, specification, authority] of LISTS) {
    test(`revokes what it revokes for ssh-keygen: ${why}`, async () => {
      const krl = await list(specification, authority === undefined ? {} : { authority });
      expect(await revokedHere(krl)).toEqual(await revokedBySsh(krl));
    });
  }

  test("of several authorities, made in two steps, too", async () => {
    const krl = await list("serial: 1\n", { authority: "ca" });
    await list("id: web one\n", { authority: "ca2", update: krl });
    const revoked = await revokedHere(krl);
    expect(revoked).toEqual(await revokedBySsh(krl));
    expect(revoked).toContain("one");
    expect(revoked).toContain("other");
  });

  test("that is cut short anywhere, or has parts nobody knows, is refused rather than half believed", async () => {
    const bytes = Buffer.from(
      await Bun.file(await list("serial: 1\nid: x\nkey: @rsa.pub\n", { authority: "ca" })).bytes(),
    );
    const ends = new Set<number>();
    for (let length = 0; length < bytes.length; length++) {
      try {
        parseRevocationList(bytes.subarray(0, length));
        ends.add(length);
      } catch (error) {
        expect(["RangeError", "SyntaxError"]).toContain((error as Error).name);
      }
    }
    // Between its parts nothing tells that there were more.
    expect(ends.size).toBeLessThanOrEqual(3);
    expect(() => parseRevocationList(Buffer.concat([bytes, Buffer.from([9, 0, 0, 0, 0])]))).toThrow(
      "The part 9 of the list is not understood",
    );
    const extension = (critical: number) =>
      Buffer.concat([bytes, Buffer.from([255, 0, 0, 0, 10, 0, 0, 0, 1, 0x78, critical, 0, 0, 0, 0])]);
    expect(() => parseRevocationList(extension(1))).toThrow('The extension "x" of the list is not understood');
    parseRevocationList(extension(0));
  });

  test("stops a host whose key is known, and names the file", async () => {
    await using server = await startSshd();
    const hostKey = path(`host-${count++}`);
    await Bun.write(`${hostKey}.pub`, Bun.file(join(server.directory, "host_ed25519.pub")));
    const connect = async (revoked: string): Promise<string> => {
      const connector = createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
      const sshConfigFile = path(`config-${count++}`);
      await Bun.write(sshConfigFile, `RevokedHostKeys ${revoked}\n`);
      try {
        const connection = await connector.connect!(
          targetFor("web-1", { ...server.data, sshConfigFile }),
          connectorContext(),
        );
        await connection.close();
        return "in";
      } catch (error) {
        return (error as Error).message;
      } finally {
        await connector.close?.();
      }
    };
    const krl = path(`krl-${count++}`);
    await keygen(["-q", "-k", "-f", krl, `${hostKey}.pub`]);
    expect(await connect(krl)).toContain(`is revoked by ${krl} (the key itself): found ED25519 `);
    expect(await connect(await list("@rsa.pub\n"))).toBe("in");
    const text = path(`text-${count++}`);
    await Bun.write(text, `# compromised\n\n  ${await Bun.file(`${hostKey}.pub`).text()}`);
    expect(await connect(text)).toContain(`is revoked by ${text}:3`);
    expect(await connect(path("nothing"))).toStartWith("Cannot read RevokedHostKeys ");
    const cut = path(`cut-${count++}`);
    await Bun.write(cut, Buffer.from(await Bun.file(krl).bytes()).subarray(0, -3));
    expect(await connect(cut)).toBe(`Cannot read RevokedHostKeys ${JSON.stringify(cut)}: The message ends too early`);
  });
});
