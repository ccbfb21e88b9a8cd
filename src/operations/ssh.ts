/** Commands and files from a host to other hosts over SSH. @module */
import { quoted, remotePath, type Shell, sh, type Word } from "../core/command.ts";
import { OperationError, OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { File, FindInFile } from "../facts/files/index.ts";
import { Home } from "../facts/server/index.ts";
import { directory } from "./files/index.ts";

interface ServerArguments {
  /** Name or address of the other host. */
  readonly hostname: string;
  /** Port of its SSH server; default 22. */
  readonly port?: number;
}

interface LoginArguments extends ServerArguments {
  /** User to log in as; default: what the host's own SSH configuration says. */
  readonly user?: string;
}

/** Arguments of `ssh.keyscan`. */
export interface KeyscanArguments extends ServerArguments {
  /** Remove the keys that are known and ask again; default false. */
  readonly force?: boolean;
}

/**
 * Add the keys of another host to `~/.ssh/known_hosts`, unless there are some.
 * Whoever answers is believed: do this where nobody can answer in its place.
 * @example ssh.keyscan({ hostname: "two.example.com" });
 */
export const keyscan = operation<KeyscanArguments>({
  name: "ssh.keyscan",
  positional: ["hostname"],
  async *steps(host, { hostname, force = false, port = 22 }) {
    checkTarget({ hostname, port });
    const home = (await host.getFact(Home)) ?? "~";
    yield* directory.steps(host, { path: `${home}/.ssh`, mode: "700" });
    const path = `${home}/.ssh/known_hosts`;
    // Another port than 22 is part of the name.
    const name = port === 22 ? hostname : `[${hostname}]:${port}`;
    const lines = (await host.getFact(FindInFile, { path, pattern: name.replace(/[[\]]/g, "\\$&") })) ?? [];
    const isKnown = lines.some(line => isFor(line, name));
    if (isKnown && !force) return host.noop(`host key for ${hostname} already exists`);
    if (isKnown) yield sh`ssh-keygen -R ${name}`;
    yield sh`ssh-keyscan -p ${port} ${hostname} >> ${remotePath(path)}`;
  },
});

/** A line is `[@MARKER] NAME,NAME… TYPE KEY`; of one that is not, the text that was found in it must do. */
function isFor(line: string, name: string): boolean {
  const fields = String(line).split(/\s+/);
  const names = fields[0]?.startsWith("@") ? fields[1] : fields[0];
  return fields.length < 3 || (names ?? "").split(",").includes(name);
}

/** Arguments of `ssh.command`. */
export interface CommandArguments extends LoginArguments {
  /** Line for the other host's shell. */
  readonly command: string;
}

/**
 * Run a command on another host. The host must know its key and be let in.
 * @example ssh.command({ hostname: "two.example.com", command: "systemctl reload nginx", user: "deploy" });
 */
export const command = operation<CommandArguments>({
  name: "ssh.command",
  positional: ["hostname", "command"],
  idempotent: "The command is run every time",
  async *steps(_, { command: line, ...login }) {
    yield sh`${client(login)} ${line}`;
  },
});

/** Arguments of `ssh.upload`. */
export interface UploadArguments extends LoginArguments {
  /** File on the host. */
  readonly filename: string;
  /** Where it goes on the other host; default: the same path. */
  readonly remoteFilename?: string;
  /** Move it into place with `sudo` there; default false. */
  readonly useRemoteSudo?: boolean;
  /** Run `ssh.keyscan` before; default false. */
  readonly sshKeyscan?: boolean;
}

/**
 * Copy a file from the host to another one, with `scp`.
 * @example ssh.upload({ hostname: "two.example.com", filename: "/srv/app.tar", remoteFilename: "/srv/app.tar", user: "deploy" });
 */
export const upload = operation<UploadArguments>({
  name: "ssh.upload",
  positional: ["hostname", "filename"],
  idempotent: "The file is copied every time",
  async *steps(host, { filename, remoteFilename = filename, useRemoteSudo = false, sshKeyscan = false, ...login }) {
    if (sshKeyscan) yield* keyscan.steps(host, login);
    if (!useRemoteSudo)
      return yield sh`scp ${[...scpTo(login), localPath(filename), `${target(login)}:${remoteFilename}`]}`;
    const temporary = await host.tempFile();
    yield sh`scp ${[...scpTo(login), localPath(filename), `${target(login)}:${temporary}`]}`;
    yield sh`${client(login)} ${quoted(sh`sudo mv ${temporary} ${remotePath(remoteFilename)}`)}`;
  },
});

/** Arguments of `ssh.download`. */
export interface DownloadArguments extends LoginArguments {
  /** File on the other host. */
  readonly filename: string;
  /** Where it goes on the host; default: the same path. */
  readonly localFilename?: string;
  /** Fetch it even if there is such a file already; default false. */
  readonly force?: boolean;
  /** Run `ssh.keyscan` before; default false. */
  readonly sshKeyscan?: boolean;
}

/**
 * Copy a file from another host to the host, with `scp`, unless there is such a file. Whether that is the same is not looked at.
 * @example ssh.download({ hostname: "two.example.com", filename: "/srv/app.tar", user: "deploy" });
 */
export const download = operation<DownloadArguments>({
  name: "ssh.download",
  positional: ["hostname", "filename"],
  async *steps(host, { filename, localFilename = filename, force = false, sshKeyscan = false, ...login }) {
    checkTarget(login);
    const found = await host.getFact(File, { path: localFilename });
    if (found.type !== "absent" && found.type !== "file")
      throw new OperationError(`Local destination ${localFilename} already exists and is not a file`);
    if (found.type === "file" && !force) return host.noop(`file ${filename} is already downloaded`);
    if (sshKeyscan) yield* keyscan.steps(host, login);
    yield sh`scp ${[...scpTo(login), `${target(login)}:${filename}`, localPath(localFilename)]}`;
  },
});

/** `ssh` to a host. */
function client(login: LoginArguments): Shell {
  return sh`ssh -p ${[login.port ?? 22, target(login)]}`;
}

const scpTo = ({ port = 22 }: LoginArguments): readonly Word[] => ["-P", port];

function target(login: LoginArguments): string {
  checkTarget(login);
  return login.user ? `${login.user}@${login.hostname}` : login.hostname;
}

/** What `ssh` could take for an option, or for two words, is no name. */
function checkTarget({ hostname, user, port = 22 }: LoginArguments): void {
  const wrong = /^-|^$|[\s\0]/;
  if (wrong.test(hostname))
    throw new OperationValueError(`\`hostname\` is ${JSON.stringify(hostname)}, which cannot be the name of a host`);
  if (user && wrong.test(user))
    throw new OperationValueError(`\`user\` is ${JSON.stringify(user)}, which cannot be the name of a user`);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new OperationValueError(`\`port\` must be the number of a port, not ${JSON.stringify(port)}`);
}

/** `scp` takes what stands before a colon for a host. */
const localPath = (path: string): Word => remotePath(/^[^/]*:/.test(path) ? `./${path}` : path);
