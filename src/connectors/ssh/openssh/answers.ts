/** What ssh is answered: from the host's data, or by the person at the terminal. @module */
import { Secret } from "../../../core/command.ts";
import type { ConnectorContext, Question } from "../../../core/connector.ts";
import type { Deadline } from "../../shared/deadline.ts";
import type { Confirmation } from "../host-keys/confirm.ts";
import type { Prompt } from "./askpass.ts";

/** Whose answers these are. */
export interface Asked {
  /** Name in the inventory. */
  readonly host: string;
  readonly user: string;
  /** The name by which ssh asks for this host's password. */
  readonly promptName: string;
  /** Jump hosts that ssh may ask for by the same name. */
  readonly isAmbiguous: boolean;
  readonly password: Secret | undefined;
  readonly keyPassword: Secret | undefined;
  /** Absolute. */
  readonly keyFile: string | undefined;
}

export interface Answers {
  answer(prompt: Prompt): Promise<string | undefined>;
}

/** Answers for one host; time in which a person is asked does not count. */
export function createAnswers(
  asked: Asked,
  {
    context,
    deadline,
    confirmation,
  }: { readonly context: ConnectorContext; readonly deadline: Deadline; readonly confirmation: Confirmation },
): Answers {
  const attempts = new Map<string, number>();
  const count = (what: string): number => {
    const attempt = (attempts.get(what) ?? 0) + 1;
    attempts.set(what, attempt);
    return attempt;
  };
  const ask = async (key: string, text: string, kind: Question["kind"] = "secret"): Promise<string | undefined> => {
    const attempt = count(key);
    const answer = await deadline.hold(() =>
      context.ask({ key: `${key} ${attempt}`, text: `${attempt > 1 ? "That was not it. " : ""}${text}`, kind }),
    );
    return answer?.reveal();
  };
  /** What the data gives is given once: a second question means that it was wrong. */
  const given = (secret: Secret | undefined, what: string): string | undefined =>
    secret && count(what) === 1 ? secret.reveal() : undefined;

  return {
    async answer({ text, hint }) {
      if (hint === "none") return void context.inform(`${asked.host}: ${text.trim()}`);
      const unknown = unknownKey(text);
      if (unknown)
        return (await deadline.hold(() => confirmation.confirm({ ...unknown, host: asked.host }, context)))
          ? "yes"
          : "no";
      if (hint === "confirm")
        return (await ask(`ssh confirm ${text}`, `${asked.host}: ${text.trim()}`, "confirm")) === undefined
          ? undefined
          : "";

      const key = /^Enter passphrase for (?:key )?'?(.+?)'?: $/.exec(text)?.[1];
      if (key !== undefined) {
        if (asked.keyPassword && (key === asked.keyFile || asked.keyFile === undefined))
          return given(asked.keyPassword, "key");
        return await ask(`ssh passphrase ${key}`, `Passphrase of the key ${key}`);
      }
      const who = passwordOf(text);
      if (who === undefined)
        return await ask(`ssh prompt ${asked.host} ${text}`, `${asked.host}: ${text.trim().replace(/:$/, "")}`);
      const isOurs = who === `${asked.user}@${asked.promptName}` && !asked.isAmbiguous;
      if (!isOurs) return await ask(`ssh password ${who}`, `Password of ${who}, on the way to ${asked.host}`);
      if (asked.password) return given(asked.password, "password");
      return await ask(
        `ssh password ${asked.user}`,
        `Password of ${asked.user} for the hosts that ask for one (${asked.host} does)`,
      );
    },
  };
}

/** `ada@web-1` of `ada@web-1's password: ` or `(ada@web-1) Password: `. */
const passwordOf = (text: string): string | undefined =>
  /^(\S+@\S+)'s password: $/.exec(text)?.[1] ?? /^\((\S+@\S+)\) .*passwor[dt]/i.exec(text)?.[1];

function unknownKey(text: string): { readonly name: string; readonly key: string } | undefined {
  const name = /^The authenticity of host '(\S+)/m.exec(text)?.[1];
  const [, type = "", fingerprint = ""] = /^(\S+) (?:host )?key fingerprint is (\S+?)\.?$/m.exec(text) ?? [];
  return name !== undefined && /yes\/no/.test(text)
    ? { name: name.replace(/'$/, ""), key: `${type} ${fingerprint}` }
    : undefined;
}
