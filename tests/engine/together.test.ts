import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { localTransfers } from "../../src/deploy/local-transfers.ts";
import { Facts } from "../../src/engine/host/facts.ts";
import { resolveArguments } from "../../src/engine/host/arguments.ts";
import { Session } from "../../src/engine/host/session.ts";
import { File, Md5File, Sha1File, Sha256File } from "../../src/facts/files/index.ts";

const names = [
  "plain",
  "a space",
  "it's",
  '"quoted"',
  "$(touch pwned)",
  "-dash",
  "new\nline",
  "back\\slash",
  "é💥",
  "x user=root",
  "dir",
  "dangling",
  "link",
  "absent",
  "also absent",
];

let directory: string;
const sessions: Session[] = [];
beforeAll(() => {
  directory = mkdtempSync(`${tmpdir()}/together-`);
  for (const name of names.slice(0, 10)) writeFileSync(`${directory}/${name}`, `content of ${name}`, { mode: 0o640 });
  mkdirSync(`${directory}/dir`);
  symlinkSync("nowhere", `${directory}/dangling`);
  symlinkSync("plain", `${directory}/link`);
});
afterAll(async () => {
  await Promise.all(sessions.map(session => session.disconnect()));
  rmSync(directory, { recursive: true });
});

function facts(fast: boolean): Facts {
  const { signal } = new AbortController();
  const context = { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: "/" };
  const session = new Session({
    host: "here",
    fast,
    connect: () =>
      createLocalConnector().connect!({ name: "here", address: "", data: {}, timeout: 10, signal }, context),
    context,
    transfers: localTransfers,
    onMayHaveChanged: () => {},
    onTransfer: () => {},
  });
  sessions.push(session);
  return new Facts({ host: "here", session, fast, remembers: false, emit: () => {}, now: () => 0, signal });
}
const how = resolveArguments({ context: {}, host: {}, config: DEFAULT_CONFIG, inheritedEnv: {} });
/** Without the time of the last access: a checksum moves it. */
const answers = async (source: Facts, subjects: readonly string[]) => {
  const all = await Promise.all(
    [File, Sha1File, Md5File, Sha256File].flatMap(fact =>
      subjects.map(name => source.ask(fact as typeof File, { path: `${directory}/${name}` }, how, DEFAULT_CONFIG)),
    ),
  );
  return all.map(answer => (typeof answer === "object" ? { ...answer, atime: undefined } : answer));
};

describe("many questions asked by one command have the answers that each has alone", () => {
  test("whatever the names", async () => {
    expect(await answers(facts(true), names)).toEqual(await answers(facts(false), names));
  });
  test("where nothing is there", async () => {
    expect(await answers(facts(true), ["absent", "also absent"])).toEqual(
      await answers(facts(false), ["absent", "also absent"]),
    );
  });
  test("one at a time", async () => {
    for (const name of names) expect(await answers(facts(true), [name])).toEqual(await answers(facts(false), [name]));
  });
});
