/** Names: how they become addresses, and that nobody waits for somebody else's. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createSocket, type Socket } from "node:dgram";
import { join } from "node:path";
import { Slots } from "../../src/connectors/shared/slots.ts";
import { createNames } from "../../src/connectors/ssh/names.ts";
import { needRoot, needTools } from "../support/machine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);

/** Where a name server listens that never answers. */
const SILENT = "127.53.0.1";
/** More than this machine has processors. */
const DEAD = Array.from({ length: 2 * navigator.hardwareConcurrency }, (_, index) => `dead-${index}.example`);

interface Told {
  readonly name: string;
  readonly answer?: string;
  readonly code?: string;
  readonly error?: string;
}

describe("on a machine whose name server does not answer", () => {
  let server: Sshd;
  let silent: Socket;
  beforeAll(async () => {
    needRoot("A resolv.conf of its own");
    await needTools({ sshd: "openssh-server", unshare: "util-linux" });
    server = await startSshd();
    silent = createSocket("udp4");
    await new Promise<void>(resolve => silent.bind(53, SILENT, resolve));
    await Bun.write(
      join(server.directory, "resolv.conf"),
      `nameserver ${SILENT}\nsearch example\noptions timeout:30 attempts:5\n`,
    );
    await Bun.write(join(server.directory, "hosts"), "127.0.0.1 localhost known.example known\n");
  });
  afterAll(async () => {
    silent.close();
    await server.stop();
  });

  async function connectAll(wanted: {
    readonly hosts: readonly string[];
    readonly stuck?: readonly string[];
    readonly timeout: number;
  }): Promise<readonly Told[]> {
    const known = join(server.directory, "known_any");
    await Bun.write(known, server.knownHosts.replace(/^\S+/, "*"));
    const host = (name: string) => ({
      name,
      data: { ...server.data, sshHostname: name.replace(/^by-address-.*/, "127.0.0.1"), sshKnownHostsFile: known },
    });
    const child = Bun.spawn(
      [
        ...["unshare", "-m", "--propagation", "private", "sh", "-c"],
        `mount --bind "$0/resolv.conf" /etc/resolv.conf && mount --bind "$0/hosts" /etc/hosts && exec "$@"`,
        server.directory,
        ...["timeout", "50", process.execPath, join(import.meta.dir, "../support/connect-all.ts")],
      ],
      {
        stdin: Buffer.from(
          JSON.stringify({
            home: server.home,
            timeout: wanted.timeout,
            hosts: wanted.hosts.map(host),
            stuck: (wanted.stuck ?? []).map(host),
          }),
        ),
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    const told = await child.stdout.text();
    expect(await child.exited).toBe(0);
    return told
      .trim()
      .split("\n")
      .map(line => JSON.parse(line) as Told);
  }

  test("hosts that are given by address, and those that /etc/hosts knows, are reached while others wait for it", async () => {
    const hosts = ["by-address-1", "by-address-2", "by-address-3", "known.example", "known"];
    const told = await connectAll({ hosts, stuck: DEAD, timeout: 300 });
    expect(
      told
        .slice(0, 5)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...hosts].sort());
    expect(told.slice(0, 5).every(({ answer }) => answer?.includes(`127.0.0.1 ${server.port}`))).toBe(true);
    expect(told.slice(5).map(({ error }) => error)).toEqual(DEAD.map(() => "Error: Called off"));
  });

  test("a host whose name it is asked for ends with its deadline, by name", async () => {
    const told = await connectAll({ hosts: ["dead-1.example"], timeout: 1 });
    expect(told).toEqual([
      {
        name: "dead-1.example",
        code: "E_CONNECT",
        error:
          'No connection to dead-1.example within 1 seconds: still waiting for an address of the name "dead-1.example"',
      },
    ]);
  });
});

describe("names", () => {
  const never = new AbortController().signal;
  /** Names that are known, and how often each was asked for. */
  function book(known: Readonly<Record<string, readonly string[]>>) {
    const asked: string[] = [];
    const names = createNames({
      signal: never,
      slots: new Slots(64),
      async ask(name) {
        asked.push(name);
        await Promise.resolve();
        return known[name] ?? [];
      },
    });
    return { names, asked };
  }

  test("that are addresses are not asked for", async () => {
    const { names, asked } = book({});
    expect(await names.addressesOf("127.0.0.1", never)).toEqual([{ address: "127.0.0.1", family: 4 }]);
    expect(await names.addressesOf("::1", never)).toEqual([{ address: "::1", family: 6 }]);
    expect(await names.addressesOf("fe80::1%lo", never)).toEqual([{ address: "fe80::1%lo", family: 6 }]);
    expect(asked).toEqual([]);
  });

  test("are asked for once in a run, however many hosts have them", async () => {
    const { names, asked } = book({ web: ["127.0.0.2", "::1"] });
    const both = [
      { address: "127.0.0.2", family: 4 },
      { address: "::1", family: 6 },
    ] as const;
    expect(await Promise.all([names.addressesOf("web", never), names.addressesOf("web", never)])).toEqual([both, both]);
    expect(await names.addressesOf("web", never)).toEqual(both);
    expect(asked).toEqual(["web"]);
  });

  test("that nobody knew are asked for again", async () => {
    const { names, asked } = book({});
    expect(await names.addressesOf("nobody", never)).toEqual([]);
    expect(await names.addressesOf("nobody", never)).toEqual([]);
    expect(asked).toEqual(["nobody", "nobody"]);
  });

  test("are not waited for when the last who asked has given up, and only then", async () => {
    const calledOff = Promise.withResolvers<void>();
    const names = createNames({
      signal: never,
      slots: new Slots(64),
      ask: (_name, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => {
            calledOff.resolve();
            reject(signal.reason);
          }),
        ),
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [names.addressesOf("slow", first.signal), names.addressesOf("slow", second.signal)];
    first.abort(new Error("first"));
    expect(await waiting[0]!.catch(error => error.message)).toBe("first");
    let isOver = false;
    void calledOff.promise.then(() => (isOver = true));
    await Promise.resolve();
    expect(isOver).toBe(false);
    second.abort(new Error("second"));
    expect(await waiting[1]!.catch(error => error.message)).toBe("second");
    await calledOff.promise;
  });

  test("come as the machine knows them", async () => {
    const names = createNames({ signal: never, slots: new Slots(64) });
    const addresses = await names.addressesOf("localhost", never);
    expect(addresses.map(({ address }) => address)).toContain("127.0.0.1");
    expect(await names.addressesOf("no-such-host.invalid", never)).toEqual([]);
  });

  test("are found where there is no getent, too", async () => {
    const path = process.env.PATH;
    process.env.PATH = "/nonexistent";
    try {
      const names = createNames({ signal: never, slots: new Slots(1) });
      expect((await names.addressesOf("localhost", never)).map(({ address }) => address)).toContain("127.0.0.1");
    } finally {
      process.env.PATH = path;
    }
  });
});
