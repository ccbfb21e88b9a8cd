/** The bytes' way to a server: TCP, a jump host, or a program. @module */
import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Connection } from "../../core/connector.ts";
import { limitFailure } from "../../core/connect-failure.ts";
import { ConnectError } from "../../core/errors.ts";
import { limitReached } from "../../core/limits.ts";
import type { Deadline } from "../shared/deadline.ts";
import { withoutSocket } from "../shared/open-files.ts";
import { openTunnel } from "../shared/tunnel.ts";
import { onAbort, unlessAborted } from "../../core/abort.ts";
import type { Client, ClientChannel } from "./library.ts";
import type { Address, Names } from "./names.ts";
import { type Hop, hopAddress } from "./route.ts";

/** A way to a server. */
export interface Way {
  readonly socket: Duplex;
  /** Where the way is a program (ProxyCommand, a connection that this one goes through): what it wrote to its stderr, once it has ended. */
  readonly complaint?: Promise<string>;
}

/** Throws `ConnectError`, or the signal's reason. */
export async function openWay(
  hop: Hop,
  options: {
    readonly via: Client | undefined;
    readonly through?: Connection | undefined;
    /** Where the hop itself is connected to. */
    readonly addresses: readonly Candidate[];
    readonly deadline: Deadline;
    readonly shell: string;
  },
): Promise<Way> {
  if (options.through) return openTunnel(options.through, hop.settings);
  if (options.via) return { socket: await throughJump(hop, options.via, options.deadline.signal) };
  const { proxyCommand } = hop.settings;
  if (proxyCommand !== undefined) return throughProgram(proxyCommand, options.shell);
  return { socket: await overTcp(hop, options.addresses, options.deadline) };
}

/** The addresses to try, in this order. Throws `ConnectError`, or the deadline's reason; time in which others are looked up does not count. */
export async function addressesFor(hop: Hop, names: Names, deadline: Deadline): Promise<readonly Address[]> {
  const { hostname, addressFamily } = hop.settings;
  const same = hop.name === hostname ? "" : ` of ${hop.name}`;
  const turn = Promise.withResolvers<void>();
  const lookup = names.addressesOf(hostname, deadline.signal, turn.resolve);
  void lookup.then(() => turn.resolve(), turn.resolve);
  await deadline.hold(() => turn.promise);
  deadline.phase = `an address of the name ${JSON.stringify(hostname)}`;
  let all: readonly Address[];
  try {
    all = await lookup;
  } catch (error) {
    deadline.signal.throwIfAborted();
    if (limitReached(error)) throw error;
    throw new ConnectError(
      `The name ${JSON.stringify(hostname)}${same} cannot be looked up: ${(error as Error).message}`,
      { host: hop.name, cause: error, retryable: true },
    );
  }
  if (all.length === 0)
    throw new ConnectError(
      `The name ${JSON.stringify(hostname)}${same} cannot be resolved: this machine and its name servers give no address`,
      {
        host: hop.name,
        // A name server that cannot be asked now may be there a moment later.
        retryable: true,
        hint: "Check the name, or set the host data sshHostname",
      },
    );
  const found = all.filter(({ family }) => addressFamily === 0 || family === addressFamily);
  if (found.length > 0) return found;
  throw new ConnectError(
    `The name ${JSON.stringify(hostname)}${same} has no address of the family ${addressFamily === 4 ? "inet" : "inet6"}`,
    { host: hop.name, hint: "See AddressFamily in the SSH configuration" },
  );
}

/** An address, and what is known of it: those that did not answer are not waited for twice. */
export interface Candidate extends Address {
  silence?: ConnectError;
}

/** One address after the other, each with a time limit of its own, as ssh does it. */
async function overTcp(hop: Hop, candidates: readonly Candidate[], deadline: Deadline): Promise<Socket> {
  const { port, bindAddress } = hop.settings;
  const failures: ConnectError[] = [];
  const told: string[] = [];
  const last = candidates.findLast(({ silence }) => !silence);
  for (const candidate of candidates) {
    const { address, family } = candidate;
    const options = {
      host: address,
      port,
      family,
      ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
    };
    let failure = candidate.silence;
    try {
      if (candidate === last) return await connectTo(options, deadline.signal);
      if (!failure)
        return await deadline.hold(async () => {
          using limit = deadline.again(() => {
            candidate.silence = new ConnectError(`${describeHop(hop)} does not answer`, {
              host: hop.name,
              retryable: true,
            });
            return candidate.silence;
          });
          return await connectTo(options, limit.signal);
        });
    } catch (error) {
      deadline.signal.throwIfAborted();
      const limit = limitFailure(withoutSocket(error as NodeJS.ErrnoException), hop.name);
      if (limit) throw limit;
      failure = error instanceof ConnectError ? error : socketError(hop, error as NodeJS.ErrnoException);
    }
    failures.push(failure!);
    told.push(`${address} ${failure!.message.slice(describeHop(hop).length + 1)}`);
    deadline.phase = `a connection to ${hopAddress(hop)} (${told.join(", ")})`;
  }
  if (failures.length === 1) throw failures[0]!;
  throw new ConnectError(`${describeHop(hop)} cannot be connected to: ${told.join(", ")}`, {
    host: hop.name,
    cause: failures.at(-1),
    retryable: failures.some(({ retryable }) => retryable),
  });
}

