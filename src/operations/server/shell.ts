/** Commands and scripts. @module */
import { raw, sh, Shell } from "../../core/command.ts";
import { OperationTypeError, OperationValueError } from "../../core/errors.ts";
import { operation, type Steps } from "../../core/operation.ts";
import { put } from "../files/put.ts";
import { template } from "../files/template.ts";

/** Arguments of `server.shell`. */
export interface ShellArguments {
  /** Shell text, run as it stands, or commands made with `sh`, whose holes are quoted. They run one after the other until one fails. */
  readonly commands: string | Shell | readonly (string | Shell)[];
}

/** Arguments of `server.script`. */
export interface ScriptArguments {
  /** Path of the local script, relative to the deploy file's directory. Its first line says what runs it. */
  readonly src: string;
  /** Arguments of the script, each taken as it is. */
  readonly args?: readonly (string | number)[];
}

/** Arguments of `server.scriptTemplate`. */
export interface ScriptTemplateArguments extends ScriptArguments {
  /** What the template may name. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Arguments of `server.wait`. */
export interface WaitArguments {
  /** TCP port. */
  readonly port: number;
}

/** Arguments of `server.kill`. */
export interface KillArguments {
  /** Process id. */
  readonly pid: number;
  /** Name of the signal; default: `TERM`. */
  readonly signal?: string;
}

/**
 * Run shell commands.
 * @example server.shell({ name: "Smoke test", commands: ["curl -fsS localhost", "systemctl is-active nginx"] });
 */
export const shell = operation<ShellArguments>({
  name: "server.shell",
  changes: "anything",
  positional: ["commands"],
  idempotent: "what the commands do is not known",
  async *steps(_, { commands }) {
    for (const command of [commands].flat()) {
      if (command instanceof Shell) yield command;
      else if (typeof command === "string") yield sh`${raw(command.trim())}`;
      else
        throw new OperationTypeError(
          `\`commands\` must be strings or commands made with sh, not ${JSON.stringify(command)}`,
        );
    }
  },
});

/**
 * Upload a local script and run it. The copy is removed afterwards.
 * @example server.script({ src: "files/migrate.sh", args: ["--from", "v1"] });
 */
export const script = operation<ScriptArguments>({
  name: "server.script",
  positional: ["src", "args"],
  idempotent: "what the script does is not known",
  async *steps(host, { src, args }) {
    const file = await host.tempFile();
    yield* put.steps(host, { src, dest: file });
    yield* runScript(file, args);
  },
});

/**
 * Render a script from a local template, upload it and run it. The copy is removed afterwards.
 * @example server.scriptTemplate({ src: "templates/migrate.sh.j2", data: { from: "v1" } });
 */
export const scriptTemplate = operation<ScriptTemplateArguments>({
  name: "server.scriptTemplate",
  positional: ["src", "args"],
  idempotent: "what the script does is not known",
  async *steps(host, { src, args, data = {} }) {
    const file = await host.tempFile(`${src}${JSON.stringify(data)}`);
    yield* template.steps(host, { src, dest: file, data });
    yield* runScript(file, args);
  },
});

async function* runScript(file: string, args: readonly (string | number)[] = []): Steps {
  yield sh`chmod +x ${file}`;
  yield sh`${[file, ...args]}`;
}

/**
 * Wait until something listens on a TCP port of the host, however long it takes: `_timeout` sets an end.
 * @example server.wait({ port: 8080, _timeout: 60 });
 */
export const wait = operation<WaitArguments>({
  name: "server.wait",
  positional: ["port"],
  idempotent: "it asks the host every time",
  async *steps(_, { port }) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new OperationValueError(`\`port\` is ${JSON.stringify(port)}; wanted is a number from 1 to 65535`);
    // The kernel of Linux tells without any tool: hexadecimal ports, and 0A for one that is listened on.
    const inProc = `:${port.toString(16).toUpperCase().padStart(4, "0")} [0-9A-F]*:0000 0A`;
    const inNetstat = `[.:]${port}[[:space:]]`;
    yield sh`until if [ -r /proc/net/tcp ]; then cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ${inProc}; else netstat -an | grep LISTEN | grep -q ${inNetstat}; fi; do
    echo ${`waiting for port ${port}...`}
    sleep 1
done`;
  },
});

/**
 * Send a signal to a process.
 * @example server.kill({ pid: 4711, signal: "HUP" });
 */
export const kill = operation<KillArguments>({
  name: "server.kill",
  positional: ["pid", "signal"],
  idempotent: "it sends the signal every time",
  async *steps(_, { pid, signal = "TERM" }) {
    if (!Number.isInteger(pid) || pid < 1)
      throw new OperationValueError(`\`pid\` is ${JSON.stringify(pid)}; wanted is the id of one process`);
    if (!/^[A-Z0-9+-]*[A-Z0-9]$/.test(signal) || signal.startsWith("-"))
      throw new OperationValueError(
        `\`signal\` is ${JSON.stringify(signal)}; wanted is the name of one, such as "HUP"`,
      );
    yield sh`kill -s ${signal.replace(/^SIG/, "")} ${pid}`;
  },
});
