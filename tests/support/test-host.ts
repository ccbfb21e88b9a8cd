/** Hosts that tests run shell lines on: this machine, and directories with a userland of their own. @module */

/** What a line printed and how it ended. */
export interface Executed {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a shell line is run on a host: the program and its arguments, and its whole environment. */
export interface Entrance {
  argv(line: string): string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Something that runs one shell line, as a connection to a host would. */
export interface TestHost extends Entrance {
  /** `stdin` is sent and closed; absent, it is empty. */
  exec(line: string, stdin?: Uint8Array): Promise<Executed>;
  /** Where the host's `/` is seen from here; absent when it cannot be seen. */
  readonly root?: string;
}

/** This machine, as the user who runs the tests. */
export const localHost = (): TestHost => testHost({ argv: line => ["sh", "-c", line] }, "/");

/** A directory with a userland, entered by `chroot`; needs root. */
export const chrootHost = (directory: string): TestHost =>
  testHost({ argv: line => ["chroot", directory, "/bin/sh", "-c", line], env: HOST_ENV }, directory);

/** What a login as root has in its environment. */
export const HOST_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
};

/** Run a line that must succeed and give back its stdout. */
export async function mustRun(host: Pick<TestHost, "exec">, line: string, stdin?: Uint8Array): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec(line, stdin);
  if (exitCode !== 0) throw new Error(`Exit code ${exitCode}: ${line}\n${stderr || stdout}`);
  return stdout;
}

/** Run a program to its end, whatever its exit code. */
export async function spawn(
  argv: string[],
  stdin?: Uint8Array,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Executed> {
  const child = Bun.spawn(argv, { stdin: stdin ?? "ignore", stdout: "pipe", stderr: "pipe", env });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

const testHost = (entrance: Entrance, root: string): TestHost => ({
  ...entrance,
  root,
  exec: (line, stdin) => spawn(entrance.argv(line), stdin, entrance.env),
});
