/** The other transport: the machine's own ssh, for what only it can do. @module */
import type { Connection, ConnectorContext, Target } from "../../../core/connector.ts";
import { ConnectError, HostKeyError } from "../../../core/errors.ts";
import type { Deadline } from "../../shared/deadline.ts";
import type { DataReader } from "../../shared/host-data.ts";
import { runProcess } from "../../shared/process.ts";
import type { SshDataKey } from "../data-keys.ts";
import { createConfirmation } from "../host-keys/confirm.ts";
import { DroppedError, type Retry, retrying, saysDropped } from "../retry.ts";
import { type Answers, createAnswers } from "./answers.ts";
import { ONLY_CONNECT, sshArguments } from "./arguments.ts";
import { OpenSshConnection } from "./connection.ts";
import { type Master, MasterError, startMaster } from "./master.ts";
import { OwnDirectory } from "./own-directory.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What ssh makes of its configuration for a host. */
export type SshSettings = Readonly<Record<string, string | undefined>>;

type Turn<T> = (attempt: (deadline: Deadline) => Promise<T>) => Promise<T>;

/** One run's connections. */
export class OpenSshTransport {
  readonly #env: Env;
  readonly #home: string;
  readonly #confirmation = createConfirmation();
  #directory: OwnDirectory | undefined;

  constructor({ env, home }: { readonly env: Env; readonly home: string }) {
    this.#env = { ...env, PATH: env.PATH ?? process.env.PATH, TERM: "dumb" };
    this.#home = home;
  }

  async connect(
    target: Target,
    {
      data,
      context,
      turn,
      enter,
      retry,
    }: {
      readonly data: DataReader<SshDataKey>;
      readonly context: ConnectorContext;
      /** Do something when it is this one's turn among all hosts. */
      readonly turn: Turn<SshSettings>;
      /** The same, and when it is this one's turn at a place. */
      readonly enter: (place: string, ...attempt: Parameters<Turn<Master>>) => Promise<Master>;
      readonly retry: Retry;
    },
  ): Promise<Connection> {
    const program = this.#program(target.name);
    const { options, destination } = sshArguments(target, data, { home: this.#home, cwd: context.cwd });
    const settings = await turn(deadline => {
      deadline.phase = "what ssh makes of its configuration";
      return this.#settings(target.name, [...options, "--", destination.host], deadline.signal);
    });
    const place = settings.hostname ?? destination.host;
    const alive = settings.serveraliveinterval === "0" ? ["-o", "ServerAliveInterval=15"] : [];
    const start = async (answers: Answers, deadline: Deadline): Promise<Master> => {
      deadline.phase = `ssh to connect to ${place}`;
      deadline.signal.throwIfAborted();
      this.#directory ??= new OwnDirectory();
      const argv = [program, ...ONLY_CONNECT, ...alive, ...options, "-T", "--", destination.host];
      try {
        return await startMaster({
          argv,
          env: this.#env,
          directory: this.#directory,
          signal: deadline.signal,
          answer: prompt => answers.answer(prompt),
        });
      } catch (error) {
        throw error instanceof MasterError ? translate(error.message, target.name) : error;
      }
    };
    const { port = "", proxyjump = "", proxycommand = "" } = settings;
    const master = await enter(JSON.stringify([place, port, proxyjump, proxycommand]), deadline => {
      const answers = createAnswers(
        {
          host: target.name,
          user: settings.user ?? "",
          promptName: settings.hostkeyalias ?? place,
          isAmbiguous: mayAskAlike(settings),
          password: data.secret("sshPassword"),
          keyPassword: data.secret("sshKeyPassword"),
          keyFile: data.path("sshKey", { home: this.#home, cwd: context.cwd }),
        },
        { context, deadline, confirmation: this.#confirmation },
      );
      return retrying(() => start(answers, deadline), { host: target.name, deadline, retry });
    });
    return new OpenSshConnection({
      host: target.name,
      program,
      env: this.#env,
      master,
      destination: [...options, "--", destination.host],
    });
  }

  /** Settings by their names in small letters, as `ssh -G` gives them. */
  async settings(target: Target, data: DataReader<SshDataKey>, cwd: string): Promise<SshSettings> {
    const { options, destination } = sshArguments(target, data, { home: this.#home, cwd });
    return await this.#settings(target.name, [...options, "--", destination.host], target.signal);
  }

  async close(): Promise<void> {
    await this.#directory?.remove();
  }

  #program(host: string): string {
    const program = Bun.which("ssh", { PATH: this.#env.PATH ?? "" });
    if (program) return program;
    throw new ConnectError("This machine has no ssh program", {
      host,
      hint: 'Install it (openssh-client), or leave out the host data sshTransport: "openssh"',
    });
  }

  async #settings(host: string, args: readonly string[], signal: AbortSignal): Promise<SshSettings> {
    const { exitCode, stdout, stderr } = await runProcess([this.#program(host), "-G", ...args], {
      env: this.#env,
      signal,
    });
    if (exitCode !== 0)
      throw new ConnectError(
        `OpenSSH cannot use its configuration for ${host}: ${essence(Buffer.from(stderr).toString())}`,
        { host, hint: `Check with: ssh -G ${host}` },
      );
    const settings: Record<string, string> = {};
    for (const [, name = "", value = ""] of Buffer.from(stdout)
      .toString()
      .matchAll(/^(\S+) (.*)$/gm))
      settings[name] = settings[name] === undefined ? value : `${settings[name]} ${value}`;
    return settings;
  }
}

/** A jump host that is written as `user@host` may be asked for in the same words as the host itself. */
function mayAskAlike({ proxyjump, user, hostname }: SshSettings): boolean {
  if (proxyjump === undefined || proxyjump === "none") return false;
  return proxyjump.split(",").some(jump => {
    const [, jumpUser = user, jumpHost] = /^(?:(.*)@)?\[?(.*?)\]?(?::\d+)?$/.exec(jump) ?? [];
    return jumpUser === user && jumpHost === hostname;
  });
}

/** What ssh said, as one of our errors. */
function translate(said: string, host: string): ConnectError {
  const why = essence(said);
  if (/Host key verification failed|host key .*changed|REVOKED HOST KEY|HOST IDENTIFICATION/i.test(said)) {
    return new HostKeyError(`OpenSSH refuses the host key of ${host}: ${why}`, {
      host,
      hint: `Connect once with ssh and compare the fingerprint, or accept unknown keys with the host data sshStrictHostKeyChecking: "accept-new"`,
    });
  }
  const allowed = /Permission denied \(([^)]*)\)/.exec(said)?.[1];
  if (allowed !== undefined)
    return new ConnectError(`Cannot log in to ${host} with ssh: ${why}`, { host, hint: `Check with: ssh -v ${host}` });
  const Kind = saysDropped(said) ? DroppedError : ConnectError;
  return new Kind(`ssh cannot connect to ${host}: ${why || "it ended without a word"}`, {
    host,
    retryable: saysDropped(said) || RETRYABLE.test(said),
  });
}
const RETRYABLE =
  /Connection (refused|timed out)|No route to host|Network is unreachable|Temporary failure in name resolution|timed out during banner exchange/i;

/** ssh's words without frames and repetitions, in a line. */
function essence(said: string): string {
  const lines = said
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== "" && !/^@|^Host key verification failed/.test(line));
  return [...new Set(lines)].join(" ").slice(-WORDS);
}
const WORDS = 1000;
