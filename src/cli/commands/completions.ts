/** `tsinfra completions SHELL`. @module */
import { loadReference } from "../../reference/index.ts";
import { subcommand } from "../command.ts";
import { completionScript, completionWords, SHELLS } from "../completions/index.ts";
import { EXIT } from "../exit.ts";
import { ArgumentError } from "../parse.ts";

export const completions = subcommand({
  name: "completions",
  description: "Print the completion script of a shell",
  usage: ["tsinfra completions bash|zsh|fish"],
  notes: [
    'In ~/.bashrc or ~/.zshrc: eval "$(tsinfra completions bash)", with the name of your shell. In fish: tsinfra completions fish | source',
  ],
  async run(context, { words }) {
    const [wanted, ...others] = words;
    const shell = SHELLS.find(name => name === wanted);
    if (!shell || others.length > 0)
      throw new ArgumentError(
        wanted === undefined ? "The shell is missing" : `There is no completion for "${words.join(" ")}"`,
        { hint: `Write tsinfra completions ${SHELLS.join(", or ")}` },
      );
    context.screen.data(completionScript(shell, completionWords(await loadReference())).trimEnd());
    return EXIT.ok;
  },
});
