/** Questions to the person at the terminal. @module */
import { Secret } from "../core/command.ts";
import type { Question } from "../core/connector.ts";
import { CancelledError } from "../core/errors.ts";
import type { Screen } from "./screen.ts";
import { oneLine } from "./views/text.ts";

/** What is typed on. */
export interface Keyboard {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  on(event: "data" | "end", listener: (chunk: Uint8Array | string) => void): unknown;
  off(event: "data" | "end", listener: (chunk: Uint8Array | string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface PromptOptions {
  readonly screen: Screen;
  /** `undefined` when there is nobody to ask. */
  readonly keyboard: Keyboard | undefined;
  /** Ends a question that is open. */
  readonly signal: AbortSignal;
  /** Ctrl-C where the terminal does not turn it into a signal. */
  readonly interrupt: () => void;
  /** The same for Ctrl-Z. */
  readonly stop: () => void;
  /** Call back when the program goes on after that. The result ends it. */
  readonly onContinue: (callback: () => void) => () => void;
}

/** Asks one question at a time, each key once. */
export class Prompts {
  readonly #options: PromptOptions;
  readonly #answers = new Map<string, Promise<Secret | undefined>>();
  #last: Promise<unknown> = Promise.resolve();
  #isOpen = false;
  /** Takes the line in progress away while a question is open; the view in use sets it. */
  pauseView: () => () => void = () => () => {};

  constructor(options: PromptOptions) {
    this.#options = options;
  }

  get isPossible(): boolean {
    return this.#options.keyboard !== undefined;
  }
  /** A question is on the screen, and the cursor behind it. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The answer, `undefined` when there is nobody to ask or a `confirm` was denied. The same key gives the same answer. */
  ask({ key, text, kind }: Question): Promise<Secret | undefined> {
    const known = this.#answers.get(key);
    if (known) return known;
    const answer =
      kind === "secret"
        ? this.#typed(text, true)
        : this.confirm(`${text} [y/N]`).then(yes => (yes ? new Secret("yes") : undefined));
    this.#answers.set(key, answer);
    return answer;
  }

  /** Yes or no; only `y` and `yes` mean yes, unless `enterMeansYes`. */
  async confirm(text: string, enterMeansYes = false): Promise<boolean> {
    const answer = await this.#typed(text, false);
    if (answer === undefined) return false;
    const word = answer.reveal().trim().toLowerCase();
    return word === "" ? enterMeansYes : word === "y" || word === "yes";
  }

  #typed(text: string, hidden: boolean): Promise<Secret | undefined> {
    const turn = this.#last.then(async () => {
      const { keyboard, screen, signal } = this.#options;
      if (!keyboard) return undefined;
      signal.throwIfAborted();
      const resume = this.pauseView();
      const question = `${text.split("\n").map(oneLine).join("\n")} `;
      screen.prompt(question);
      this.#isOpen = true;
      // Whoever had the terminal meanwhile has written below it.
      const end = this.#options.onContinue(() => {
        if (hidden) for (const isHidden of [false, true]) setHidden(keyboard, isHidden);
        screen.prompt(question);
      });
      let isEchoed = false;
      try {
        const line = await readLine(keyboard, hidden, this.#options);
        isEchoed = line !== undefined && !hidden;
        return line === undefined ? undefined : new Secret(line);
      } finally {
        this.#isOpen = false;
        end();
        // The terminal has shown the line break of an answer that was echoed, and an interruption its own.
        if (!isEchoed && !signal.aborted) screen.prompt("\n");
        resume();
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/** One line; `undefined` at the end of input. Hidden lines are read key by key, so that nothing is echoed. */
function readLine(
  keyboard: Keyboard,
  hidden: boolean,
  { signal, interrupt, stop }: PromptOptions,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let typed = "";
    let isOpen = true;
    const decoder = new TextDecoder();
    const finish = (settle: () => void): void => {
      isOpen = false;
      keyboard.off("data", onData);
      keyboard.off("end", onEnd);
      signal.removeEventListener("abort", onAbort);
      if (hidden) setHidden(keyboard, false);
      keyboard.pause();
      settle();
    };
    const onEnd = (): void => finish(() => resolve(undefined));
    const onAbort = (): void =>
      finish(() =>
        reject(signal.reason instanceof Error ? signal.reason : new CancelledError("The run was interrupted")),
      );
    const onData = (chunk: Uint8Array | string): void => {
      for (const key of typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true })) {
        if (key === "\n" || key === "\r") return finish(() => resolve(typed));
        if (hidden && key === "\x03") {
          finish(() => reject(new CancelledError("The run was interrupted")));
          return interrupt();
        }
        if (hidden && key === "\x1a") {
          // The question is asked anew when the program goes on.
          typed = "";
          setHidden(keyboard, false);
          stop();
          // Where no shell could have it go on, the system does not stop it: what is typed stays hidden.
          setTimeout(() => isOpen && setHidden(keyboard, true), NOT_STOPPED_MS);
        } else if (hidden && key === "\x04") {
          if (typed === "") return onEnd();
        } else if (hidden && (key === "\x7f" || key === "\b")) typed = [...typed].slice(0, -1).join("");
        else if (hidden && key === "\x15") typed = "";
        else typed += key;
      }
    };
    if (hidden) keyboard.setRawMode?.(true);
    keyboard.on("data", onData);
    keyboard.on("end", onEnd);
    signal.addEventListener("abort", onAbort, { once: true });
    keyboard.resume();
  });
}

/** Have what is typed not shown, or shown again: where a question goes on or ends, which its terminal may not outlive. */
function setHidden(keyboard: Keyboard, isHidden: boolean): void {
  try {
    keyboard.setRawMode?.(isHidden);
  } catch {
    // The terminal has gone.
  }
}

/** A program that still runs so many milliseconds after it was told to stop was not stopped. */
const NOT_STOPPED_MS = 20;
