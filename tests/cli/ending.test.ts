import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SETTINGS } from "../../src/cli/start.ts";
import { ended, isAlive } from "../support/is-alive.ts";
import { CLI, CLI_ENVIRONMENT } from "../support/spawn-cli.ts";
import { until } from "../support/until.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

let cwd: string;
let state: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "tsinfra-ending-"));
  state = join(cwd, "state");
  await writeFile(join(cwd, "hangs.ts"), "console.log('begun');\nawait new Promise(() => {});\n");
  await writeFile(
    join(cwd, "callback.ts"),
    `import { ts } from "tsinfra/operations";
ts.call({ name: "Hang", function: () => { console.log("begun"); return new Promise(() => {}); } });
`,
  );
  await writeFile(
    join(cwd, "sleeps.ts"),
    `import { server } from "tsinfra/operations";
server.shell({ name: "First", commands: ["true"] });
server.shell({ name: "Long", commands: ["echo $$ >pid; sleep 1000"] });
server.shell({ name: "Never", commands: ["touch never"] });
`,
  );
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

/** With the settings that the executable gives itself: what stands before signals asks for them. */
const environment = (): Record<string, string | undefined> => ({
  ...CLI_ENVIRONMENT,
  ...SETTINGS,
  XDG_STATE_HOME: state,
});

function start(...args: readonly string[]) {
  return Bun.spawn([...CLI, ...args], { cwd, env: environment(), stdin: "ignore", stdout: "pipe", stderr: "pipe" });
}

/** On a terminal of its own. `reads`: somebody looks at it. */
function startOnTerminal(args: readonly string[], reads: (text: string) => void = () => {}) {
  const decoder = new TextDecoder();
  const terminal = new Bun.Terminal({ cols: 80, rows: 24, data: (_, chunk) => reads(decoder.decode(chunk)) });
  const child = Bun.spawn([...CLI, ...args], { cwd, env: environment(), terminal });
  return { terminal, child };
}

/** The process that runs on the host, once it does. */
async function running(): Promise<number> {
  const path = join(cwd, "pid");
  await until("the command has begun", async () => (await readFile(path, "utf8").catch(() => "")).endsWith("\n"));
  const pid = Number(await readFile(path, "utf8"));
  await rm(path);
  return pid;
}

