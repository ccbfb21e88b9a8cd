/** Connectors that the user wrote: whatever one of their members gives, throws or never gives is told in its name. @module */
import { onAbort } from "../core/abort.ts";
import { awaiting } from "../core/awaited.ts";
import { connectFailure } from "../core/connect-failure.ts";
import type {
  Connection,
  Connector,
  ConnectorContext,
  FoundHost,
  OutputStream,
  RunOptions,
  RunResult,
  Target,
} from "../core/connector.ts";
import { CarrierError, ConnectError, type ErrorDetails, InventoryError, TsinfraError } from "../core/errors.ts";
import { hasKeys, kindOf } from "../core/kind.ts";
import { sitesOf, thrownText } from "../core/thrown.ts";
import { isProgram } from "./program/program.ts";
import { settlesWithin } from "./shared/wait.ts";

/** How long `close` may take, and a command to end that was told to, in milliseconds: then they are left. */
export const PATIENCE = 5000;
/** The same for a command whose connection was closed, and for connecting that was called off: somebody waits for the run to end. */
const AFTER_CLOSE = 1000;

/** The same connector, of which everything is checked that the types ask for. */
export function checkedConnector(own: Connector): Connector {
  const { name, summary, can, dataKeys } = own;
  const called = (member: string): string => `${member}() of the connector "@${name}"`;
  let context: ConnectorContext | undefined;
  return {
    name,
    summary,
    can,
    dataKeys,
    ...(own.hosts && {
      hosts: (address, given) => {
        context = given;
        return hostsOf(own, called("hosts"), address, given);
      },
    }),
    ...(own.connect && {
      connect: (target, given) => {
        context = given;
        return connectionOf(own, called, target, given);
      },
    }),
    ...(own.expect && {
      expect: hosts => {
        try {
          own.expect?.(hosts);
        } catch (error) {
          throw error instanceof TsinfraError
            ? error
            : new ConnectError(`${called("expect")} threw ${thrownText(error)}`, detailsOf(error));
        }
      },
    }),
    ...(own.explain && {
      explain: async (target, given) => {
        const told: unknown = await thrownAsFailure(target, called("explain"), () => own.explain!(target, given));
        if (hasKeys(told)) return told as Awaited<ReturnType<NonNullable<Connector["explain"]>>>;
        throw new ConnectError(`${called("explain")} gave ${kindOf(told)} for ${target.name}`, {
          host: target.name,
          hint: "It must give an object of what there is to tell",
        });
      },
    }),
    ...(own.close && {
      close: () => closing(called("close"), isProgram(own), () => own.close?.(), context?.warn ?? (() => undefined)),
    }),
  };
}

/** How the list of hosts is written. */
const HOSTS = 'It must give a list such as [{ name: "web-1", at: "@ssh/192.0.2.1", data: {}, groups: [] }]';

async function hostsOf(
  own: Connector,
  member: string,
  address: string,
  context: ConnectorContext,
): Promise<readonly FoundHost[]> {
  const asked = `${member}, asked for the hosts of "@${own.name}${address === "" ? "" : `/${address}`}",`;
  let found: unknown;
  try {
    found = await own.hosts?.(address, context);
  } catch (error) {
    throw error instanceof TsinfraError
      ? error
      : new InventoryError(`${asked} threw ${thrownText(error)}`, detailsOf(error));
  }
  const wrong = Array.isArray(found)
    ? found.map((host, index) => wrongHost(host, index)).find(problem => problem !== undefined)
    : kindOf(found);
  if (wrong !== undefined) throw new InventoryError(`${asked} gave ${wrong}`, { hint: HOSTS });
  return found as readonly FoundHost[];
}

/** What is wrong with one of the hosts. */
function wrongHost(host: unknown, index: number): string | undefined {
  const which = `a list whose host ${index + 1}`;
  if (!hasKeys(host)) return `${which} is ${kindOf(host)}`;
  const { name, at, data, groups } = host as { readonly [K in keyof FoundHost]?: unknown };
  if (typeof name !== "string") return `${which} has no name (${kindOf(name)})`;
  if (name.trim() === "") return `${which} has an empty name`;
  const called = `a list whose host "${name}"`;
  if (at !== undefined && typeof at !== "string") return `${called} has ${kindOf(at)} as its "at"`;
  if (!hasKeys(data)) return `${called} has ${kindOf(data)} as its "data"`;
  if (!Array.isArray(groups)) return `${called} has ${kindOf(groups)} as its "groups"`;
  const group = groups.find(one => typeof one !== "string");
  return groups.every(one => typeof one === "string") ? undefined : `${called} has ${kindOf(group)} in its "groups"`;
}

