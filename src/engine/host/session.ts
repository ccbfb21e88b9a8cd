/** Running commands on one host, over whatever connection it has. @module */
import type { Shell } from "../../core/command.ts";
import { beforeOurWords } from "../../core/connect-failure.ts";
import type { Connection, ConnectorContext } from "../../core/connector.ts";
import { ConnectionLostError, OperationError } from "../../core/errors.ts";
import type { LocalTransfers } from "../settings.ts";
import { runInChannel } from "./channel.ts";
import { endOnHost } from "./end-on-host.ts";
import type { Surroundings } from "./escalation.ts";
import { hasPassword, Passwords } from "./passwords.ts";
import {
  type Behind,
  type BehindOptions,
  type CommandOptions,
  endedBefore,
  type Ran,
  type Sent,
  type SentBehind,
} from "./sending.ts";
import { canShareShell, SharedShells } from "./shared-shells.ts";
import { Transfers } from "./transfers.ts";

/** What a session needs from outside. */
export interface SessionSettings {
  readonly host: string;
  /** Make a connection within `timeout` seconds (default: as configured); called again after one was lost. */
  readonly connect: (timeout?: number) => Promise<Connection>;
  readonly context: ConnectorContext;
  readonly transfers: LocalTransfers;
  /** Commands share a shell that stays, small uploads ride in commands. */
  readonly fast: boolean;
  /** A shell ended by itself, or a connection was lost: what ran last may have done anything, and so may the host. */
  readonly onMayHaveChanged: () => void;
  readonly onTransfer: (direction: "upload" | "download", path: string, bytes: number, total?: number) => void;
  /** Ends the trial of a password. */
  readonly signal?: AbortSignal;
}