describe("what was running when a run was interrupted", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("is told by name, and ended: %s", async signal => {
    for (const view of ["--plain", "--json"]) {
      const child = start("@local", "sleeps.ts", "-y", view);
      const pid = await running();
      child.kill(signal);
      const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      expect(code).toBe(130);
      await ended(pid);
      if (view === "--plain") {
        expect(err).toMatch(/^Long\n.*\n? {2}@local {2}Interrupted: state unknown$/m);
        expect(err).toMatch(/^Interrupted: 1 change, 1 more did not finish on 1 host, /m);
        expect(err).not.toMatch(/nothing changed|Never\n/);
      } else {
        const events = out
          .trimEnd()
          .split("\n")
          .map(line => JSON.parse(line) as Record<string, unknown>);
        expect(events.filter(event => event["outcome"] === "interrupted")).toMatchObject([
          { operation: "Long", host: "@local", unfinished: true },
        ]);
        expect(events.find(event => event["type"] === "results")).toMatchObject({
          ok: false,
          operations: [{ changed: 1 }, { interrupted: 1, unfinished: 1 }, { notReached: 1 }],
          hosts: [{ changed: 1, interrupted: 1, notReached: 1 }],
        });
      }
    }
  });

  test("is told when the run is left at once", async () => {
    let screen = "";
    const { child } = startOnTerminal(["@local", "callback.ts", "-y"], text => (screen += text));
    await until("the callback waits", async () => screen.includes("begun"));
    child.kill("SIGINT");
    await until("the first Ctrl-C is told", async () => screen.includes("Press Ctrl-C again"));
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await until("the last words", async () => screen.includes("@local  Hang: interrupted, state unknown"));
  });

  test.each([
    ["callback.ts", '"Hang" on @local'],
    ["hangs.ts", "hangs.ts on @local"],
  ])("is told while it is waited for, when it does not end at the first Ctrl-C: %s", async (file, what) => {
    let screen = "";
    const { child } = startOnTerminal(["@local", file, "-y"], text => (screen += text));
    await until("it waits", async () => screen.includes("begun"));
    child.kill("SIGINT");
    await until("what is waited for is told", async () =>
      screen.includes(`Not ended yet: ${what}. Press Ctrl-C again to leave at once`),
    );
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
  });

  test("is told as perhaps still running where a command was sent, or sent ahead, and nobody waits for its end", async () => {
    await writeFile(
      join(cwd, "stubborn.ts"),
      `import { files, server } from "tsinfra/operations";
server.shell({ name: "Before", commands: ["true"] });
server.shell({ name: "Stubborn", commands: ["trap '' INT TERM HUP; echo $$ >pid; while :; do sleep 0.1; done"] });
files.directory({ name: "Behind", path: "${cwd}/behind" });
server.shell({ name: "Never", commands: ["true"] });
`,
    );
    const child = start("@local", "stubborn.ts", "-y", "--plain");
    let told = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stderr) told += decoder.decode(chunk, { stream: true });
    })();
    const pid = await running();
    try {
      child.kill("SIGINT");
      await until("the first Ctrl-C is told", async () => told.includes("Press Ctrl-C again"));
      child.kill("SIGINT");
      expect(await child.exited).toBe(130);
      await reading;
      expect(told.split("\n").slice(-3)).toEqual([
        "  @local  Stubborn: interrupted, state unknown; its command may still be running there",
        "  @local  Behind, Never: sent before its turn, state unknown; may still be carried out there",
        "",
      ]);
    } finally {
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
    }
  });

  test("is left in a record when the terminal is closed, and ended", async () => {
    const { child, terminal } = startOnTerminal(["@local", "sleeps.ts", "-y"]);
    const pid = await running();
    terminal.close();
    expect(await child.exited).toBe(130);
    await ended(pid);
    const [name = "", ...others] = await readdir(join(state, "tsinfra"));
    expect(others).toEqual([]);
    const path = join(state, "tsinfra", name);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    expect(text).toStartWith("tsinfra was interrupted: the terminal was closed\n");
    expect(text).toContain("\n  @local  Long: interrupted, state unknown\n\nResults\n");
    expect(text).toMatch(/^Interrupted: 1 change, 1 more did not finish on 1 host, /m);
  });
});

test("with --json and nobody behind standard output, how the run ended is told on standard error", async () => {
  const child = start("@local", "sleeps.ts", "-y", "--json");
  await running();
  await child.stdout.cancel();
  // That nobody reads shows when something is written.
  child.kill("SIGTERM");
  const [err, code] = await Promise.all([child.stderr.text(), child.exited]);
  expect(code).toBe(130);
  expect(err).toMatch(/^ {2}@local {2}Long: interrupted, state unknown$/m);
  expect(err).toMatch(/^Interrupted: 1 change, 1 more did not finish on 1 host, /m);
});

describe("code of a deploy that does not hear", () => {
  const deaf = {
    "loops.ts": "console.log('begun');\nwhile (true);\n",
    "blocks.ts": "console.log('begun');\nAtomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);\n",
    "condition.ts": `import { server } from "tsinfra/operations";
await server.shell({
  name: "Never",
  commands: ["true"],
  _if: () => {
    console.log("begun");
    while (true);
  },
});
`,
  };
  const begin = async (file: keyof typeof deaf): Promise<ReturnType<typeof start>> => {
    await writeFile(join(cwd, file), deaf[file]);
    const child = start("@local", file, "-y");
    const begun = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(begun.value)).toBe("begun\n");
    return child;
  };
  const isTold = async (child: ReturnType<typeof start>): Promise<void> => {
    const [said, code] = await Promise.all([child.stderr.text(), child.exited]);
    expect(code).toBe(130);
    expect(said).toEndWith(
      "\nInterrupted: code of your files looped or blocked and did not hear. Commands may still be running on hosts\n",
    );
  };

  test.each([
    ["loops.ts", "SIGTERM"],
    ["blocks.ts", "SIGHUP"],
    ["condition.ts", "SIGTERM"],
  ] as const)("is ended in %s by %s", async (file, signal) => {
    const child = await begin(file);
    child.kill(signal);
    // Two of the same that come together are one.
    child.kill(signal);
    await isTold(child);
  });

  test("is told of at the first Ctrl-C, and ended by the second", async () => {
    const child = await begin("loops.ts");
    child.kill("SIGINT");
    let said = "";
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += chunk;
      if (chunk.endsWith("Press Ctrl-C again to leave at once\n")) child.kill("SIGINT");
    }
    expect(said).toEndWith("did not hear. Commands may still be running on hosts\n");
    expect(await child.exited).toBe(130);
  });
});