async function connectionOf(
  own: Connector,
  called: (member: string) => string,
  target: Target,
  context: ConnectorContext,
): Promise<Connection> {
  const { name: host } = target;
  const member = called(isProgram(own) ? "open" : "connect");
  const waited = `${member} for ${host}`;
  const given: unknown = await thrownAsFailure(target, member, () =>
    isProgram(own)
      ? awaiting(waited, ConnectError, () => own.connect!(target, context))
      : unlessLate(
          awaiting(waited, ConnectError, () => own.connect!(target, context)),
          target.signal,
        ),
  );
  const wrong = wrongConnection(given);
  if (wrong !== undefined)
    throw new ConnectError(`${host} cannot be connected to: ${called("connect")} gave ${wrong}`, {
      host,
      hint: "It must give a connection: { run(command, options) { … }, close() { … } }, both async",
    });
  const connection = given as Connection;
  if (isProgram(own)) return connection;
  const { isLost, rsync, stage } = connection;
  const running = new Set<Promise<unknown>>();
  const checked = (member: string, run: (options: RunOptions) => Promise<RunResult>, options: RunOptions = {}) => {
    const one = runOf(called(member), host, { run, options, warn: context.warn });
    running.add(one.settled);
    void one.settled.then(() => running.delete(one.settled));
    return one.result;
  };
  return {
    way: called("run"),
    run: (command, options) => checked("run", more => connection.run(command, more), options),
    ...(rsync && {
      rsync: (src, dest, flags, options) =>
        checked("rsync", more => rsync.call(connection, src, dest, flags, more), options),
    }),
    ...(stage && { stage: signal => stage.call(connection, signal) }),
    ...(isLost && { isLost: () => answered(called("isLost"), host, () => isLost.call(connection)) }),
    async close() {
      await closing(`${called("close")} on ${host}`, false, () => connection.close(), context.warn);
      if (running.size === 0 || (await settlesWithin(Promise.all(running), AFTER_CLOSE))) return;
      context.warn(`${called("run")} has not ended on ${host}, though its connection was closed: it is left`);
    },
  };
}

/** What `isLost` says, which is asked at once. */
function answered(member: string, host: string, ask: () => unknown): boolean {
  let answer: unknown;
  try {
    answer = ask();
  } catch (error) {
    throw new CarrierError(`${member} threw ${thrownText(error)}`, { host, cause: error });
  }
  if (typeof answer === "boolean") return answer;
  if (answer instanceof Promise) answer.catch(() => undefined);
  throw new CarrierError(`${member} gave ${kindOf(answer)} for ${host}`, {
    host,
    hint: "It must give true or false, at once",
  });
}

