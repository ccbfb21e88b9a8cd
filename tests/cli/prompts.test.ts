import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { type Keyboard, Prompts } from "../../src/cli/prompts.ts";
import { Screen } from "../../src/cli/screen.ts";
import { Secret } from "../../src/core/command.ts";
import { CancelledError } from "../../src/core/errors.ts";

class FakeKeyboard extends EventEmitter implements Keyboard {
  readonly isTTY = true;
  readonly modes: boolean[] = [];
  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }
  resume(): void {}
  pause(): void {}
  async type(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await new Promise(resolve => setImmediate(resolve));
      this.emit("data", Buffer.from(key));
    }
  }
}

function setUp(hasKeyboard = true) {
  const keyboard = new FakeKeyboard();
  const shown: string[] = [];
  const abort = new AbortController();
  const interrupts: string[] = [];
  const continuing = new Set<() => void>();
  const sink = { write: (text: string) => void shown.push(text) };
  const prompts = new Prompts({
    screen: new Screen(sink, sink),
    keyboard: hasKeyboard ? keyboard : undefined,
    signal: abort.signal,
    interrupt: () => void interrupts.push("interrupt"),
    stop: () => void interrupts.push("stop"),
    onContinue: callback => {
      continuing.add(callback);
      return () => continuing.delete(callback);
    },
  });
  const goOn = (): void => continuing.forEach(callback => callback());
  return { keyboard, prompts, abort, interrupts, continuing, goOn, text: () => shown.join("") };
}
const secret = (key: string) => ({ key, text: `Password for ${key}:`, kind: "secret" }) as const;

describe("a secret question", () => {
  test("ends with the run though its terminal has gone", async () => {
    const { keyboard, prompts, abort } = setUp();
    const answer = prompts.ask(secret("sudo"));
    await keyboard.type("hun");
    keyboard.setRawMode = () => {
      throw new Error("EIO");
    };
    abort.abort(new CancelledError("The run was interrupted"));
    expect(await answer.catch((error: Error) => error.message)).toBe("The run was interrupted");
  });

  test("is stopped with Ctrl-Z, and asked again when the program goes on", async () => {
    const { keyboard, prompts, interrupts, continuing, goOn, text } = setUp();
    const answer = prompts.ask(secret("sudo"));
    await keyboard.type("hun", "\x1a");
    expect({ interrupts, modes: keyboard.modes }).toEqual({ interrupts: ["stop"], modes: [true, false] });
    goOn();
    await keyboard.type("hunter2\r");
    expect((await answer)?.reveal()).toBe("hunter2");
    expect(text()).toBe("Password for sudo: Password for sudo: \n");
    expect(keyboard.modes).toEqual([true, false, false, true, false]);
    expect(continuing.size).toBe(0);
  });

  test("shows nothing of what is typed", async () => {
    const { keyboard, prompts, text } = setUp();
    const answer = prompts.ask(secret("sudo"));
    await keyboard.type("hun", "x\x7f", "ter2", "\r");
    expect(await answer).toBeInstanceOf(Secret);
    expect((await answer)?.reveal()).toBe("hunter2");
    expect(text()).toBe("Password for sudo: \n");
    expect(keyboard.modes).toEqual([true, false]);
  });

  test("is asked once per key, however many wait for it", async () => {
    const { keyboard, prompts, text } = setUp();
    const answers = [prompts.ask(secret("sudo")), prompts.ask(secret("sudo")), prompts.ask(secret("ssh"))];
    await keyboard.type("a\r");
    await answers[0];
    await keyboard.type("b\r");
    expect((await Promise.all(answers)).map(answer => answer?.reveal())).toEqual(["a", "a", "b"]);
    expect((await prompts.ask(secret("sudo")))?.reveal()).toBe("a");
    expect(text()).toBe("Password for sudo: \nPassword for ssh: \n");
  });

  test("takes a pasted line and characters of several bytes whole", async () => {
    const { keyboard, prompts } = setUp();
    const answer = prompts.ask(secret("x"));
    const bytes = Buffer.from("pä€ss");
    await keyboard.type("");
    keyboard.emit("data", bytes.subarray(0, 2));
    keyboard.emit("data", bytes.subarray(2));
    await keyboard.type("\n");
    expect((await answer)?.reveal()).toBe("pä€ss");
  });

  test("ends with Ctrl-C, and with the run", async () => {
    const typed = setUp();
    const first = typed.prompts.ask(secret("x")).catch((error: unknown) => error);
    await typed.keyboard.type("ab\x03");
    expect(await first).toBeInstanceOf(CancelledError);
    expect(typed.interrupts).toEqual(["interrupt"]);

    const aborted = setUp();
    const second = aborted.prompts.ask(secret("x")).catch((error: unknown) => error);
    await aborted.keyboard.type("a");
    aborted.abort.abort(new CancelledError("The run was interrupted"));
    expect(await second).toBeInstanceOf(CancelledError);
    expect(aborted.keyboard.modes).toEqual([true, false]);
  });

  test("has no answer where there is nobody to ask", async () => {
    const { prompts, text } = setUp(false);
    expect(await prompts.ask(secret("x"))).toBeUndefined();
    expect(prompts.isPossible).toBe(false);
    expect(text()).toBe("");
  });

  test("has no answer at the end of input", async () => {
    const { keyboard, prompts } = setUp();
    const answer = prompts.ask(secret("x"));
    await keyboard.type("\x04");
    expect(await answer).toBeUndefined();
  });
});