/** One host's connection: opened when first needed, and again after it was lost. */
export class Session {
  readonly transfers: Transfers;
  readonly #settings: SessionSettings;
  readonly #shells: SharedShells;
  readonly #passwords: Passwords;
  #connection: Promise<Connection> | undefined;
  /** Of connections that were lost. */
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(settings: SessionSettings) {
    const { context, fast, host, onMayHaveChanged, onTransfer, signal = NEVER, transfers } = settings;
    this.#settings = settings;
    this.#shells = new SharedShells({
      host,
      connection: () => this.#open(),
      kill: endOnHost,
      onLeft: () => this.#left++,
      onEnded: onMayHaveChanged,
      onLost: connection => this.#lost(connection),
    });
    this.#passwords = new Passwords({
      host,
      context,
      tryOut: (command, surroundings) => this.#alone(command, { surroundings, signal }, {}),
    });
    this.transfers = new Transfers({
      host,
      files: transfers,
      fast,
      connection: () => this.#open(),
      onLost: connection => this.#lost(connection),
      send: (command, options) => this.send([command], options, [0]),
      onTransfer,
    });
  }

  /** How many commands could not be ended when they were told to, and may still run. */
  get left(): number {
    return this.#left;
  }
  #left = 0;

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Connect, unless it is. Throws `ConnectError`, and `ConnectionLostError` once it was closed. */
  async connect(timeout?: number): Promise<void> {
    await this.#open(timeout);
  }

  /** End the connection, also one that is being made; the next command makes a new one. */
  async disconnect(): Promise<void> {
    const connecting = this.#connection;
    this.endShells();
    this.#forgetConnection();
    const connection = await connecting?.catch(() => undefined);
    await connection?.close();
    await Promise.all(this.#closing);
  }

  /** The same for good: whoever comes late is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.disconnect();
  }

  /** Begin a shell that commands will share, without waiting for it. */
  async openShell(surroundings: Surroundings): Promise<void> {
    if (this.#settings.fast && canShareShell([], { surroundings }) && !hasPassword(surroundings))
      await this.#shells.open(surroundings);
  }

  /** Have the next commands run as after a fresh login: what it gives (groups, limits) may have changed. */
  endShells(): void {
    this.#shells.end();
  }

  /** Run a command and return how it ended, whatever its exit code. */
  async run(command: Shell, options: CommandOptions): Promise<Ran> {
    const [result] = await this.runAll([command], options, [0]);
    return result!;
  }

  /** Run commands in order, as few messages as possible, up to the first whose exit code is no success. Returns those that ran. */
  async runAll(
    commands: readonly Shell[],
    options: CommandOptions,
    successExitCodes: readonly number[],
  ): Promise<readonly Ran[]> {
    const sent = await this.send(commands, options, successExitCodes);
    return sent.results;
  }

  /** The same, as soon as the commands are on their way. */
  async send(commands: readonly Shell[], given: CommandOptions, successExitCodes: readonly number[]): Promise<Sent> {
    this.#forgetLost();
    const surroundings = await this.#passwords.ready(given.surroundings);
    const options = { ...given, surroundings };
    const sent = await this.#send(commands, options, successExitCodes);
    const results = this.#withPassword(sent.results, commands, options, successExitCodes).then(ran =>
      asTold(ran, successExitCodes),
    );
    // Who sends may look at something else first.
    results.catch(() => undefined);
    const { behind } = sent;
    return {
      ...sent,
      results,
      ...(behind ? { behind: { send: (...more) => this.#sendBehind(behind, ...more) } } : {}),
    };
  }

  /** Send commands behind others. What a shell that ended has left of those that had begun is run as ever. */
  #sendBehind(behind: Behind, commands: readonly Shell[], how: BehindOptions): SentBehind | undefined {
    const { successExitCodes } = how;
    const sent = behind.send(commands, how);
    return (
      sent && {
        turn: sent.turn,
        results: async signal => {
          const ran = await sent.results(signal);
          if (ran.length === 0 || ran.length === commands.length) return asTold(ran, successExitCodes);
          const surroundings = await this.#passwords.ready(how.surroundings).catch((error: unknown) => {
            endedBefore(commands, ran);
            throw error;
          });
          return asTold(
            await this.#rest(ran, commands, { ...how, surroundings, signal }, successExitCodes),
            successExitCodes,
          );
        },
      }
    );
  }

  /** If nothing has run because sudo wants a password, it is asked for, and the commands are sent again. */
  async #withPassword(
    results: Promise<readonly Ran[]>,
    commands: readonly Shell[],
    options: CommandOptions,
    successExitCodes: readonly number[],
  ): Promise<readonly Ran[]> {
    const ran = await results;
    const first = ran[0];
    if (!first || first.started) return ran;
    const surroundings = await this.#passwords.afterRefusal(options.surroundings, first.stderr);
    if (!surroundings) return ran;
    const again = await this.#send(commands, { ...options, surroundings }, successExitCodes);
    return again.results;
  }

  async #send(commands: readonly Shell[], options: CommandOptions, successExitCodes: readonly number[]): Promise<Sent> {
    if (!this.#settings.fast || !canShareShell(commands, options) || !this.#shells.isUsable(options.surroundings)) {
      await this.#open();
      return { results: this.#rest([], commands, options, successExitCodes) };
    }
    const sent = await this.#shells.send(commands, options, successExitCodes);
    const results = sent.results.then(ran => this.#rest(ran, commands, options, successExitCodes));
    results.catch(() => undefined);
    return { ...sent, results };
  }

  /** Run what a shell that ended early has left, or what needs channels of its own. */
  async #rest(
    ran: readonly Ran[],
    commands: readonly Shell[],
    options: CommandOptions,
    successExitCodes: readonly number[],
  ): Promise<readonly Ran[]> {
    const all = [...ran];
    const isWell = ({ started, exitCode, trouble }: Ran): boolean =>
      started && !trouble && successExitCodes.includes(exitCode);
    // Nothing follows one that is not well: it can only be the last.
    while (all.length < commands.length && all.slice(-1).every(isWell))
      all.push(
        await this.#alone(commands[all.length]!, options, { index: all.length }).catch((error: unknown) => {
          endedBefore(commands, all);
          // Those before it have run.
          if (!(error instanceof OperationError)) throw error;
          return { exitCode: 0, stdout: NOTHING, stderr: NOTHING, started: true, trouble: error };
        }),
      );
    return all;
  }

  async #alone(command: Shell, options: CommandOptions, more: { readonly index?: number }): Promise<Ran> {
    const connection = await this.#open();
    try {
      const onLeft = (): void => void this.#left++;
      return await runInChannel(connection, command, { ...options, ...more, onLeft, host: this.#settings.host });
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#lost(connection);
      throw error;
    }
  }

  #open(timeout?: number): Promise<Connection> {
    this.#forgetLost();
    if (this.#connection) return this.#connection;
    const { host } = this.#settings;
    if (this.#isClosed)
      return Promise.reject(new ConnectionLostError(`The connection to ${host} was closed`, { host }));
    const connecting = this.#settings.connect(timeout).then(connection => {
      if (this.#connection === connecting) this.#current = connection;
      return connection;
    });
    this.#connection = connecting;
    connecting.catch(() => {
      if (this.#connection === connecting) this.#connection = undefined;
    });
    return connecting;
  }
  /** What `#connection` came to last. */
  #current: Connection | undefined;

  /** What was tried over a connection that is gone by now is to be tried again. */
  #forgetLost(): void {
    if (this.#current?.isLost?.()) this.#lost(this.#current);
  }

  /** That connection is gone: the next command makes a new one, unless somebody has already. */
  #lost(connection: Connection): void {
    if (this.#current === connection) {
      this.#forgetConnection();
      this.#settings.onMayHaveChanged();
    }
    const closing = connection.close();
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  #forgetConnection(): void {
    this.#connection = undefined;
    this.#current = undefined;
    this.#passwords.forget();
    this.#shells.forget();
  }
}

/** What did not begin, or not end, is no success. */
const asTold = (ran: readonly Ran[], successExitCodes: readonly number[]): readonly Ran[] =>
  ran.map(one => (one.started && !one.trouble ? one : noSuccess(one, successExitCodes)));

/** Whatever exit code was told of a command that did not begin, or not end, it is no success. */
function noSuccess(ran: Ran, successExitCodes: readonly number[]): Ran {
  const { exitCode } = ran;
  const failed = {
    ...ran,
    exitCode: successExitCodes.includes(exitCode)
      ? (CANNOT_RUN.find(code => !successExitCodes.includes(code)) ?? -1)
      : exitCode,
  };
  if (ran.started) return failed;
  const said = beforeOurWords(Buffer.from(ran.stderr).toString());
  return { ...failed, stderr: Buffer.from(said === "" ? `nothing says why (exit code ${exitCode})` : said) };
}
/** As shells tell it. */
const CANNOT_RUN = [126, 127];

const NOTHING = new Uint8Array();
const NEVER = new AbortController().signal;
