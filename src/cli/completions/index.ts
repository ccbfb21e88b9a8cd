/** Completion scripts. @module */
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import type { CompletionWords, ShellName } from "./words.ts";
import { zshScript } from "./zsh.ts";

export { completionWords, SHELLS, type ShellName } from "./words.ts";

const SCRIPTS: Readonly<Record<ShellName, (words: CompletionWords) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The script for a shell. */
export const completionScript = (shell: ShellName, words: CompletionWords): string => SCRIPTS[shell](words);
