/** A password that was typed, and what a shell that ended has left. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { Secret, sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { localConnection, localSession } from "../support/local-session.ts";

/** A sudo that wants a password, whatever it is. */
const SUDO = `#!/bin/sh
while :; do case $1 in -n) echo "sudo: a password is required" >&2; exit 1;; -S) IFS= read -r _; shift;; -p) shift 2;; -*) shift;; *) exec "$@";; esac; done
`;

/** A connection whose shell that stays is gone just when it was to begin the command of that number. */
async function endingBefore(number: number, env: Readonly<Record<string, string | undefined>>): Promise<Connection> {
  const connection = await localConnection({ env });
  return {
    ...connection,
    async run(command, options = {}) {
      if (!options.onWanted) return await connection.run(command, options);
      const stop = new AbortController();
      const running = connection.run(command, {
        ...options,
        signal: stop.signal,
        onOutput(stream, chunk) {
          const text = Buffer.from(chunk).toString("latin1");
          const begin = stream === "stderr" ? text.search(new RegExp(`\\x01\\S+ ${number} begin`)) : -1;
          if (stop.signal.aborted || begin === -1) return options.onOutput?.(stream, chunk);
          stop.abort(new Error("gone"));
          return options.onOutput?.(stream, chunk.slice(0, begin));
        },
      });
      return await running.catch(() => ({ exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() }));
    },
  };
}

test("commands that were sent behind others are given it too", async () => {
  const dir = mkdtempSync(`${tmpdir()}/tsinfra-behind-`);
  writeFileSync(`${dir}/sudo`, SUDO, { mode: 0o755 });
  const session = localSession({
    connect: () => endingBefore(4, { ...process.env, PATH: `${dir}:${process.env.PATH}` }),
    context: { ask: async () => new Secret("sesame"), warn: () => {}, inform: () => {}, cwd: dir },
  });
  const surroundings = { shell: "sh", env: {}, sudo: { login: false, preserveEnv: false } };
  const { signal } = new AbortController();
  await session.run(sh`true`, { surroundings, signal });
  const { behind, results } = await session.send([sh`true`], { surroundings, signal }, [0]);
  const printed: string[] = [];
  const sent = behind!.send([sh`echo begun`, sh`sleep 0.2; echo rest`], {
    surroundings,
    successExitCodes: [0],
    onOutput: (_, chunk) => void printed.push(Buffer.from(chunk).toString()),
  });
  await results;
  const ran = await sent!.results(signal);
  const seen = ran.map(({ exitCode, stderr }) => ({ exitCode, said: Buffer.from(stderr).toString() }));
  expect(seen).toEqual([0, 0].map(exitCode => ({ exitCode, said: "" })));
  expect(printed.join("")).toBe("begun\nrest\n");
  await session.close();
  rmSync(dir, { recursive: true });
});
