/** Ctrl-Z, and what comes of a run that goes on afterwards, under a shell that looks after its jobs. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SETTINGS } from "../../src/cli/start.ts";
import { CLI, CLI_ENVIRONMENT } from "../support/spawn-cli.ts";
import { until } from "../support/until.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

const [HIDE, SHOW] = ["\x1b[?25l", "\x1b[?25h"];
const SHELL = ["bash", "--norc", "--noprofile", "--noediting", "-i"];
/** The shell asks what to do next. */
const PROMPT = "[shell]";

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "tsinfra-stopping-"));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

/** The program below a shell, on a terminal; `seen` is what came since the last `type`. */
async function startInShell(...args: readonly string[]) {
  const decoder = new TextDecoder();
  const terminal = new Bun.Terminal({
    cols: 80,
    rows: 24,
    data: (_, chunk) => void (screen.seen += decoder.decode(chunk)),
  });
  const child = Bun.spawn(["setsid", "--ctty", ...SHELL], {
    cwd,
    env: { ...CLI_ENVIRONMENT, ...SETTINGS, CI: "", TERM: "xterm", PS1: PROMPT },
    terminal,
  });
  const screen = {
    seen: "",
    child,
    type(keys: string) {
      screen.seen = "";
      terminal.write(keys);
    },
    shows: (text: string) => until(`${JSON.stringify(text)} is on the screen`, async () => screen.seen.includes(text)),
  };
  await screen.shows(PROMPT);
  screen.type(`${[...CLI, ...args].map(word => `'${word}'`).join(" ")}\n`);
  return screen;
}

const isCursorShown = (text: string): boolean => text.lastIndexOf(SHOW) > text.lastIndexOf(HIDE);

async function waits(name: string, body: string): Promise<void> {
  await rm(join(cwd, "go"), { force: true });
  await writeFile(join(cwd, name), `import { server } from "tsinfra/operations";\n${body}`);
}

test("while a run is stopped the cursor is there; when it goes on, so does the line in progress", async () => {
  await waits("d.ts", `server.shell({ name: "Waits", commands: ["while [ ! -e go ]; do sleep 0.1; done"] });\n`);
  const screen = await startInShell("@local", "d.ts", "-y");
  await screen.shows("Waits  0/1 host");
  // Twice: what stands before the signal stands there again.
  for (const _ of [1, 2]) {
    screen.type("\x1a");
    await screen.shows(PROMPT);
    expect(isCursorShown(screen.seen)).toBe(true);
    screen.type("fg\n");
    await screen.shows("Waits  0/1 host");
    expect(isCursorShown(screen.seen)).toBe(false);
  }
  await writeFile(join(cwd, "go"), "");
  await screen.shows("Done: 1 change");
  expect(isCursorShown(screen.seen)).toBe(true);
  screen.child.kill("SIGKILL");
});

test("a run in the background leaves the screen to others, but for its lines", async () => {
  await waits(
    "d.ts",
    `server.shell({ name: "Waits", commands: ["while [ ! -e go ]; do sleep 0.1; done"] });\nserver.shell({ name: "Then", commands: ["while [ ! -e on ]; do sleep 0.1; done"] });\n`,
  );
  const screen = await startInShell("@local", "d.ts", "-y");
  await screen.shows("Waits  0/1 host");
  screen.type("\x1a");
  await screen.shows(PROMPT);
  screen.type("bg\n");
  await writeFile(join(cwd, "go"), "");
  await screen.shows("\nThen");
  await screen.shows("Changed");
  expect(screen.seen).not.toContain(HIDE);
  screen.type("fg\n");
  await screen.shows("Then  0/1 host");
  await writeFile(join(cwd, "on"), "");
  await screen.shows("Done: 2 changes");
  screen.child.kill("SIGKILL");
});

test("code that does not hear is stopped as well, and a question is asked again", async () => {
  await waits("d.ts", `server.shell({ name: "One", commands: ["true"] });\n`);
  const asking = await startInShell("@local", "d.ts");
  await asking.shows("Go on? [Y/n]");
  asking.type("\x1a");
  await asking.shows(PROMPT);
  asking.type("fg\n");
  await asking.shows("Go on? [Y/n]");
  asking.type("n\n");
  await asking.shows("Nothing was changed");
  asking.child.kill("SIGKILL");

  await waits("loops.ts", `console.log("begun");\nwhile (true);\n`);
  const deaf = await startInShell("@local", "loops.ts", "-y");
  await deaf.shows("begun");
  deaf.type("\x1a");
  await deaf.shows(PROMPT);
  expect(deaf.seen).toContain(SHOW);
  deaf.type("kill -KILL %1\n");
  await deaf.shows(PROMPT);
  deaf.type("exit\n");
  await deaf.child.exited;
});
