import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { raw, Secret, sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { localTransfers } from "../../src/deploy/local-transfers.ts";
import type { CommandOptions } from "../../src/engine/host/sending.ts";
import { Session } from "../../src/engine/host/session.ts";
import { localConnection, localSession } from "../support/local-session.ts";
import { upload } from "../support/upload.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(`${tmpdir()}/session-`);
});
afterAll(() => rmSync(dir, { recursive: true }));

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

for (const fast of [true, false]) {
  describe(fast ? "commands that share a shell" : "commands with channels of their own", () => {
    let session: Session;
    let connections = 0;
    const signal = new AbortController().signal;
    const options = (more: Partial<CommandOptions> = {}): CommandOptions => ({
      surroundings: { shell: "sh", env: {} },
      signal,
      ...more,
    });
    const run = async (line: string, more: Partial<CommandOptions> = {}) => {
      const { exitCode, stdout, stderr } = await session.run(sh`${raw(line)}`, options(more));
      return { exitCode, stdout: text(stdout), stderr: text(stderr) };
    };
    beforeAll(() => {
      const connector = createLocalConnector();
      session = new Session({
        host: "here",
        fast,
        connect: async timeout => {
          connections++;
          return connector.connect!(
            { name: "here", address: "", data: {}, timeout: timeout ?? 10, signal },
            { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: dir },
          );
        },
        context: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: dir },
        transfers: localTransfers,
        onMayHaveChanged: () => {},
        onTransfer: () => {},
      });
    });
    afterAll(() => session.disconnect());

    test("keep stdout, stderr and the exit code apart", async () => {
      expect(await run("echo out; echo err >&2; exit 7")).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
      expect(await run("printf 'no newline'; printf 'nor here' >&2")).toEqual({
        exitCode: 0,
        stdout: "no newline",
        stderr: "nor here",
      });
      expect(await run(":")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    });
    test("cannot change what the next one sees", async () => {
      await run(
        "cd /; X=1; export X; exec 3>&1; set -e; umask 0; alias ls=rm; f() { echo f; }; trap 'echo trapped' EXIT",
      );
      expect((await run('pwd; echo "${X-none}"; umask; f 2>/dev/null || echo no f')).stdout).toBe(
        `${process.cwd()}\nnone\n${process.umask().toString(8).padStart(4, "0")}\nno f\n`,
      );
    });
    test("have nothing to read", async () => {
      expect(await run("cat; read line || echo nothing")).toMatchObject({ stdout: "nothing\n" });
    });
    test("may be any text", async () => {
      const hostile = `it's "a" $HOME \`id\` \\n \x01 * ~ # ! ;\ttab é 💥`;
      expect(text((await session.run(sh`printf %s ${hostile}`, options())).stdout)).toBe(hostile);
      expect((await run("cat <<E\n$((1+1)) 'x'\nE\necho done # comment")).stdout).toBe("2 'x'\ndone\n");
    });
    test("that are no shell fail alone", async () => {
      expect((await run("if then ('")).exitCode).not.toBe(0);
      expect((await run("echo fine")).stdout).toBe("fine\n");
    });
    test("may print anything, much of it", async () => {
      const { stdout } = await session.run(
        sh`head -c 5000000 /dev/zero | tr '\\0' '\\001'; head -c 100000 /dev/urandom >/dev/null`,
        options(),
      );
      expect(stdout.length).toBe(5_000_000);
      expect(stdout.every(byte => byte === 1)).toBe(true);
    });
    test("may exit, or kill their shell or the one that started it: the next one finds another", async () => {
      expect((await run("exit 3")).exitCode).toBe(3);
      expect((await run("kill -9 $$; echo next")).stdout).toBe("");
      // Where the shell is shared, that is the one that started it.
      const endShared = `read -r _ _ _ parent _ </proc/$$/stat; read -r name </proc/$parent/comm; [ "$name" = sh ] && kill -9 $parent`;
      await run(endShared).catch(() => undefined);
      expect(await run("echo alive")).toMatchObject({ stdout: "alive\n" });
    });
    test("that leave something running do not hold up the next one", async () => {
      const { stdout } = await run(`(sleep 5; echo late) >/dev/null 2>&1 & echo $!`);
      expect(await run(`kill ${stdout.trim()} && echo stopped`)).toMatchObject({ stdout: "stopped\n" });
    });
    test("in a row stop at the first that fails", async () => {
      const results = await session.runAll([sh`echo 1`, sh`echo 2; exit 4`, sh`echo 3`], options(), [0]);
      expect(results.map(result => [text(result.stdout), result.exitCode])).toEqual([
        ["1\n", 0],
        ["2\n", 4],
      ]);
      const accepted = await session.runAll([sh`exit 4`, sh`echo 3`], options(), [0, 4]);
      expect(accepted.map(result => result.exitCode)).toEqual([4, 0]);
    });
    test("at once keep their output apart", async () => {
      const outputs = await Promise.all(
        Array.from({ length: 20 }, (_, index) => run(`echo ${index}; echo e${index} >&2`)),
      );
      outputs.forEach((output, index) =>
        expect(output).toEqual({ exitCode: 0, stdout: `${index}\n`, stderr: `e${index}\n` }),
      );
    });
    test("run where and with what they are told to", async () => {
      expect(
        (await run('pwd; echo "$A"', { surroundings: { shell: "sh", env: { A: "it's" }, chdir: "/tmp" } })).stdout,
      ).toBe("/tmp\nit's\n");
      expect((await run("echo $BASH_VERSION | grep -c .", { surroundings: { shell: "bash", env: {} } })).stdout).toBe(
        "1\n",
      );
    });
    test("read what they are given", async () => {
      expect((await run("cat", { stdin: Buffer.from("given\0") })).stdout).toBe("given\0");
    });
    test("that take too long are killed with all that they started", async () => {
      const file = `${dir}/children-${fast}`;
      await expect(run(`sh -c 'sleep 300 & echo $! >${file}; wait'`, { timeout: 0.5 })).rejects.toMatchObject({
        code: "E_TIMEOUT",
      });
      expect(isRunning(Number(readFileSync(file, "utf8")))).toBe(false);
      expect(await run("echo alive")).toMatchObject({ stdout: "alive\n" });
    });
    test("are killed when the run is interrupted", async () => {
      const file = `${dir}/interrupted-${fast}`;
      const abort = new AbortController();
      const running = run(`echo $$ >${file}; sleep 300`, { signal: abort.signal });
      running.catch(() => undefined);
      while (!Bun.file(file).size) await Bun.sleep(5);
      const pid = Number(readFileSync(file, "utf8"));
      abort.abort(new Error("interrupted"));
      await expect(running).rejects.toThrow("interrupted");
      for (let tries = 0; isRunning(pid) && tries < 500; tries++) await Bun.sleep(10);
      expect(await run("echo alive")).toMatchObject({ stdout: "alive\n" });
      expect((await run(`pgrep -P ${pid} || echo none`)).stdout).toBe("none\n");
    });

    describe("uploads", () => {
      const contents: Record<string, string | Uint8Array | Secret> = {
        "plain text": "line\nno end",
        "text with quotes": `it's "$HOME" \`id\` \\ %s\n`,
        nothing: "",
        bytes: new Uint8Array([0, 255, 1, 10, 13, 39]),
        "a secret": new Secret("hush'hush"),
        "much text": "x".repeat(200_000),
      };
      for (const [name, content] of Object.entries(contents)) {
        test(`${name} arrives whole, and leaves nothing beside it`, async () => {
          const folder = `${dir}/up ${name} ${fast}`;
          mkdirSync(folder);
          await upload(session.transfers, { content }, `${folder}/it's here`, { mode: "640" }, options());
          const expected = content instanceof Secret ? content.reveal() : content;
          expect(Buffer.compare(readFileSync(`${folder}/it's here`), Buffer.from(expected))).toBe(0);
          expect(statSync(`${folder}/it's here`).mode & 0o7777).toBe(0o640);
          expect(readdirSync(folder)).toEqual(["it's here"]);
        });
      }
      test("keep the mode of what they replace, follow a link, and honour the umask for what is new", async () => {
        const folder = `${dir}/modes ${fast}`;
        mkdirSync(folder);
        writeFileSync(`${folder}/old`, "old", { mode: 0o751 });
        symlinkSync("old", `${folder}/link`);
        await upload(session.transfers, { content: "new" }, `${folder}/link`, {}, options());
        await upload(session.transfers, { content: "x" }, `${folder}/fresh`, {}, options());
        expect(readFileSync(`${folder}/old`, "utf8")).toBe("new");
        expect(readlinkSync(`${folder}/link`)).toBe("old");
        expect(statSync(`${folder}/old`).mode & 0o777).toBe(0o751 & ~process.umask());
        expect(statSync(`${folder}/fresh`).mode & 0o777).toBe(0o666 & ~process.umask());
      });
      test("cut short leave the old file whole and nothing behind", async () => {
        const folder = `${dir}/cut ${fast}`;
        mkdirSync(folder);
        writeFileSync(`${folder}/file`, "old");
        writeFileSync(`${folder}.source`, "x".repeat(100_000));
        const lying = { ...localTransfers, size: async () => 200_000 };
        const cut = new Session({
          host: "here",
          fast,
          connect: () =>
            createLocalConnector().connect!(
              { name: "here", address: "", data: {}, timeout: 10, signal },
              { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: dir },
            ),
          context: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: dir },
          transfers: lying,
          onMayHaveChanged: () => {},
          onTransfer: () => {},
        });
        await expect(
          upload(cut.transfers, { path: `${folder}.source` }, `${folder}/file`, {}, options()),
        ).rejects.toThrow("the upload was cut short");
        await cut.disconnect();
        expect(readFileSync(`${folder}/file`, "utf8")).toBe("old");
        expect(readdirSync(folder)).toEqual(["file"]);
      });
      test("to a directory say so", async () => {
        await expect(upload(session.transfers, { content: "x" }, dir, {}, options())).rejects.toThrow(
          "it is a directory",
        );
      });
    });

    test("downloads arrive whole, or not at all", async () => {
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 256));
      writeFileSync(`${dir}/remote file`, content);
      await session.transfers.download(`${dir}/remote file`, `${dir}/local ${fast}`, options());
      expect(Buffer.compare(readFileSync(`${dir}/local ${fast}`), content)).toBe(0);
      await expect(session.transfers.download(`${dir}/nowhere`, `${dir}/local ${fast}`, options())).rejects.toThrow(
        /No such file|cannot open/,
      );
      expect(Buffer.compare(readFileSync(`${dir}/local ${fast}`), content)).toBe(0);
    });
    test("a large upload that is the first to want sudo's password arrives", async () => {
      const bin = mkdtempSync(`${dir}/bin-`);
      const sudo = `while :; do case $1 in -n) echo "sudo: a password is required" >&2; exit 1;; -S) IFS= read -r _; shift;; -p) shift 2;; -*) shift;; *) exec "$@";; esac; done`;
      writeFileSync(`${bin}/sudo`, `#!/bin/sh\n${sudo}\n`, { mode: 0o755 });
      const asked = localSession({
        fast,
        connect: () => localConnection({ env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } }),
        context: { ask: async () => new Secret("sesame"), warn: () => {}, inform: () => {}, cwd: dir },
      });
      const content = Buffer.alloc(1_000_000, "content\n");
      const surroundings = { shell: "sh", env: {}, sudo: { login: false, preserveEnv: false } };
      await upload(asked.transfers, { content }, `${bin}/large`, {}, options({ surroundings }));
      await asked.close();
      expect(readFileSync(`${bin}/large`).equals(content)).toBe(true);
    });
    test("one connection serves them all", () => expect(connections).toBe(1));
  });
}

