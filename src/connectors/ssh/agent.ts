/** The user's SSH agent. @module */
import { connect, type Socket } from "node:net";
import { limitReached } from "../../core/limits.ts";
import { withoutSocket } from "../shared/open-files.ts";
import { remembered } from "../shared/remembered.ts";
import { uint32, WireReader, wireBlob } from "./wire.ts";

/** A key or certificate that the agent holds. */
export interface AgentKey {
  readonly blob: Buffer;
  readonly comment: string;
}

/** Talks to one agent. */
export interface Agent {
  readonly socket: string;
  /** Asked once per run. Throws when the agent cannot be reached. */
  keys(): Promise<readonly AgentKey[]>;
  /** The bare signature. May wait for a person who confirms. */
  sign(blob: Buffer, message: Buffer, hash: string | undefined): Promise<Buffer>;
}

export function createAgent(socket: string): Agent {
  const keys = new Map<string, Promise<readonly AgentKey[]>>();
  return {
    socket,
    keys() {
      return remembered(keys, socket, () => listKeys(socket));
    },
    async sign(blob, message, hash) {
      const reply = await request(
        socket,
        Buffer.concat([Buffer.from([SIGN]), wireBlob(blob), wireBlob(message), uint32(FLAGS[hash ?? ""] ?? 0)]),
        SIGNATURE,
      );
      const signature = new WireReader(reply.blob());
      signature.text();
      return signature.blob();
    },
  };
}

const LIST = 11;
const KEYS = 12;
const SIGN = 13;
const SIGNATURE = 14;
const FLAGS: Readonly<Record<string, number>> = { sha256: 2, sha512: 4 };

async function listKeys(socket: string): Promise<readonly AgentKey[]> {
  const reply = await request(socket, Buffer.from([LIST]), KEYS);
  return Array.from({ length: reply.uint32() }, () => ({ blob: reply.blob(), comment: reply.text() }));
}

/** One question on a connection of its own: agents answer in order only, and one may wait for a person. */
function request(path: string, message: Buffer, expected: number): Promise<WireReader> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(path);
    let received = Buffer.alloc(0);
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(limitReached(cause) ? cause : new Error(`The agent at ${path} ${why}`, { cause }));
    };
    socket.on("connect", () => socket.write(wireBlob(message)));
    socket.on("error", error => fail(`cannot be reached: ${error.message}`, withoutSocket(error)));
    socket.on("close", () => fail("hung up"));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readUInt32BE()) return;
      const reply = new WireReader(received.subarray(4, 4 + received.readUInt32BE()));
      if (reply.byte() === expected) {
        resolve(reply);
        socket.destroy();
      } else fail("refused");
    });
  });
}
