/** What every connector promises; each connector's own test calls it with a host of its own. @module */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { raw, sh } from "../../src/core/command.ts";
import { until } from "../support/until.ts";
import type { Capabilities, Connection, OutputStream, RunResult } from "../../src/core/connector.ts";

/** A connector with a host to try it on. */
export interface Subject {
  /** Shown in the titles. */
  readonly name: string;
  readonly can: Capabilities;
  open(): Promise<Connection>;
  /** What a server at the other end gets wrong, and the connector reports as a lost connection: many commands at once, input that is not read. */
  readonly lacks?: readonly ("concurrency" | "unread input")[];
  close?(): Promise<void>;
}

const MEGABYTES = 5;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Run the contract. */
export function testConnector(subject: Subject): void {
  describe(`${subject.name} keeps the connector contract`, () => {
    const { lacks = [] } = subject;
    let connection: Connection;
    let directory: string;
    beforeAll(async () => {
      connection = await subject.open();
      directory = text((await connection.run(sh`mktemp -d`)).stdout).trim();
    });
    afterAll(async () => {
      await connection.run(sh`rm -rf ${directory}`);
      await connection.close();
      await subject.close?.();
    });

    test("a command's output and exit code arrive", async () => {
      const result = await connection.run(sh`echo out; echo err >&2; exit 3`);
      expect({ code: result.exitCode, out: text(result.stdout), err: text(result.stderr) }).toEqual({
        code: 3,
        out: "out\n",
        err: "err\n",
      });
    });

    test("what a command came to is held by nobody once it has ended", async () => {
      const runs = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const holder = { bytes: 0 };
          await connection.run(sh`echo out`, { onOutput: (_, chunk) => void (holder.bytes += chunk.length) });
          return new WeakRef(holder);
        }),
      );
      await connection.run(sh`true`);
      // The last ones may still be on a stack.
      const isFree = async (): Promise<boolean> => {
        Bun.gc(true);
        return runs.some(run => run.deref() === undefined);
      };
      await until("its memory is free", isFree);
    });

    test("exit codes 0, 1 and 255 are results", async () => {
      for (const code of [0, 1, 255]) expect((await connection.run(sh`exit ${code}`)).exitCode).toBe(code);
    });

    test("a command that a signal ended has the shell's exit code", async () => {
      const { exitCode } = await connection.run(sh`kill -KILL $$`);
      expect(exitCode).toBe(137);
    });

    test("quoting survives the journey", async () => {
      const nasty = `a 'b' "c" $HOME \`id\` \\ ; & | * ? # ~ ! \n\ttab é 漢 -n`;
      expect(text((await connection.run(sh`printf %s ${nasty}`)).stdout)).toBe(nasty);
    });

    test("output without a last newline, and no output at all, arrive as they are", async () => {
      expect(text((await connection.run(sh`printf x`)).stdout)).toBe("x");
      const silent = await connection.run(sh`true`);
      expect([silent.stdout.length, silent.stderr.length]).toEqual([0, 0]);
    });

    test("without input a command reads the end of input at once", async () => {
      const { stdout } = await connection.run(sh`cat; echo done`);
      expect(text(stdout)).toBe("done\n");
    });

    test("input is sent and then closed", async () => {
      const { stdout } = await connection.run(sh`cat; echo end`, { stdin: new TextEncoder().encode("one\ntwo") });
      expect(text(stdout)).toBe("one\ntwoend\n");
    });

    test("all 256 byte values pass both ways", async () => {
      const every = Uint8Array.from({ length: 256 * 3 }, (_, index) => index % 256);
      const { stdout } = await connection.run(sh`cat`, { stdin: every });
      expect(Buffer.from(stdout).equals(every)).toBe(true);
    });

    test(`${MEGABYTES} MB pass both ways unharmed`, async () => {
      const bytes = randomBytes(MEGABYTES * 1024 * 1024);
      const { stdout } = await connection.run(sh`cat`, { stdin: bytes });
      expect(Buffer.from(stdout).equals(bytes)).toBe(true);
    });

    test("input from a stream arrives in order", async () => {
      async function* lines() {
        for (let line = 0; line < 500; line++) yield new TextEncoder().encode(`${line}\n`);
      }
      const { stdout } = await connection.run(sh`cat`, { stdin: lines() });
      expect(text(stdout)).toBe(Array.from({ length: 500 }, (_, line) => `${line}\n`).join(""));
    });

    test.if(!lacks.includes("unread input"))(
      "a stream of input is not read faster than the command reads it",
      async () => {
        let produced = 0;
        const chunk = new Uint8Array(1024 * 1024);
        async function* endless() {
          for (; produced < 200; produced++) yield chunk;
        }
        const { exitCode } = await connection.run(sh`head -c 10 >/dev/null; exec <&-; exit 7`, { stdin: endless() });
        expect(exitCode).toBe(7);
        expect(produced).toBeLessThan(100);
      },
    );

    test("input that fails ends the command and is the error", async () => {
      async function* failing() {
        yield new TextEncoder().encode("some");
        throw new RangeError("disk on fire");
      }
      await expect(connection.run(sh`cat >/dev/null; sleep 100`, { stdin: failing() })).rejects.toThrow("disk on fire");
    });

    test.if(!lacks.includes("unread input"))("a command may end without reading its input", async () => {
      const { exitCode } = await connection.run(sh`exit 5`, { stdin: new Uint8Array(4 * 1024 * 1024) });
      expect(exitCode).toBe(5);
    });

    test(`${MEGABYTES} MB on both outputs at once stay apart`, async () => {
      const size = MEGABYTES * 1024 * 1024;
      const { stdout, stderr } = await connection.run(
        sh`head -c ${size} /dev/zero | tr '\\0' o & head -c ${size} /dev/zero | tr '\\0' e >&2; wait`,
      );
      expect([stdout.length, stderr.length]).toEqual([size, size]);
      expect(stdout.every(byte => byte === 0x6f)).toBe(true);
      expect(stderr.every(byte => byte === 0x65)).toBe(true);
    });

    test("output is passed on while the command runs", async () => {
      const go = Promise.withResolvers<void>();
      const seen: [OutputStream, string][] = [];
      async function* answer() {
        await go.promise;
        yield new TextEncoder().encode("go\n");
      }
      await connection.run(sh`echo ready; read -r answer; echo "$answer" >&2`, {
        stdin: answer(),
        onOutput(stream, chunk) {
          seen.push([stream, text(chunk)]);
          go.resolve();
        },
      });
      expect(seen).toEqual([
        ["stdout", "ready\n"],
        ["stderr", "go\n"],
      ]);
    });

    test("output is not kept where it is not wanted", async () => {
      let bytes = 0;
      const result = await connection.run(sh`echo x`, {
        capture: false,
        onOutput: (_, chunk) => void (bytes += chunk.length),
      });
      expect([result.stdout.length, bytes]).toEqual([0, 2]);
    });

    test("output is read no faster than it is taken, and all of it arrives", async () => {
      const gate = Promise.withResolvers<void>();
      let taken = 0;
      let result: RunResult | undefined;
      const running = connection.run(sh`head -c 50000000 /dev/zero; echo end >&2`, {
        capture: false,
        onOutput: (_, chunk) => ((taken += chunk.length), gate.promise),
      });
      void running.then(ended => (result = ended)).catch(() => undefined);
      // Longer than silence lasts that counts as the end of output.
      await Bun.sleep(1500);
      expect(result).toBeUndefined();
      expect(taken).toBeLessThan(10_000_000);
      gate.resolve();
      expect((await running).exitCode).toBe(0);
      expect(taken).toBe(50_000_004);
    });

    test("whoever takes long for output is waited for, and loses none, though the command has ended long ago", async () => {
      const size = 4_000_000;
      let bytes = 0;
      let most = 0;
      let open = 0;
      const result = await connection.run(sh`head -c ${size} /dev/zero; echo end >&2`, {
        capture: false,
        onOutput: async (_, chunk) => {
          const isFirst = bytes === 0;
          bytes += chunk.length;
          most = Math.max(most, ++open);
          // Longer than a silence that counts as the end of output.
          if (isFirst) await Bun.sleep(1500);
          open--;
        },
      });
      expect([result.exitCode, bytes]).toEqual([0, size + 4]);
      // What had been read already, from each of the two streams, comes nevertheless.
      expect(most).toBeLessThan(40);
    });

    test.if(!lacks.includes("concurrency"))("thirty commands at once all run", async () => {
      const results = await Promise.all(
        Array.from({ length: 30 }, (_, index) => connection.run(sh`sleep 0.1; echo ${index}`)),
      );
      expect(results.map(result => text(result.stdout).trim())).toEqual(
        Array.from({ length: 30 }, (_, index) => `${index}`),
      );
    });

    const endings = [
      ["that would end if asked", raw("")],
      ["that ignores being asked", raw("trap '' TERM HUP INT; ")],
      ["with a child", raw("sleep 1000 & ")],
    ] as const;
    for (const [index, [what, prelude]] of endings.entries()) {
      test(`aborting ends a command ${what}`, async () => {
        const controller = new AbortController();
        const reason = new Error("enough");
        const pidFile = `${directory}/pid-${index}`;
        const run = connection.run(
          sh`${prelude}sh -c 'echo $$ >> "$1"; echo started; while :; do sleep 0.1; done' x ${pidFile} & echo $$ >> ${pidFile}; wait; sleep 1000`,
          {
            signal: controller.signal,
            onOutput: () => controller.abort(reason),
          },
        );
        expect(await run.catch(error => error)).toBe(reason);
        expect(await survivors(connection, pidFile)).toBe("");
      });
    }

    test("aborting before the start runs nothing", async () => {
      const reason = new Error("never mind");
      const run = connection.run(sh`touch ${`${directory}/ran`}`, { signal: AbortSignal.abort(reason) });
      expect(await run.catch(error => error)).toBe(reason);
      expect((await connection.run(sh`test -e ${`${directory}/ran`}`)).exitCode).toBe(1);
    });

    test("the connection is good after an abort", async () => {
      const controller = new AbortController();
      const run = connection.run(sh`echo x; sleep 1000`, {
        signal: controller.signal,
        onOutput: () => controller.abort(),
      });
      await run.catch(() => {});
      expect(text((await connection.run(sh`echo fine`)).stdout)).toBe("fine\n");
    });

    test("a process left in the background does not hold the command up", async () => {
      const { exitCode, stdout } = await connection.run(sh`sleep 1000 & echo $! ; exit 4`);
      expect(exitCode).toBe(4);
      await connection.run(sh`kill ${text(stdout).trim()}`);
    });

    test.if(subject.can.pty)(
      "a command may have a terminal, which shows lines as a pipe would and nothing of what is typed",
      async () => {
        const result = await connection.run(
          sh`test -t 0 && test -t 1 && echo terminal; read -r typed; echo "got $typed" >&2; exit 6`,
          {
            pty: true,
            stdin: new TextEncoder().encode("secret\n"),
          },
        );
        expect({ code: result.exitCode, out: text(result.stdout), err: text(result.stderr) }).toEqual({
          code: 6,
          out: "terminal\ngot secret\n",
          err: "",
        });
      },
    );

    test.if(subject.can.pty)("input ends on a terminal too", async () => {
      for (const stdin of [undefined, new TextEncoder().encode("line\n"), new TextEncoder().encode("half")]) {
        const { stdout } = await connection.run(sh`cat; echo end`, { pty: true, ...(stdin ? { stdin } : {}) });
        expect(text(stdout)).toBe(`${stdin ? text(stdin) : ""}end\n`);
      }
    });

    test.if(subject.can.pty)("aborting ends a command on a terminal", async () => {
      const controller = new AbortController();
      const pidFile = `${directory}/pid-terminal`;
      const run = connection.run(sh`echo $$ > ${pidFile}; echo started; sleep 1000`, {
        pty: true,
        signal: controller.signal,
        onOutput: () => controller.abort("stop"),
      });
      expect(await run.catch(error => error)).toBe("stop");
      expect(await survivors(connection, pidFile)).toBe("");
    });

    test.if(subject.can.rsync)("rsync copies a directory, and removes what is gone", async () => {
      const local = await mkdtemp(join(tmpdir(), "tsinfra-rsync-"));
      const dest = `${directory}/a copy's place`;
      try {
        await Bun.write(join(local, "big"), randomBytes(3_000_000));
        await Bun.write(join(local, "sub dir/$(touch x)"), "small");
        const first = await connection.rsync!(`${local}/`, dest, ["-a", "--delete"]);
        expect([first.exitCode, text(first.stderr)]).toEqual([0, ""]);
        const sum = async () =>
          text((await connection.run(sh`cd ${dest} && find . -type f | sort && cksum <big`)).stdout);
        const size = 3_000_000;
        expect(await sum()).toMatch(new RegExp(`^\\./big\n\\./sub dir/\\$\\(touch x\\)\n\\d+ ${size}\n$`));
        await rm(join(local, "sub dir"), { recursive: true });
        const second = await connection.rsync!(`${local}/`, dest, ["-a", "--delete", "--itemize-changes"]);
        expect(text(second.stdout)).toContain("*deleting   sub dir/");
        const failed = await connection.rsync!(`${local}/nothing/`, dest, ["-a"]);
        expect(failed.exitCode).not.toBe(0);
        expect(text(failed.stderr)).toContain("No such file");
      } finally {
        await rm(local, { recursive: true });
      }
    });

    test("closing twice is fine", async () => {
      const another = await subject.open();
      await another.close();
      await another.close();
    });
  });
}

/** Which of the processes listed in a file are still there; waits for them to be reaped. */
async function survivors(connection: Connection, pidFile: string): Promise<string> {
  const { stdout } = await connection.run(
    sh`for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do left=; for pid in $(cat ${pidFile}); do kill -0 "$pid" 2>/dev/null && left="$left $pid"; done; test -z "$left" && exit; sleep 0.1; done; echo "$left"`,
  );
  return text(stdout).trim();
}