test.each(["a shared shell", "a channel of its own", "a channel with an input", "sudo"])(
  "a command longer than an argument may be runs in %s, whatever its characters are",
  async where => {
    const session = localSession();
    const surroundings = {
      shell: "sh",
      env: {},
      ...(where === "sudo" ? { sudo: { login: false, preserveEnv: false } } : {}),
    };
    const { signal } = new AbortController();
    for (const [character, bytes] of [
      ["a", "200000"],
      ["€", "600000"],
      ["'", "200000"],
    ] as const) {
      const input = where === "a channel with an input" ? Buffer.from("given\n") : undefined;
      const { stdout } = await session.run(sh`printf %s ${character.repeat(200_000)} | wc -c; cat`, {
        surroundings,
        signal,
        ...(where === "a shared shell" ? {} : { alone: true }),
        ...(input ? { stdin: input } : {}),
      });
      expect(text(stdout).trim()).toBe(input ? `${bytes}\ngiven` : bytes);
    }
    await session.close();
  },
);

test("a login reads what the run has written into its profile by then", async () => {
  const bin = `${dir}/login`;
  mkdirSync(bin);
  // As `sudo -i` does, without becoming anybody.
  const sudo = `#!/bin/sh\n. ${bin}/profile\nwhile [ "$1" != sh ]; do shift; done\nexec "$@"\n`;
  writeFileSync(`${bin}/sudo`, sudo, { mode: 0o755 });
  const session = localSession({
    connect: () => localConnection({ env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } }),
  });
  const surroundings = { shell: "sh", env: {}, sudo: { login: true, preserveEnv: false } };
  const seen: string[] = [];
  for (const value of ["old", "new"]) {
    writeFileSync(`${bin}/profile`, `export MARK=${value}\n`);
    const { stdout } = await session.run(sh`echo "$MARK"`, { surroundings, signal: new AbortController().signal });
    seen.push(text(stdout));
  }
  expect(seen).toEqual(["old\n", "new\n"]);
  await session.close();
});

