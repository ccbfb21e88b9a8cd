/** Connectors to containers, on real engines, with everything that connectors promise. Said aloud, and left out, where an engine cannot run. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection, Connector } from "../../src/core/connector.ts";
import { openChain } from "../../src/engine/host/chain.ts";
import { parseHostName } from "../../src/inventory/parse.ts";
import { testConnector } from "../contracts/connector.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext } from "../support/connectors.ts";
import { tryEngine } from "../support/engines.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { mustRun, type TestHost } from "../support/test-host.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(120_000);
const MAIN = join(import.meta.dir, "../../src/main.ts");
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** An engine, and connectors whose programs speak to it. */
interface Rig {
  readonly host: TestHost;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly context: ReturnType<typeof connectorContext>;
  open(name: string, data?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Connection>;
  close(): Promise<void>;
}

function rigOf(
  engine: { readonly host: TestHost } & AsyncDisposable,
  more: readonly Connector[] = [],
  sshData: Readonly<Record<string, unknown>> = {},
): Rig {
  const connectors = new Map([
    ...createConnectors({ env: engine.host.env ?? {} }),
    ...more.map(connector => [connector.name, connector] as const),
  ]);
  const context = connectorContext();
  return {
    host: engine.host,
    connectors,
    context,
    open: (name, data = {}, signal = new AbortController().signal) =>
      openChain(parseHostName(name), {
        connectors,
        connectorContext: context,
        data: { ...sshData, ...data },
        timeout: 60,
        signal,
      }),
    async close() {
      for (const connector of connectors.values()) await connector.close?.();
      await engine[Symbol.asyncDispose]();
    },
  };
}

for (const program of ["docker", "podman"] as const) {
  const engine = await tryEngine(program);
  if ("reason" in engine) {
    test.skip(`${program} cannot run here: ${engine.reason}`, () => {});
    continue;
  }
  describe(program, () => {
    let rig: Rig;
    let server: Sshd;
    const say = async (line: string): Promise<string> => (await mustRun(rig.host, `${program} ${line}`)).trim();
    /** Those that were made here, by id. */
    const ours = (): Promise<string> => say("ps -a --no-trunc --filter label=tsinfra --format '{{.ID}}'");
    const image = program === "docker" ? "busybox:1" : "localhost/busybox:1";
    const removed = { dockerOnDisconnect: "remove" };

    beforeAll(async () => {
      server = await startSshd({
        config: [
          `SetEnv ${Object.entries(engine.host.env ?? {})
            .map(([name, value]) => `${name}=${value}`)
            .join(" ")}`,
        ],
      });
      rig = rigOf(
        engine,
        [createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" })],
        server.data,
      );
      await say(`run -d --name app --entrypoint sh ${image} -c "while :; do sleep 1; done"`);
    }, 300_000);
    afterAll(async () => {
      await rig.close();
      await server.stop();
    });

    const subject = (title: string, name: () => string) => ({
      name: `${program}, ${title}`,
      can: { pty: true, rsync: false },
      open: () => rig.open(name(), removed),
    });
    testConnector(subject("an image", () => `@${program}/${image}`));
    testConnector(subject("a container on an SSH host", () => `@ssh/target/@${program}/app`));
    testSession(subject("an image", () => `@${program}/${image}`));

    test("a container is used as it is, and left so", async () => {
      const connection = await rig.open(`@${program}/app`);
      await connection.run(sh`echo here >/tmp/mark`);
      await connection.close();
      expect(await say("exec app cat /tmp/mark")).toBe("here");
      expect(await say("container inspect --format '{{.State.Running}}' app")).toBe("true");
    });

    test("of commands that were broken off no process is left", async () => {
      const left = (await say("exec app ps -o args"))
        .split("\n")
        .filter(line => /sleep (0\.1|1000)|tsinfra-/.test(line));
      expect(left).toEqual([]);
    });

    test("of containers made for a connection none is left", async () => {
      expect(await ours()).toBe("");
    });

    test("a container of an image is committed, with the command of the image, and removed", async () => {
      const connection = await rig.open(`@${program}/${image}`);
      await connection.run(sh`echo kept >/kept`);
      await connection.close();
      const [, committed = ""] = /committed to the image (\w+)/.exec(rig.context.told.join("\n")) ?? [];
      expect(await say(`run --rm ${committed} cat /kept`)).toBe("kept");
      const command = (of: string): Promise<string> =>
        say(`image inspect --format '{{json .Config.Cmd}} {{len .Config.Entrypoint}}' ${of}`);
      expect(await command(committed)).toBe(program === "docker" ? await command(image) : '["/bin/sh"] 0');
      expect(await ours()).toBe("");

      // What is connected again goes on where it was.
      const again = await rig.open(`@${program}/${image}`, removed);
      expect(text((await again.run(sh`cat /kept`)).stdout)).toBe("kept\n");
      await again.close();
    });

    test("a container may be kept", async () => {
      const name = `@${program}/${image}`;
      const fresh = rigOf({ host: rig.host, async [Symbol.asyncDispose]() {} });
      const connection = await fresh.open(name, { dockerOnDisconnect: "keep" });
      await connection.close();
      const [, kept = ""] = /kept as the container (\w+)/.exec(fresh.context.told.join("\n")) ?? [];
      expect(
        await say(`container inspect --format '{{.State.Running}} {{index .Config.Labels "tsinfra"}}' ${kept}`),
      ).toBe(`true ${name}`);
      await say(`rm -f ${kept}`);
    });

    test("an interrupt removes the container, and commits nothing", async () => {
      const images = await say("image ls -aq");
      const controller = new AbortController();
      const connection = await rig.open(`@${program}/${image}`, {}, controller.signal);
      controller.abort(new Error("enough"));
      await connection.close();
      expect(await ours()).toBe("");
      expect(await say("image ls -aq")).toBe(images);
    });

    test("an interrupt while the container starts leaves none", async () => {
      const controller = new AbortController();
      const opening = rig.open(`@${program}/${image}`, {}, controller.signal);
      setTimeout(() => controller.abort(new Error("enough")), 300);
      const opened = await opening.catch(error => error);
      if ("run" in opened) await opened.close();
      else expect(opened.message).toBe("enough");
      expect(await ours()).toBe("");
    });

    test("a container that goes away is a lost connection, and never a result", async () => {
      const connection = await rig.open(`@${program}/${image}`, removed);
      const id = await ours();
      const running = connection.run(sh`echo begun; sleep 100`, {
        onOutput: () => void say(`kill ${id}`).catch(() => {}),
      });
      expect((await running.catch(error => error)).code).toBe("E_CONNECTION_LOST");
      const error = await connection.run(sh`true`).catch(error => error);
      expect([error.code, error.message]).toEqual([
        "E_CONNECTION_LOST",
        expect.stringMatching(/^Cannot run commands on .* any more: .*(is not running|state improper)/i),
      ]);
      await connection.close();
      expect(await ours()).toBe("");
    });

    test("a container that was stopped is started again, and one that was removed is not replaced by a fresh one", async () => {
      const connection = await rig.open(`@${program}/${image}`, removed);
      const id = await ours();
      await connection.run(sh`echo here >/mark`);
      await say(`kill ${id}`);
      await connection.run(sh`true`).catch(() => {});
      const again = await rig.open(`@${program}/${image}`, removed);
      expect([await ours(), text((await again.run(sh`cat /mark`)).stdout)]).toEqual([id, "here\n"]);
      await say(`rm -f ${id}`);
      await again.run(sh`true`).catch(() => {});
      const error = await rig.open(`@${program}/${image}`, removed).catch(error => error);
      expect([error.code, error.message]).toEqual([
        "E_CONNECT",
        `The container ${id.slice(0, 12)} of @${program}/${image} is not there any more, nor is what was done in it`,
      ]);
      await again.close();
      expect(await ours()).toBe("");
      await (await rig.open(`@${program}/${image}`, removed)).close();
    });

    test("a command that kills its own wrapper was cut off", async () => {
      const connection = await rig.open(`@${program}/app`);
      await expect(connection.run(sh`kill -KILL 0`)).rejects.toThrow(/^The command was cut off on /);
      await connection.close();
    });

    test("what is neither container nor image is said", async () => {
      const error = await rig.open(`@${program}/127.0.0.1:1/nowhere:9`).catch(error => error);
      expect([error.code, error.message]).toEqual([
        "E_CONNECT",
        expect.stringMatching(/^Cannot pull the image "127\.0\.0\.1:1\/nowhere:9": ./),
      ]);
    });

    test("a container that does not run is said, with what to do", async () => {
      await say(`create --name asleep ${image} sh`);
      const error = await rig.open(`@${program}/asleep`).catch(error => error);
      expect([error.message, error.hint]).toEqual([
        'Container "asleep" is not running',
        `Start it with: ${program} start asleep`,
      ]);
      await say("rm asleep");
    });

    test("an image without a shell is refused, and nothing is left", async () => {
      await mustRun(
        rig.host,
        `cd /tmp && d=$(mktemp -d) && echo x >$d/x && tar -C $d -c x | ${program} import - bare:1 && rm -r $d`,
      );
      const error = await rig
        .open(`@${program}/${program === "docker" ? "bare:1" : "docker.io/library/bare:1"}`)
        .catch(error => error);
      expect(error.code).toBe("E_CONNECT");
      expect(await ours()).toBe("");
    });

    test("an architecture that the image does not have is asked for, and refused", async () => {
      const error = await rig.open(`@${program}/${image}`, { dockerArchitecture: "s390x" }).catch(error => error);
      expect([error.code, error.message]).toEqual(["E_CONNECT", expect.stringMatching(/^Cannot pull the image/)]);
      const own = (await say(`image inspect --format '{{.Architecture}}' ${image}`)).trim();
      await (await rig.open(`@${program}/${image}`, { ...removed, dockerArchitecture: own })).close();
      await (await rig.open(`@${program}/${image}`, { ...removed, dockerPlatform: `linux/${own}` })).close();
    });

    /** Run the command line with a deploy file, and stop it when it is time. */
    const deploy = async (
      host: string,
      source: string,
      stop?: { readonly with: NodeJS.Signals; readonly when: () => Promise<boolean> },
    ) => {
      const cwd = await mkdtemp(join(tmpdir(), "tsinfra-containers-"));
      await writeFile(join(cwd, "deploy.ts"), source);
      await writeFile(join(cwd, "greeting.txt"), "hello\n");
      const child = Bun.spawn([process.execPath, MAIN, host, "deploy.ts", "-y"], {
        cwd,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        env: { ...rig.host.env, PATH: process.env["PATH"] },
      });
      if (stop) {
        await until("the deploy is where it is to be stopped", stop.when);
        child.kill(stop.with);
      }
      const [err, code] = await Promise.all([child.stderr.text(), child.exited]);
      await rm(cwd, { recursive: true });
      return { code, err };
    };

    test("a deploy changes a container once, and then nothing", async () => {
      const source =
        'import { files } from "tsinfra/operations";\nfiles.put({ src: "greeting.txt", dest: "/tmp/greeting", mode: "640" });\n';
      const first = await deploy(`@${program}/app`, source);
      expect(first.code, first.err).toBe(0);
      expect(await say("exec app sh -c 'stat -c %a /tmp/greeting; cat /tmp/greeting'")).toBe("640\nhello");
      const second = await deploy(`@${program}/app`, source);
      expect(second).toMatchObject({ code: 0, err: expect.stringContaining("nothing changed on 1 host") });
    });

    test("Ctrl-C in a deploy leaves no container and no image", async () => {
      const images = await say("image ls -aq");
      const ran = await deploy(`@${program}/${image}`, WAITS, { with: "SIGINT", when: hasBegun });
      expect(ran.code, ran.err).toBe(130);
      expect([await ours(), await say("image ls -aq")]).toEqual(["", images]);
    });

    const WAITS =
      'import { server } from "tsinfra/operations";\nserver.shell({ commands: ["touch /begun; sleep 100"] });\n';
    /** True while a deploy waits in the container that was made for it. */
    const hasBegun = async (): Promise<boolean> => {
      const ids = (await ours()).split("\n").filter(Boolean);
      const asked = await Promise.all(ids.map(id => rig.host.exec(`${program} exec ${id} test -e /begun`)));
      return asked.some(({ exitCode }) => exitCode === 0);
    };

    for (const [where, name] of [
      ["", `@${program}/${image}`],
      [" on an SSH host", `@ssh/target/@${program}/${image}`],
    ] as const)
      test(`the container${where} of a run that was killed is removed by the next one, and no other`, async () => {
        await deploy(`@${program}/${image}`, WAITS, { with: "SIGKILL", when: hasBegun });
        const killed = await ours();
        expect(killed).toMatch(/^\w{64}$/);
        const first = await rig.open(name, removed);
        const second = await ours();
        expect(second).toMatch(/^\w{64}$/);
        expect(second).not.toBe(killed);
        expect(rig.context.told.filter(line => line.includes(killed.slice(0, 12)))).toEqual([
          `The container ${killed.slice(0, 12)} of a run that was killed was removed`,
        ]);
        // The first one's maker is alive.
        const another = rigOf(
          { host: rig.host, async [Symbol.asyncDispose]() {} },
          [rig.connectors.get("ssh")!],
          server.data,
        );
        const other = await another.open(name, removed);
        expect((await ours()).split("\n")).toHaveLength(2);
        for (const connection of [first, other]) await connection.close();
        expect(await ours()).toBe("");
      });

    test("a chroot in a container on an SSH host", async () => {
      const connection = await rig
        .open(`@ssh/target/@${program}/app/@chroot/`, { chrootDirectory: "/inner" })
        .catch(error => error);
      expect(connection.message).toMatch(/^Cannot change root to "\/inner"/);
      await say(
        "exec app sh -c 'mkdir -p /inner/bin /inner/tmp && cp /bin/busybox /inner/bin && /inner/bin/busybox --install /inner/bin'",
      );
      const inner = await rig.open(`@ssh/target/@${program}/app/@chroot/inner`);
      expect(text((await inner.run(sh`ls /; pwd`)).stdout)).toBe("bin\ntmp\n/\n");
      await inner.close();
    });
  });
}
