/** A run on this machine that hears all that its shells are sent. @module */
import { createLocalConnector } from "../../src/connectors/local.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import type { Connector, Input } from "../../src/core/connector.ts";
import { ConnectionLostError } from "../../src/core/errors.ts";
import { currentScope } from "../../src/core/scope.ts";
import { callSites, localTransfers } from "../../src/deploy/index.ts";
import { createLocalFiles } from "../../src/deploy/local-files.ts";
import type { EngineEvent } from "../../src/engine/events.ts";
import { createRun } from "../../src/engine/run.ts";
import { Hostname } from "../../src/facts/server/index.ts";

export interface ListeningOptions {
  /** Default: 1, and each waits for no other. */
  readonly hosts?: number;
  readonly fast?: boolean;
  readonly signal?: AbortSignal;
  /** Called with all that shells were sent so far. */
  readonly onInput?: (input: string) => void;
  readonly onEvent?: (event: EngineEvent) => void;
  /** Once that has resolved, the first connection is lost, with all that runs on it. */
  readonly lost?: Promise<unknown>;
  /** The exit code of shells that stay, however they end: what carries them may have one of its own. */
  readonly endingWith?: number;
  /** Once that has resolved, shells print a line of ours where none is to be. */
  readonly disturbed?: Promise<unknown>;
}

/** This machine, with an ear at what it is sent. */
function listening({ onInput = () => {}, endingWith, lost, disturbed }: ListeningOptions): Connector {
  const local = createLocalConnector();
  let sent = "";
  let connections = 0;
  // Heard when it is sent: a shell that is busy reads no more than fits into its pipe.
  function heard(input: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({}, { highWaterMark: 10_000 });
    const writer = writable.getWriter();
    void (async () => {
      for await (const chunk of input) {
        onInput((sent += Buffer.from(chunk).toString()));
        void writer.write(chunk).catch(() => undefined);
      }
      await writer.close();
    })().catch(() => undefined);
    return readable;
  }
  const ear = (input: Input | undefined): Input | undefined =>
    input === undefined || input instanceof Uint8Array ? input : heard(input);
  return {
    ...local,
    async connect(target, context) {
      const connection = await local.connect!(target, context);
      const loss = new AbortController();
      if (++connections === 1) void lost?.then(() => loss.abort(new ConnectionLostError("Lost it")));
      return {
        ...connection,
        run(command, options = {}) {
          const stdin = ear(options.stdin);
          if (stdin)
            void disturbed?.then(() => {
              const [mark = ""] = /tsinfra-[0-9a-f]{32}/.exec(sent) ?? [];
              return options.onOutput?.("stdout", Buffer.from(`\x01${mark} 0 0\n`));
            });
          const signal = AbortSignal.any([loss.signal, ...(options.signal ? [options.signal] : [])]);
          const running = connection.run(command, { ...options, signal, ...(stdin ? { stdin } : {}) });
          return stdin && endingWith !== undefined
            ? running.then(ended => ({ ...ended, exitCode: endingWith }))
            : running;
        },
      };
    },
  };
}

/** `root` is where relative paths start. */
export async function listeningRun(root: string, body: () => void | Promise<void>, options: ListeningOptions = {}) {
  const { hosts = 1, fast = true, signal = new AbortController().signal } = options;
  const events: EngineEvent[] = [];
  const run = createRun({
    hosts: Array.from({ length: hosts }, (_, index) => ({
      name: `here-${index}`,
      connector: "local",
      address: "",
      groups: [],
      data: [],
    })),
    config: DEFAULT_CONFIG,
    connectors: new Map([["local", listening(options)]]),
    connectorContext: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: root },
    local: createLocalFiles({ deployDir: root, cwd: root }),
    transfers: localTransfers,
    emit: event => {
      events.push(event);
      options.onEvent?.(event);
    },
    clock: { now: () => Date.now(), monotonic: () => performance.now(), sleep: seconds => Bun.sleep(seconds * 1000) },
    cwd: root,
    loadDeploy: async () => Promise.reject(new Error("There is none")),
    checkArguments: () => {},
    localShell: async () => Promise.reject(new Error("There is none")),
    callSites,
    unifiedDiff: path => path,
    environment: process.env,
    serial: false,
    noWait: hosts > 1,
    fast,
    signal,
  });
  let error: unknown;
  try {
    await run.connect();
    // Once it has answered, the shell is up, and what follows can be sent behind.
    const evaluate = async (): Promise<void> => {
      await currentScope("This test").host.getFact(Hostname);
      await body();
    };
    await run.prepare([{ name: "deploy.ts", evaluate }]);
    await run.execute().catch(thrown => (error = thrown));
  } finally {
    await run.disconnect();
  }
  const ends = events.filter(event => event.type === "operation:host:end");
  return { events, error, ends, outcomes: ends.map(({ outcome }) => outcome) };
}