test("an upload is put in place by whichever shell is wanted", async () => {
  for (const shell of ["sh", "bash", "zsh"]) {
    const session = localSession();
    const { signal } = new AbortController();
    const options = { surroundings: { shell, env: {} }, signal };
    // The second keeps what the first has set.
    for (const [content, attributes] of [
      ["new\n", { mode: "640" }],
      ["newer\n", {}],
    ] as const) {
      await upload(session.transfers, { content }, `${dir}/by-shell`, attributes, options);
      expect(readFileSync(`${dir}/by-shell`, "utf8")).toBe(content);
      expect(statSync(`${dir}/by-shell`).mode & 0o777).toBe(0o640);
    }
    rmSync(`${dir}/by-shell`);
    await session.close();
  }
});

test("a copy takes no longer than it may, and 0 seconds are no limit", async () => {
  const never: NonNullable<Connection["rsync"]> = (_from, _to, _flags, { signal } = {}) =>
    new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason as Error)));
  const session = localSession({ connect: async () => ({ ...(await localConnection()), rsync: never }) });
  const surroundings = { shell: "sh", env: {} };
  const { signal } = new AbortController();
  const copying = session.transfers.rsync("a", "b", [], { surroundings, signal, timeout: 0.01 });
  await expect(copying).rejects.toThrow("rsync timed out after 0.01 s");
  const { results } = await session.transfers.upload(
    { content: "text" },
    "/proc/self/no-such/file",
    {},
    { surroundings: { ...surroundings, chdir: "/" }, signal, timeout: 0.0001 },
  );
  await expect(results).rejects.toThrow('The upload to "/proc/self/no-such/file" timed out after 0.0001 s');
  const { exitCode } = await session.run(sh`sleep 0.1`, { surroundings, signal, timeout: 0 });
  expect(exitCode).toBe(0);
  await session.close();
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
