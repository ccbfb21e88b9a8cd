/** Hosts that tests run shell lines on: this machine, and directories with a userland of their own. @module */

/** What a line printed and how it ended. */
export interface Executed {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Something that runs one shell line, as a connection to a host would. */
export interface TestHost {
  /** `stdin` is sent and closed; absent, it is empty. */
  exec(line: string, stdin?: Uint8Array): Promise<Executed>;
  /** Where the host's `/` is seen from here; absent when it cannot be seen. */
  readonly root?: string;
}

/** This machine, as the user who runs the tests. */
export const localHost = (): TestHost => ({
  root: "/",
  exec: (line, stdin) => spawn(["sh", "-c", line], stdin),
});

/** A directory with a userland, entered by `chroot`; needs root. */
export const chrootHost = (directory: string): TestHost => ({
  root: directory,
  exec: (line, stdin) => spawn(["chroot", directory, "/bin/sh", "-c", line], stdin, CHROOT_ENV),
});

/** Run a line that must succeed and give back its stdout. */
export async function mustRun(host: TestHost, line: string, stdin?: Uint8Array): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec(line, stdin);
  if (exitCode !== 0) throw new Error(`Exit code ${exitCode}: ${line}\n${stderr || stdout}`);
  return stdout;
}

const CHROOT_ENV = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
  DEBIAN_FRONTEND: "noninteractive",
};

/** Run a program to its end, whatever its exit code. */
export async function spawn(argv: string[], stdin?: Uint8Array, env: Record<string, string | undefined> = process.env): Promise<Executed> {
  const child = Bun.spawn(argv, { stdin: stdin ?? "ignore", stdout: "pipe", stderr: "pipe", env });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}
