/** Diffs of files: the same diff of many hosts is shown once, and not again when it is carried out. @module */
import type { EngineEvent } from "../../engine/events.ts";
import { hostList } from "./hosts.ts";
import type { Paint } from "./paint.ts";
import { oneLine, widthOf } from "./text.ts";

type DiffEvent = EngineEvent & { readonly type: "diff" };

/** Diffs of one run. */
export class Diffs {
  readonly #kept = new Map<string, { readonly path: string; readonly diff: string; readonly hosts: string[] }>();
  readonly #shown = new Set<string>();

  /** Keep a diff until its stage has ended. */
  keep({ path, diff, host }: DiffEvent): readonly string[] {
    const key = `${path}\0${diff}`;
    const kept = this.#kept.get(key) ?? { path, diff, hosts: [] };
    if (!kept.hosts.includes(host)) kept.hosts.push(host);
    this.#kept.set(key, kept);
    return [];
  }

  /** What was kept, each diff once. */
  lines(paint: Paint, columns: number): readonly string[] {
    const lines = [...this.#kept.values()].flatMap(({ path, diff, hosts }) => {
      for (const host of hosts) this.#shown.add(`${host}\0${path}\0${diff}`);
      return diffLines(path, diff, hosts, paint, columns);
    });
    this.#kept.clear();
    return lines;
  }

  /** A diff now, unless it was forecast. */
  show({ path, diff, host }: DiffEvent, paint: Paint, columns: number): readonly string[] {
    const key = `${host}\0${path}\0${diff}`;
    if (this.#shown.has(key)) return [];
    this.#shown.add(key);
    return diffLines(path, diff, [host], paint, columns);
  }
}

function diffLines(
  path: string,
  diff: string,
  hosts: readonly string[],
  paint: Paint,
  columns: number,
): readonly string[] {
  const start = `  ${oneLine(path)} on `;
  const title = `${start}${paint("name", hostList(hosts, Math.max(20, columns - widthOf(start))))}`;
  const body = diff.split("\n").filter((line, index) => !(index < 2 && /^(?:---|\+\+\+) /.test(line)) && line !== "");
  return [title, ...body.map(line => `    ${paint(toneOf(line), oneLine(line))}`)];
}

const toneOf = (line: string): "added" | "removed" | "dim" =>
  line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "dim";