/** The promise, unless it hears no interruption; a connection that it comes to after all is closed. */
async function unlessLate(connecting: Promise<Connection>, signal: AbortSignal): Promise<Connection> {
  const late = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  using _ = onAbort(signal, () => {
    timer = setTimeout(() => {
      late.reject(signal.reason);
      connecting.then(connection => connection.close()).catch(() => undefined);
    }, AFTER_CLOSE);
  });
  try {
    return await Promise.race([connecting, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function wrongConnection(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null) return kindOf(given);
  const members = given as { readonly [K in keyof Connection]?: unknown };
  for (const member of ["run", "close"] as const)
    if (members[member] === undefined) return `an object without ${member}()`;
  for (const member of ["run", "close", "rsync", "stage", "isLost"] as const)
    if (members[member] !== undefined && typeof members[member] !== "function")
      return `an object whose "${member}" is ${kindOf(members[member])}`;
  return undefined;
}

/** What connecting, or telling of it, threw: an interruption and our own errors stay what they are. */
async function thrownAsFailure<T>(target: Target, member: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (target.signal.aborted || error instanceof TsinfraError) throw error;
    const failure = connectFailure(error, target.name, member);
    const [at, ...callers] = sitesOf(error);
    failure.at ??= at;
    if (failure.callers.length === 0) failure.callers = callers;
    throw failure;
  }
}

interface Running {
  readonly run: (options: RunOptions) => Promise<RunResult>;
  readonly options: RunOptions;
  readonly warn: (message: string) => void;
}

/** A command that was begun; `settled` never rejects. */
interface Begun {
  readonly result: Promise<RunResult>;
  readonly settled: Promise<unknown>;
}

function runOf(member: string, host: string, { run, options, warn }: Running): Begun {
  const { onOutput, signal } = options;
  const wrong = Promise.withResolvers<never>();
  wrong.promise.catch(() => undefined);
  let hasTold = false;
  const heard = Promise.withResolvers<void>();
  const fail = (problem: string, hint: string, error?: unknown): CarrierError =>
    new CarrierError(`${member} ${problem} on ${host}: the state of the command is unknown`, {
      ...(error === undefined ? {} : detailsOf(error)),
      host,
      hint,
    });
  const tell = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> => {
    hasTold = true;
    heard.resolve();
    const found: unknown = chunk;
    const problem =
      stream !== "stdout" && stream !== "stderr"
        ? `told onOutput of ${typeof stream === "string" ? `the stream "${String(stream)}"` : kindOf(stream)}`
        : found instanceof Uint8Array
          ? undefined
          : `gave onOutput ${kindOf(found)}`;
    if (problem === undefined) return onOutput?.(stream, chunk);
    wrong.reject(fail(problem, 'It is called with "stdout" or "stderr", and with bytes (a Uint8Array)'));
  };
  const began = (async () => run({ ...options, ...(onOutput ? { onOutput: tell } : {}) }))();
  const settled = began.catch(() => undefined);
  // A shell may stay for as long as the run does, and whoever waits for it then waits for something else.
  void awaiting(`${member} on ${host}`, ConnectError, () => Promise.race([heard.promise, settled]));
  const answer = async (): Promise<RunResult> => {
    let given: unknown;
    try {
      given = await began;
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof TsinfraError ? error : fail(`threw ${thrownText(error)}`, THROWS, error);
    }
    // The exit code may be that of a carrier that was ended, and says nothing of the command.
    signal?.throwIfAborted();
    const problem = wrongResult(given);
    if (problem !== undefined) throw fail(`gave ${problem}`, RESULT);
    const result = given as RunResult;
    if (onOutput && !hasTold && result.stdout.length + result.stderr.length > 0)
      throw fail("gave output in its result alone", "It must call options.onOutput with every chunk, as it arrives");
    return result;
  };
  // Who tells it to end may never be heard.
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => undefined);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listening = onAbort(signal, () => {
    timer = setTimeout(() => {
      warn(`${member} has not ended on ${host} within ${PATIENCE / 1000} s of being told to: it is left`);
      late.reject(signal?.reason);
    }, PATIENCE);
  });
  const result = Promise.race([answer(), wrong.promise, late.promise]).finally(() => {
    clearTimeout(timer);
    listening[Symbol.dispose]();
  });
  return { result, settled };
}
const THROWS =
  "It rejects with a ConnectionLostError when the connection is gone; any exit code of a command is a result";
const RESULT = "It must give { exitCode: number, stdout: Uint8Array, stderr: Uint8Array }";

function wrongResult(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return kindOf(given);
  const { exitCode, stdout, stderr } = given as { readonly [K in keyof RunResult]?: unknown };
  if (exitCode === undefined) return "a result without an exit code";
  if (!Number.isInteger(exitCode))
    return `a result whose exit code is ${typeof exitCode === "number" ? String(exitCode) : kindOf(exitCode)}`;
  if (!(stdout instanceof Uint8Array)) return `a result whose stdout is ${kindOf(stdout)}`;
  return stderr instanceof Uint8Array ? undefined : `a result whose stderr is ${kindOf(stderr)}`;
}

/** Close something of the user's. Never rejects. What a program closes has limits of its own, and may well take long. */
async function closing(
  member: string,
  isPatient: boolean,
  close: () => unknown,
  warn: (message: string) => void,
): Promise<void> {
  const ended = awaiting(member, ConnectError, async () => void (await close())).catch((error: unknown) =>
    warn(`${member} threw ${thrownText(error)}`),
  );
  if (isPatient) return ended;
  if (!(await settlesWithin(ended, PATIENCE))) warn(`${member} has not ended within ${PATIENCE / 1000} s: it is left`);
}

function detailsOf(error: unknown): ErrorDetails {
  const [at, ...callers] = sitesOf(error);
  return { ...(at ? { at, callers } : {}), cause: error };
}