describe("SIGTERM ends the program, whatever hangs", () => {
  test.each(["hangs.ts", "callback.ts"])("a promise in %s", async file => {
    const child = start("@local", file, "-y");
    await child.stdout.getReader().read();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(130);
  });

  test("a terminal that nobody reads", async () => {
    // It is stopped as with Ctrl-S: who writes to it waits.
    const { child, terminal } = startOnTerminal(["@local", "exec", "--", "echo $$ >pid; yes"]);
    const pid = await running();
    terminal.write("\x13");
    await Bun.sleep(500);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(130);
    await ended(pid);
    terminal.close();
  });

  test("a pipe that nobody reads", async () => {
    const child = start("@local", "exec", "--", "echo $$ >pid; yes");
    const pid = await running();
    child.kill("SIGTERM");
    expect([await child.exited, isAlive(pid)]).toEqual([130, false]);
  });

  test("at any moment of a run, which never says of a change that there was none", async () => {
    await writeFile(
      join(cwd, "steps.ts"),
      `import { server } from "tsinfra/operations";
for (let step = 0; step < 40; step++) server.shell({ commands: [\`echo \${step} >>steps; sleep 0.02\`] });
`,
    );
    for (let round = 0; round < 8; round++) {
      await rm(join(cwd, "steps"), { force: true });
      const child = start("@local", "steps.ts", "-y", "--plain");
      const err = child.stderr.text();
      await Promise.race([child.exited, Bun.sleep(200 + Math.random() * 1500)]);
      child.kill("SIGTERM");
      const code = await child.exited;
      const said = await err;
      const steps = (await readFile(join(cwd, "steps"), "utf8").catch(() => "")).split("\n").length - 1;
      const [, changes = "0"] = /^(?:Interrupted|Done|Stopped): (\d+) changes?/m.exec(said) ?? [];
      const unfinished = /(\d+) (?:more|changes?) did not finish/.exec(said)?.[1] ?? "0";
      // Before anything handles signals the system ends it; a run that is through has its own code.
      expect([130, 143, 0]).toContain(code);
      if (steps > 0) expect(said).not.toContain("nothing changed");
      expect(Number(changes) + Number(unfinished)).toBeGreaterThanOrEqual(steps);
    }
  });
});

test("a hangup that is ignored from the start, as under nohup, ends nothing", async () => {
  await writeFile(
    join(cwd, "short.ts"),
    'import { server } from "tsinfra/operations";\nserver.shell({ commands: ["echo $$ >pid; sleep 2; touch through"] });\n',
  );
  const child = Bun.spawn(["sh", "-c", `trap "" HUP; exec "$@"`, "sh", ...CLI, "@local", "short.ts", "-y"], {
    cwd,
    env: environment(),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await running();
  child.kill("SIGHUP");
  expect(await child.exited).toBe(0);
  expect(await readdir(cwd)).toContain("through");
});

test("a run that is interrupted while it connects says to which hosts", async () => {
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  try {
    const data = { sshHostname: "127.0.0.1", sshPort: silent.port, sshConfigFile: "none" };
    await writeFile(join(cwd, "mute.ts"), `export const web = [["mute", ${JSON.stringify(data)}], "@local"];\n`);
    const child = start("mute.ts", "sleeps.ts", "-y");
    let said = "";
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += chunk;
      if (chunk.includes("@local  Connected")) child.kill("SIGINT");
    }
    expect(await child.exited).toBe(130);
    expect(said).toContain("Error: The run was interrupted while it connected to mute\n");
  } finally {
    silent.stop(true);
  }
});
