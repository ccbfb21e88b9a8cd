/** A TCP way to a server on loopback on which each connection has a fault of its own. @module */
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Next, pick } from "./random.ts";

/** `up` is towards the server. Bytes are counted on each connection. */
export type Fault =
  | { readonly kind: "none" }
  /** Everything is held for so many ms, in both directions. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Both ends are closed (`drop`), reset, or hear nothing any more (`stall`). */
  | { readonly kind: "drop" | "reset" | "stall"; readonly after: number; readonly counts: "up" | "down" }
  /** The server hears, but is heard no more; if there is a `when`, only once that is true. After `endsIn` ms the connection ends. */
  | { readonly kind: "half-open"; readonly after: number; readonly when?: () => boolean; readonly endsIn?: number }
  /** From then on a byte in 100 ms from the server. */
  | { readonly kind: "trickle"; readonly after: number }
  /** Accepted, and that is all. */
  | { readonly kind: "silent" }
  /** The way goes down for good, with all connections on it. */
  | { readonly kind: "stop"; readonly after: number };

/** What becomes of the connections of one host. */
export interface Way {
  /** Nobody listens for so many ms. */
  readonly refusedFor: number;
  /** Of the first, the second … connection; those beyond have none. */
  readonly faults: readonly Fault[];
}

export const CLEAN: Way = { refusedFor: 0, faults: [] };
const TRICKLE_MS = 100;

/** Where a connection is cut: in the handshake, behind the login (1.4 kB up, 2 kB down), among the facts, in the work, in an upload. */
const cutAt = (next: Next): number =>
  pick(next, [next(2_000), 1_400 + next(1_500), 2_000 + next(4_000), 3_000 + next(12_000), next(80_000)]);

export function randomWay(next: Next): Way {
  const fault = (): Fault => {
    const after = cutAt(next);
    const counts = pick(next, ["up", "down"] as const);
    return pick<Fault>(next, [
      { kind: "none" },
      { kind: "delay", ms: 5 + next(60) },
      { kind: "drop", after, counts },
      { kind: "drop", after, counts },
      { kind: "reset", after, counts },
      { kind: "reset", after, counts },
      { kind: "stall", after, counts },
      { kind: "half-open", after },
      { kind: "trickle", after },
      { kind: "silent" },
      { kind: "stop", after },
    ]);
  };
  return {
    refusedFor: next(6) === 0 ? 200 + next(1500) : 0,
    faults: Array.from({ length: 1 + next(4) }, fault),
  };
}

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** What happened to whom, for the report of a failure. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

/** `port` is where it listens, a free one where it is 0. */
export async function startFaultProxy(
  to: { readonly address: string; readonly port: number },
  way: Way,
  at: { readonly address: string; readonly port: number },
): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const log: string[] = [];
  let [count, isDown] = [0, false];
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    // Both ends may be cut at any moment; what that means for the other is decided by the fault.
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const down = (): void => {
    isDown = true;
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const server: Server = createServer({ noDelay: true, allowHalfOpen: true }, client => {
    track(client);
    if (isDown) return void client.destroy();
    const fault = way.faults[count++] ?? { kind: "none" };
    const note = (what: string): void => void log.push(`connection ${count} ${what}`);
    if (fault.kind === "silent") return note("is silent");
    const host = track(connect({ ...targetOf(to), noDelay: true, allowHalfOpen: true }));
    join(client, host, fault, note, down);
  });
  const listen = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(at.port, at.address, resolve);
    });
  let opening: ReturnType<typeof setTimeout> | undefined;
  if (way.refusedFor === 0) await listen();
  else
    opening = setTimeout(
      () => void listen().catch((error: unknown) => log.push(`cannot listen: ${error}`)),
      way.refusedFor,
    );
  const close = async (): Promise<void> => {
    clearTimeout(opening);
    down();
  };
  return {
    port: way.refusedFor === 0 ? (server.address() as { port: number }).port : at.port,
    log,
    close,
    [Symbol.asyncDispose]: close,
  };
}

const targetOf = ({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): { host: string; port: number } => ({ host: address, port });

function join(client: Socket, host: Socket, fault: Fault, note: (what: string) => void, down: () => void): void {
  const passed = { up: 0, down: 0 };
  let [isStalled, isMuted, isSlow] = [false, false, false];
  const slow: Buffer[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  const strike = (direction: "up" | "down"): void => {
    if (isStalled || isMuted || isSlow || !("after" in fault) || passed[direction] <= fault.after) return;
    if ("counts" in fault && fault.counts !== direction) return;
    if (fault.kind === "half-open" && fault.when?.() === false) return;
    note(`${fault.kind} after ${passed.up} bytes up, ${passed.down} down`);
    if (fault.kind === "drop") for (const socket of [client, host]) socket.destroy();
    else if (fault.kind === "reset") for (const socket of [client, host]) socket.resetAndDestroy();
    else if (fault.kind === "stall") isStalled = true;
    else if (fault.kind === "half-open") {
      isMuted = true;
      if (fault.endsIn !== undefined) setTimeout(() => client.destroy(), fault.endsIn);
    } else if (fault.kind === "stop") down();
    else if (fault.kind === "trickle") {
      isSlow = true;
      timer = setInterval(() => {
        const first = slow.shift();
        if (!first) return;
        client.write(first.subarray(0, 1));
        if (first.length > 1) slow.unshift(first.subarray(1));
      }, TRICKLE_MS);
    }
  };
  const later = pacer(fault.kind === "delay" ? fault.ms : 0);
  const pass = (from: Socket, to: Socket, direction: "up" | "down"): void => {
    from.on("data", (chunk: Buffer) => {
      const isFirstOfTrickle = isSlow;
      passed[direction] += chunk.length;
      strike(direction);
      if (isStalled || (direction === "down" && isMuted)) return;
      if (direction === "down" && (isSlow || isFirstOfTrickle)) return void slow.push(chunk);
      later(() => {
        if (!to.destroyed && !to.write(chunk)) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      });
    });
    from.on("end", () => {
      if (!isStalled && !(direction === "down" && (isMuted || isSlow))) later(() => to.end());
    });
  };
  pass(client, host, "up");
  pass(host, client, "down");
  client.on("close", () => {
    clearInterval(timer);
    // A host that hears nothing does not hear of this either.
    if (!isStalled) later(() => host.destroy());
  });
  host.on("close", () => {
    if (!isStalled && !isMuted && !isSlow) later(() => client.destroy());
  });
}

/** Does things in order, each so many ms after it was asked for. */
function pacer(ms: number): (action: () => void) => void {
  if (ms === 0) return action => action();
  let due = 0;
  return action => {
    due = Math.max(due, performance.now() + ms);
    setTimeout(action, due - performance.now());
  };
}