describe("a yes-or-no question", () => {
  test.each([
    ["y", false, true],
    ["YES ", false, true],
    ["", false, false],
    ["", true, true],
    ["n", true, false],
    ["whatever", true, false],
  ])("%p (Enter means yes: %p) is %p", async (typed, enterMeansYes, expected) => {
    const { keyboard, prompts } = setUp();
    const answer = prompts.confirm("Go on?", enterMeansYes);
    await keyboard.type(`${typed}\n`);
    expect(await answer).toBe(expected);
    expect(keyboard.modes).toEqual([]);
  });

  test("is denied at the end of input", async () => {
    const { keyboard, prompts } = setUp();
    const answer = prompts.confirm("Go on?", true);
    await new Promise(resolve => setImmediate(resolve));
    keyboard.emit("end");
    expect(await answer).toBe(false);
  });

  test("of a connector is answered by yes or nothing", async () => {
    const { keyboard, prompts } = setUp();
    const yes = prompts.ask({ key: "a", text: "Trust it?", kind: "confirm" });
    await keyboard.type("y\n");
    expect((await yes)?.reveal()).toBe("yes");
    const no = prompts.ask({ key: "b", text: "Trust it?", kind: "confirm" });
    await keyboard.type("\n");
    expect(await no).toBeUndefined();
  });

  test("of several lines stands on several lines, without what would steer the terminal, and says what can be typed", async () => {
    const { keyboard, prompts, text } = setUp();
    const answer = prompts.ask({
      key: "keys",
      text: "Not known:\n  web-1: ED25519 SHA256:a\x1b[2J\n  web-2: RSA SHA256:b\nTrust them?",
      kind: "confirm",
    });
    await keyboard.type("y\n");
    await answer;
    expect(text()).toBe("Not known:\n  web-1: ED25519 SHA256:a\n  web-2: RSA SHA256:b\nTrust them? [y/N] ");
  });

  test("that is interrupted leaves the line to whoever tells of it", async () => {
    const { prompts, abort, text } = setUp();
    const answer = prompts.confirm("Go on?");
    await new Promise(resolve => setImmediate(resolve));
    expect(prompts.isOpen).toBe(true);
    abort.abort(new CancelledError("The run was interrupted"));
    await expect(answer).rejects.toThrow(CancelledError);
    expect([prompts.isOpen, text()]).toEqual([false, "Go on? "]);
  });
});

test("the line in progress is gone while a question is open", async () => {
  const { keyboard, prompts } = setUp();
  const log: string[] = [];
  prompts.pauseView = () => {
    log.push("pause");
    return () => void log.push("resume");
  };
  const answer = prompts.confirm("Go on?");
  await keyboard.type("y\n");
  await answer;
  expect(log).toEqual(["pause", "resume"]);
});
