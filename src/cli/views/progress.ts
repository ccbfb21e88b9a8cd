/** What a run is doing right now, in one line. Pure: events and the time go in, text comes out. @module */
import type { EngineEvent } from "../../engine/events.ts";
import { hostList } from "./hosts.ts";
import type { Paint } from "./paint.ts";
import { bytes, cut, duration, oneLine, plural, widthOf } from "./text.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
/** Waiting longer than this is told with its seconds. */
const PATIENCE_MS = 2_000;

interface Operation {
  readonly name: string;
  readonly started: number;
  readonly hosts: number;
  done: number;
  readonly running: Set<string>;
}

interface Transfer {
  readonly verb: string;
  readonly path: string;
  bytes: number;
  readonly total: number | undefined;
}

/** The state behind the line. */
export class Progress {
  #stage: { readonly name: string; readonly hosts: number; readonly started: number } | undefined;
  #done = 0;
  readonly #busy = new Set<string>();
  readonly #facts = new Map<string, { readonly fact: string; readonly host: string }>();
  readonly #operations = new Map<string, Operation>();
  readonly #transfers = new Map<string, Transfer>();

  take(event: EngineEvent, now: number): void {
    switch (event.type) {
      case "stage:start":
        this.#stage = { name: event.stage, hosts: event.hosts, started: now };
        this.#done = 0;
        this.#busy.clear();
        break;
      case "stage:end":
        this.#stage = undefined;
        this.#facts.clear();
        this.#operations.clear();
        break;
      case "host:connecting":
        this.#busy.add(event.host);
        break;
      case "host:connected":
      case "host:failed":
      case "host:disconnected":
        if (event.type === "host:failed" && event.stage !== this.#stage?.name) break;
        this.#busy.delete(event.host);
        this.#done++;
        break;
      case "deploy:ready":
        this.#done++;
        break;
      case "fact:start":
        this.#facts.set(factKey(event), { fact: event.fact, host: event.host });
        break;
      case "fact:end":
        this.#facts.delete(factKey(event));
        break;
      case "operation:start":
        this.#operations.set(event.id, {
          name: event.operation,
          started: now,
          hosts: event.hosts.length,
          done: 0,
          running: new Set(),
        });
        break;
      case "operation:host:start":
        this.#operations.get(event.id)?.running.add(event.host);
        break;
      case "operation:host:end":
        this.#finishHost(event.id, event.host);
        break;
      case "operation:end":
        this.#operations.delete(event.id);
        break;
      case "transfer":
        this.#transfer(event);
        break;
      default:
        break;
    }
  }

  /** The line, at most `width` columns; `undefined` when nothing is going on. */
  line(now: number, width: number, paint: Paint): string | undefined {
    const text = this.#text(now, width - 4);
    if (text === undefined) return undefined;
    const frame = FRAMES[Math.floor(now / FRAME_MS) % FRAMES.length] ?? "";
    return cut(`${paint("name", frame)} ${text}`, width - 1);
  }

  #finishHost(id: string, host: string): void {
    const operation = this.#operations.get(id);
    if (operation?.running.delete(host)) operation.done++;
    for (const key of this.#transfers.keys()) if (key.startsWith(`${host}\0`)) this.#transfers.delete(key);
  }

  #transfer({ host, direction, path, bytes: count, total }: EngineEvent & { readonly type: "transfer" }): void {
    const key = `${host}\0${path}`;
    if (total !== undefined && count >= total) this.#transfers.delete(key);
    else
      this.#transfers.set(key, {
        verb: direction === "upload" ? "uploading" : "downloading",
        path,
        bytes: count,
        total,
      });
  }

  #text(now: number, width: number): string | undefined {
    const operations = [...this.#operations.values()];
    const first = operations[0];
    if (first) {
      const running = [...new Set(operations.flatMap(({ running: hosts }) => [...hosts]))];
      const rest = operations.length > 1 ? ` and ${plural(operations.length - 1, "other operation")}` : "";
      const head = `${cut(oneLine(first.name), Math.max(20, Math.floor(width / 2)))}${rest}  ${first.done}/${plural(first.hosts, "host")}`;
      return join(
        head,
        [
          this.#transferText(),
          this.#factText(),
          waiting(running, width - widthOf(head) - 16),
          elapsed(now - first.started),
        ],
        width,
      );
    }
    const stage = this.#stage;
    if (!stage || stage.hosts === 0 || stage.name === "execute") return undefined;
    const verb = { connect: "Connecting", prepare: "Preparing", disconnect: "Disconnecting" }[stage.name] ?? stage.name;
    const head = `${verb}  ${Math.min(this.#done, stage.hosts)}/${plural(stage.hosts, "host")}`;
    return join(
      head,
      [this.#factText(), waiting([...this.#busy], width - widthOf(head) - 16), elapsed(now - stage.started)],
      width,
    );
  }

  #factText(): string | undefined {
    const first = this.#facts.values().next().value;
    if (!first) return undefined;
    return this.#facts.size === 1
      ? `fact ${first.fact} of ${oneLine(first.host)}`
      : `${this.#facts.size} facts, ${first.fact}`;
  }

  #transferText(): string | undefined {
    const all = [...this.#transfers.values()];
    const first = all[0];
    if (!first) return undefined;
    const done = all.reduce((sum, transfer) => sum + transfer.bytes, 0);
    const total = all.every(transfer => transfer.total !== undefined)
      ? all.reduce((sum, transfer) => sum + (transfer.total ?? 0), 0)
      : undefined;
    const amount =
      total === undefined
        ? bytes(done)
        : `${bytes(done)} of ${bytes(total)} (${Math.floor((done / Math.max(1, total)) * 100)} %)`;
    return `${first.verb} ${all.length > 1 ? plural(all.length, "file") : oneLine(first.path)} ${amount}`;
  }
}

const factKey = ({
  host,
  fact,
  args,
}: {
  readonly host: string;
  readonly fact: string;
  readonly args: Readonly<Record<string, unknown>>;
}): string => `${host}\0${fact}\0${JSON.stringify(args)}`;

const elapsed = (ms: number): string | undefined => (ms < PATIENCE_MS ? undefined : duration(Math.floor(ms / 1000)));
const waiting = (hosts: readonly string[], width: number): string | undefined =>
  hosts.length === 0 || width < 8 ? undefined : hostList(hosts, width);

/** As many parts as fit. */
function join(head: string, parts: readonly (string | undefined)[], width: number): string {
  let line = head;
  for (const part of parts) if (part !== undefined && widthOf(line) + widthOf(part) + 2 <= width) line += `  ${part}`;
  return line;
}
