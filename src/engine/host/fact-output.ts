/** What a host prints for the questions of one batch. @module */
import type { OutputStream } from "../../core/connector.ts";
import { KeptOutput } from "../../core/output.ts";
import { type AskOutput, splitBatch } from "./fact-batches.ts";

/** Bytes of an answer that are read; a longer one is an error. */
export const MOST_ANSWER = 32 * 1024 * 1024;

/** Collects it, and sees each question's end as it comes. */
export class FactOutput {
  readonly #nonce: string;
  readonly #onEnd: () => void;
  readonly #kept = { stdout: new KeptOutput(MOST_ANSWER), stderr: new KeptOutput(MOST_ANSWER) };
  /** The end of stderr, on which each question's end is marked. */
  #last = "";

  constructor(nonce: string, onEnd: () => void) {
    this.#nonce = nonce;
    this.#onEnd = onEnd;
  }

  get isCut(): boolean {
    return this.#kept.stdout.isCut || this.#kept.stderr.isCut;
  }

  add(stream: OutputStream, chunk: Uint8Array): void {
    this.#kept[stream].add(chunk);
    if (stream !== "stderr") return;
    const seen = this.#last + asString(chunk);
    const at = seen.lastIndexOf(this.#nonce);
    this.#last = (at === -1 ? seen : seen.slice(at + this.#nonce.length)).slice(-this.#nonce.length);
    if (at !== -1) this.#onEnd();
  }

  text(): { readonly stdout: string; readonly stderr: string } {
    return { stdout: asString(this.#kept.stdout.bytes()), stderr: asString(this.#kept.stderr.bytes()) };
  }

  /** The first of `count` questions, as many as have been answered. */
  answered(count: number): readonly AskOutput[] {
    const { stdout, stderr } = this.text();
    const outputs = splitBatch(stdout, stderr, this.#nonce, count);
    const open = outputs.indexOf(undefined);
    return outputs.slice(0, open === -1 ? count : open).filter(output => output !== undefined);
  }
}

export const asString = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
