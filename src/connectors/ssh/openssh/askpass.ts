/** What ssh asks, brought to the person at the terminal: ssh runs a program that asks, which asks this process. @module */
import { chmodSync, constants, writeFileSync } from "node:fs";
import { open, readdir, readFile, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../../shared/wait.ts";

/** A question as ssh words it. */
export interface Prompt {
  readonly text: string;
  /** `confirm`: yes or no; `none`: only to be shown, for as long as it takes; empty: an answer in words. */
  readonly hint: string;
}

/** The answer's last journey is a pipe in a directory that is ours alone, never a file. */
const SCRIPT = `#!/bin/sh
q=\${0%/*}/$$
mkfifo -m 600 "$q.answer" && printf '%s\\n%s' "\${SSH_ASKPASS_PROMPT:-}" "$1" >"$q.new" && mv "$q.new" "$q.question" &&
{ IFS= read -r given && [ "$given" = yes ] && cat; } <"$q.answer"
s=$?; rm -f "$q.answer"; exit $s
`;

/** Put the program that asks where `linkAskpass` finds it. */
export function writeAskpass(directory: string): void {
  writeFileSync(join(directory, "ask"), SCRIPT);
  chmodSync(join(directory, "ask"), 0o700);
}

/** Let one ssh ask through a directory of its own, below that of `writeAskpass`. Returns what to add to its environment. */
export async function linkAskpass(directory: string): Promise<Readonly<Record<string, string>>> {
  const program = join(directory, "ask");
  await symlink("../ask", program);
  return { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force", DISPLAY: process.env.DISPLAY || ":0" };
}

/** Take questions that have come since the last call, and see that each is answered; `undefined` refuses. */
export async function takeQuestions(
  directory: string,
  answer: (prompt: Prompt) => Promise<string | undefined>,
): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith(".question")) continue;
    const path = join(directory, name);
    const [, hint = "", text = ""] = /^(.*)\n([^]*)$/.exec(await readFile(path, "utf8")) ?? [];
    await unlink(path);
    if (hint === "none") void answer({ text, hint });
    else
      void answer({ text, hint })
        // Nobody could be asked, as the run ends: whoever waits for ssh hears why.
        .catch(() => undefined)
        .then(given => deliver(path.replace(/question$/, "answer"), given));
  }
}

/** Whoever asked waits at the pipe's other end, or is just about to; or has given up. */
async function deliver(pipe: string, answer: string | undefined): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      const handle = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
      await handle.write(answer === undefined ? "no\n" : `yes\n${answer}\n`);
      await handle.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") return;
      await pause(10);
    }
  }
}
