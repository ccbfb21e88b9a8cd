/** Passwords for sudo and su: asked for when they are wanted, and tried before they are used. @module */
import { type Secret, sh, type Shell } from "../../core/command.ts";
import type { ConnectorContext } from "../../core/connector.ts";
import { EscalationError } from "../../core/errors.ts";
import type { Surroundings } from "./escalation.ts";
import type { Ran } from "./sending.ts";
import { lastLine, REFUSED } from "./streams.ts";

/** What passwords need from the session they belong to. */
export interface PasswordSettings {
  readonly host: string;
  readonly context: ConnectorContext;
  /** Run a command with a password that may be refused. */
  readonly tryOut: (command: Shell, surroundings: Surroundings) => Promise<Ran>;
}

/** The passwords of one host. */
export class Passwords {
  readonly #settings: PasswordSettings;
  /** Tries of this connection. */
  readonly #tried = new Map<string, Promise<void>>();
  #typed: Promise<Secret | undefined> | undefined;
  /** Known after the first refusal. */
  #sudoAsks = false;

  constructor(settings: PasswordSettings) {
    this.#settings = settings;
  }

  /** The surroundings with the password that sudo is known to want. Throws `EscalationError` when one is refused; it is not offered again. */
  async ready(surroundings: Surroundings): Promise<Surroundings> {
    const complete =
      this.#sudoAsks && surroundings.sudo && !surroundings.sudo.password
        ? await this.#withSudoPassword(surroundings)
        : surroundings;
    if (hasPassword(complete)) await this.#tryOnce(complete);
    return complete;
  }

  /** How to try again where sudo said that it wants a password; `undefined` where it did not, or nobody can be asked. */
  async afterRefusal(surroundings: Surroundings, stderr: Uint8Array): Promise<Surroundings | undefined> {
    const { sudo } = surroundings;
    if (hasPassword(surroundings) && REFUSED.test(Buffer.from(stderr).toString())) {
      // It was right when it was tried: it is not offered again.
      const refusal = Promise.reject(this.#refused(surroundings, stderr));
      refusal.catch(() => undefined);
      this.#tried.set(keyOfPasswords(surroundings), refusal);
      await refusal;
    }
    if (!sudo || sudo.password || !ASKS_PASSWORD.test(Buffer.from(stderr).toString())) return undefined;
    this.#sudoAsks = true;
    const withPassword = await this.#withSudoPassword(surroundings);
    if (!withPassword.sudo?.password) return undefined;
    await this.#tryOnce(withPassword);
    return withPassword;
  }

  /** A new connection is another login: passwords are tried again. */
  forget(): void {
    this.#tried.clear();
  }

  /** A wrong password must not be offered with every command; nor one that was tried on a connection that is gone. */
  async #tryOnce(surroundings: Surroundings): Promise<void> {
    const key = keyOfPasswords(surroundings);
    let trial: Promise<void> | undefined;
    do {
      trial = this.#tried.get(key) ?? this.#try(key, surroundings);
      // What it was wanted for is told with it: each has an error of its own.
      await trial.catch((error: unknown) => {
        throw error instanceof EscalationError ? new EscalationError(error.message, { host: error.host }) : error;
      });
    } while (this.#tried.get(key) !== trial);
  }

  #try(key: string, surroundings: Surroundings): Promise<void> {
    const trial = this.#settings.tryOut(sh`true`, { ...surroundings, chdir: undefined, env: {} }).then(result => {
      if (result.started && result.exitCode === 0) return;
      throw this.#refused(surroundings, result.stderr);
    });
    this.#tried.set(key, trial);
    // A try that came to no answer, because the connection was lost or the run ended, says nothing about the password.
    trial.catch((error: unknown) => {
      if (!(error instanceof EscalationError) && this.#tried.get(key) === trial) this.#tried.delete(key);
    });
    return trial;
  }

  #refused({ sudo }: Surroundings, stderr: Uint8Array): EscalationError {
    const reason = lastLine(stderr) || "no reason was given";
    const program = sudo?.password ? "sudo" : "su";
    return new EscalationError(`The password for ${program} was refused: ${reason}`, { host: this.#settings.host });
  }

  async #withSudoPassword(surroundings: Surroundings): Promise<Surroundings> {
    this.#typed ??= this.#settings.context.ask({ key: "sudo", kind: "secret", text: "Password for sudo" });
    const password = await this.#typed.catch((error: unknown) => {
      this.#typed = undefined;
      throw error;
    });
    return password && surroundings.sudo ? { ...surroundings, sudo: { ...surroundings.sudo, password } } : surroundings;
  }
}

const keyOfPasswords = ({ sudo, su }: Surroundings): string =>
  JSON.stringify([sudo?.user, su?.user, sudo?.password?.reveal(), su?.password?.reveal()]);

/** Whether a password is offered. */
export const hasPassword = ({ sudo, su }: Surroundings): boolean =>
  sudo?.password !== undefined || su?.password !== undefined;

const ASKS_PASSWORD =
  /password is required|terminal is required|no tty present|interactive authentication is required/i;
