/** A stream of bytes to a port that another connection's host can reach. @module */
import { Duplex } from "node:stream";
import { sh, type Shell } from "../../core/command.ts";
import type { Connection } from "../../core/connector.ts";

/** The stream, and what the program that carries it said when it had ended. */
export interface Tunnel {
  readonly socket: Duplex;
  readonly complaint: Promise<string>;
}

/** As much of a program's complaint as is kept. */
const COMPLAINT = 2000;

/** Ends with the stream, and the stream with it. */
export function openTunnel(
  connection: Connection,
  { hostname, port }: { readonly hostname: string; readonly port: number },
): Tunnel {
  const ending = new AbortController();
  const written: { readonly chunk: Uint8Array; readonly taken: () => void }[] = [];
  let wake: (() => void) | undefined;
  /** Whoever reads wants more. */
  let resume: (() => void) | undefined;
  let isAtEnd = false;
  async function* input(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = written.shift();
      if (next) {
        yield next.chunk;
        // Asked for more: it is on its way.
        next.taken();
      } else if (isAtEnd) return;
      else await new Promise<void>(resolve => (wake = resolve));
    }
  }
  const socket = new Duplex({
    read() {
      resume?.();
    },
    write(chunk: Uint8Array, _encoding, done) {
      written.push({ chunk, taken: () => done() });
      wake?.();
    },
    final(done) {
      isAtEnd = true;
      wake?.();
      done();
    },
    destroy(error, done) {
      isAtEnd = true;
      wake?.();
      resume?.();
      ending.abort(new Error("The stream was closed"));
      done(error);
    },
  });
  let complaint = "";
  const running = connection.run(carry(hostname, port), {
    stdin: input(),
    capture: false,
    signal: ending.signal,
    onOutput(stream, chunk) {
      if (stream === "stderr") {
        complaint = (complaint + Buffer.from(chunk).toString()).slice(-COMPLAINT);
        return;
      }
      // Copied: the chunk may be part of a buffer that is used again.
      if (socket.push(Buffer.from(chunk))) return;
      return new Promise<void>(resolve => (resume = resolve));
    },
  });
  const ended = running.then(
    () => complaint.trim(),
    (error: unknown) => complaint.trim() || (error instanceof Error ? error.message : String(error)),
  );
  // What has come is still read.
  socket.once("end", () => socket.destroy());
  void ended.then(() => socket.push(null));
  return { socket, complaint: ended };
}

/** With what the host has. nc comes last: some kinds of it do not end when the other side does, and then only ssh's own signs of life tell. */
function carry(hostname: string, port: number): Shell {
  const bash = 'exec 3<>"/dev/tcp/$0/$1" || exit; cat <&0 >&3 & cat <&3; kill $!';
  return sh`if command -v bash >/dev/null; then exec bash --norc -c ${bash} ${hostname} ${port}; elif command -v socat >/dev/null; then exec socat - TCP:${hostname}:${port}; elif command -v nc >/dev/null; then exec nc ${hostname} ${port}; else echo "there is neither bash, socat nor nc" >&2; exit 1; fi`;
}
