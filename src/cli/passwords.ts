/** Passwords that every host shares. @module */
import type { Settings } from "../config/define.ts";
import type { Secret } from "../core/command.ts";
import type { OptionValues } from "./options.ts";
import { ArgumentError } from "./parse.ts";
import type { Prompts } from "./prompts.ts";

/** Ask once for what every host shares. */
export async function askPasswords(
  options: OptionValues,
  settings: Settings,
  prompts: Prompts,
): Promise<{ readonly config: { readonly sudoPassword?: Secret }; readonly data: { readonly sshPassword?: Secret } }> {
  const wantsSudo = options["use-sudo-password"] === true && settings.config.sudoPassword === undefined;
  const wantsSsh = options["ssh-password-prompt"] === true;
  if ((wantsSudo || wantsSsh) && !prompts.isPossible) {
    const name = wantsSudo ? "use-sudo-password" : "ssh-password-prompt";
    throw new ArgumentError(`Option --${name} needs a terminal to ask on`, {
      hint: wantsSudo ? "Without one, set TSINFRA_SUDO_PASSWORD" : "Without one, use keys or an agent",
    });
  }
  const sudoPassword = wantsSudo
    ? await prompts.ask({ key: "sudo", text: "sudo password:", kind: "secret" })
    : undefined;
  const sshPassword = wantsSsh
    ? await prompts.ask({ key: "cli ssh password", text: "SSH password:", kind: "secret" })
    : undefined;
  return { config: sudoPassword ? { sudoPassword } : {}, data: sshPassword ? { sshPassword } : {} };
}