function connectTo(
  options: { readonly host: string; readonly port: number; readonly family: number; readonly localAddress?: string },
  signal: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ ...options, noDelay: true });
  const aborted = onAbort(signal, () => {
    socket.destroy();
    reject(signal.reason);
  });
  socket.once("error", reject);
  socket.once("connect", () => {
    socket.off("error", reject);
    resolve(socket);
  });
  return promise.finally(() => aborted[Symbol.dispose]());
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "is in a network that cannot be reached",
  ETIMEDOUT: "does not answer",
  ECONNRESET: "closed the connection",
};

/** An error of the operating system as one of ours. */
export function socketError(hop: Hop, error: NodeJS.ErrnoException): ConnectError {
  const reason = REASONS[error.code ?? ""];
  return new ConnectError(`${describeHop(hop)} ${reason ?? `cannot be connected to: ${error.message}`}`, {
    host: hop.name,
    cause: error,
    retryable: reason !== undefined,
  });
}

/** `web-1 (192.0.2.1:2222)`, `The jump host bastion`. */
export function describeHop(hop: Hop): string {
  const address = hopAddress(hop);
  return `${hop.isJump ? "The jump host " : ""}${hop.name}${address === hop.name ? "" : ` (${address})`}`;
}

async function throughJump(hop: Hop, jump: Client, signal: AbortSignal): Promise<Duplex> {
  const { hostname, port } = hop.settings;
  const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
  const fail = (error: Error): void => {
    const reason = error.message.replace(/^\(SSH\) Channel open failure: /, "");
    reject(
      new ConnectError(`${describeHop(hop)} cannot be reached from the jump host ${hop.via?.name}: ${reason}`, {
        host: hop.name,
        cause: error,
        retryable: !/prohibited/.test(reason),
        ...(/prohibited/.test(reason)
          ? {
              hint: "The jump host does not forward connections: see AllowTcpForwarding and PermitOpen in its sshd_config",
            }
          : {}),
      }),
    );
  };
  try {
    jump.forwardOut("127.0.0.1", 0, hostname, port, (error, channel) => {
      if (error) return fail(error);
      // A host that goes down ends its side only; a connection of which one half is left is none.
      channel.on("end", () => channel.close());
      resolve(channel);
    });
  } catch (error) {
    fail(error as Error);
  }
  try {
    return await unlessAborted(promise, signal);
  } catch (error) {
    // It may still come: nobody wants it any more.
    promise.then(
      channel => channel.close(),
      () => {},
    );
    throw error;
  }
}

/** As much of a program's complaint as is shown. */
const COMPLAINT = 2000;
const PROGRAM_GRACE_MS = 1000;

function throughProgram(command: string, shell: string): Way {
  const child = spawn(shell, ["-c", `exec ${command}`], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-COMPLAINT)));
  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null) {
      try {
        process.kill(-child.pid);
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  // A program that has closed its output by itself is about to end, and may still have to say why.
  let isEnding = false;
  const end = (): void => void (isEnding ? setTimeout(kill, PROGRAM_GRACE_MS).unref() : kill());
  const socket = new Duplex({
    read() {
      child.stdout.resume();
    },
    write(chunk, _encoding, done) {
      if (child.stdin.writable) child.stdin.write(chunk, error => done(error ?? null));
      else done();
    },
    final(done) {
      child.stdin.end(() => done());
    },
    destroy(error, done) {
      end();
      done(error);
    },
  });
  child.stdout.on("data", (chunk: Buffer) => {
    if (!socket.push(chunk)) child.stdout.pause();
  });
  child.stdout.on("end", () => {
    isEnding = true;
    socket.push(null);
  });
  child.stdin.on("error", () => {});
  const ended = Promise.withResolvers<string>();
  child.on("error", error => {
    complaint += limitReached(error)?.message ?? error.message;
    socket.destroy();
  });
  // The process may be told to be gone before the last of what it said has arrived.
  let open = 2;
  const part = (): void => {
    if (--open === 0) ended.resolve(complaint.trim());
  };
  child.stderr.on("close", part);
  child.on("close", () => {
    part();
    socket.destroy();
  });
  return { socket, complaint: ended.promise };
}
