/** What can be done over every connector: files both ways, becoming others, time limits. @module */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret, sh, type Shell } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { localTransfers } from "../../src/deploy/local-transfers.ts";
import type { CommandOptions } from "../../src/engine/host/sending.ts";
import { Session } from "../../src/engine/host/session.ts";
import { connectorContext } from "../support/connectors.ts";
import { smallDisk } from "../support/small-disk.ts";
import { upload } from "../support/upload.ts";

/** A host and those who log in to it. */
export interface SessionSubject {
  /** Shown in the titles. */
  readonly name: string;
  /** Connect as the usual user. */
  open(): Promise<Connection>;
  /** Connect as a user who may sudo without a password, and as one who may with the password `password`. Absent where there is only one user. */
  readonly sudoers?: {
    readonly free: () => Promise<Connection>;
    readonly asked: () => Promise<Connection>;
    readonly password: string;
  };
  /** Other ways to become root, where the host has them: a user who may with su and root's password, and one who may with doas and none. */
  readonly su?: { readonly user: () => Promise<Connection>; readonly password: string };
  readonly doas?: () => Promise<Connection>;
  /** Uploads are collected elsewhere before they come to their directory. */
  readonly isStaged?: boolean;
  close?(): Promise<void>;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const plain = { shell: "sh", env: {} } as const;
const root = { ...plain, sudo: { login: false, preserveEnv: false } } as const;

/** Run the contract, with commands in channels of their own and with commands that share a shell. */
export function testSession(subject: SessionSubject): void {
  afterAll(() => subject.close?.());
  for (const fast of [false, true]) {
    describe(`${subject.name}: ${fast ? "commands that share a shell" : "commands with channels of their own"}`, () => {
      const opened: Session[] = [];
      const signal = new AbortController().signal;
      const options = (more: Partial<CommandOptions> = {}): CommandOptions => ({
        surroundings: plain,
        signal,
        ...more,
      });
      const start = (connect: () => Promise<Connection>, answers: Readonly<Record<string, string>> = {}) => {
        const context = connectorContext(answers);
        const made = new Session({
          host: "target",
          fast,
          connect,
          context,
          transfers: localTransfers,
          onMayHaveChanged: () => {},
          onTransfer: () => {},
        });
        opened.push(made);
        return Object.assign(made, { asked: context.asked });
      };
      let session: Session;
      let remote: string;
      let local: string;
      beforeAll(async () => {
        local = await mkdtemp(join(tmpdir(), "tsinfra-session-"));
        session = start(subject.open);
        remote = text((await session.run(sh`mktemp -d`, options())).stdout).trim();
      });
      afterAll(async () => {
        await session.run(sh`rm -rf ${remote}`, options());
        await Promise.all([...opened.map(one => one.disconnect()), rm(local, { recursive: true })]);
      });
      const read = async (path: string): Promise<string> =>
        text((await session.run(sh`cat ${path}`, options())).stdout);
      const list = async (path: string): Promise<string> =>
        text((await session.run(sh`ls -A ${path}`, options())).stdout);

      for (const size of [0, 1, 3000, 5 * 1024 * 1024]) {
        test(`a file of ${size} bytes comes back as it went`, async () => {
          const content = randomBytes(size);
          await Bun.write(join(local, "out"), content);
          await upload(session.transfers, { path: join(local, "out") }, `${remote}/a file`, {}, options());
          await session.transfers.download(`${remote}/a file`, join(local, "back"), options());
          expect(Buffer.from(await Bun.file(join(local, "back")).arrayBuffer()).equals(content)).toBe(true);
        });
      }

      test("mode and owner are set, and kept where they are not named", async () => {
        const path = `${remote}/mode`;
        await upload(session.transfers, { content: "one" }, path, { mode: "640" }, options());
        expect(text((await session.run(sh`stat -c %a ${path}`, options())).stdout)).toBe("640\n");
        await upload(session.transfers, { content: new Secret("two") }, path, {}, options());
        expect(text((await session.run(sh`stat -c %a ${path}`, options())).stdout) + (await read(path))).toBe(
          "640\ntwo",
        );
      });

      for (const when of ["at once", "on its way"])
        test(`an upload that is broken off ${when} leaves the old file whole and nothing else`, async () => {
          const directory = `${remote}/broken ${when}`;
          await session.run(sh`rm -rf ${directory}; mkdir ${directory}`, options());
          await upload(session.transfers, { content: "old" }, `${directory}/file`, {}, options());
          const controller = new AbortController();
          const read = async function* () {
            yield new Uint8Array(100_000);
            if (when === "on its way" && !subject.isStaged) while ((await list(directory)) === "file\n");
            controller.abort(new Error("broken off"));
            yield new Uint8Array(100_000);
            await new Promise(() => {});
          };
          const source = {
            size: async () => 10_000_000,
            small: async () => undefined,
            read,
            write: localTransfers.write,
          };
          const uploading = new Session({
            host: "target",
            fast,
            connect: subject.open,
            context: connectorContext(),
            transfers: source,
            onMayHaveChanged: () => {},
            onTransfer: () => {},
          });
          opened.push(uploading);
          await expect(
            upload(
              uploading.transfers,
              { path: "whatever" },
              `${directory}/file`,
              {},
              options({ signal: controller.signal }),
            ),
          ).rejects.toThrow("broken off");
          expect(text((await session.run(sh`cat ${directory}/file`, options())).stdout)).toBe("old");
          await session.run(
            sh`for try in 1 2 3 4 5 6 7 8 9 10; do test "$(ls -A ${directory})" = file && exit; sleep 0.2; done`,
            options({ alone: true }),
          );
          expect(await list(directory)).toBe("file\n");
        });

      test("a download of what is not there leaves nothing here", async () => {
        await expect(session.transfers.download(`${remote}/nothing`, join(local, "never"), options())).rejects.toThrow(
          /Cannot download/,
        );
        expect((await readdir(local)).filter(name => name.includes("never"))).toEqual([]);
      });

      test("a download that finds no space here says so and leaves nothing, even of what has no end", async () => {
        await using disk = await smallDisk();
        await Bun.write(join(disk.path, "old"), "old");
        // What has no end comes to none where the host collects what it sends.
        const sources = subject.isStaged ? [] : ["/dev/zero"];
        await session.run(sh`head -c 6000000 /dev/zero >${`${remote}/much`}`, options());
        for (const source of [`${remote}/much`, ...sources])
          for (const name of ["new", "old"]) {
            const error = await session.transfers
              .download(source, join(disk.path, name), options())
              .catch((thrown: Error) => thrown);
            expect(error).toMatchObject({
              code: "E_LOCAL_FILE",
              message: `Cannot write "${join(disk.path, name)}" on the control machine: there is no space left on that disk`,
            });
            expect(await readdir(disk.path)).toEqual(["old"]);
            expect(await Bun.file(join(disk.path, "old")).text()).toBe("old");
          }
      });

      test("an upload is read no faster than the host takes it", async () => {
        let given = 0;
        const content = async function* () {
          const piece = new Uint8Array(100_000);
          for (; given < 100_000_000; given += piece.length) yield piece;
        };
        const { stdout } = await session.run(
          sh`head -c 1000; sleep 0.5; echo; echo done`,
          options({ stdin: content(), alone: true }),
        );
        expect(text(stdout)).toEndWith("\ndone\n");
        expect(given).toBeLessThan(20_000_000);
      });

      test("a command that takes too long is ended, with all that it started", async () => {
        const pids = `${remote}/pids`;
        const running = session.run(
          sh`trap '' TERM HUP; sh -c 'trap "" TERM HUP; echo $$ >>"$1"; while :; do sleep 0.1; done' x ${pids} & timeout 100 sh -c 'echo $$ >>"$1"; sleep 100; :' x ${pids} & echo $$ >>${pids}; wait`,
          options({ timeout: 1.5 }),
        );
        const error = await running.catch(error => error);
        expect(error.code).toBe("E_TIMEOUT");
        expect(await survivors(pids)).toBe("");
      });

      const survivors = async (pids: string): Promise<string> =>
        text(
          (
            await session.run(
              sh`for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do left=; for pid in $(cat ${pids}); do kill -0 "$pid" 2>/dev/null && left="$left $pid"; done; test -z "$left" && exit; sleep 0.2; done; echo "$left"`,
              options({ alone: true }),
            )
          ).stdout,
        ).trim();

      const { sudoers } = subject;
      if (!sudoers) return;
      const who = async (as: Session, surroundings: CommandOptions["surroundings"]): Promise<string> =>
        text((await as.run(sh`id -un`, options({ surroundings }))).stdout).trim();

      test("sudo without a password", async () => {
        const free = start(sudoers.free);
        expect(await who(free, root)).toBe("root");
        expect(await who(free, { ...root, sudo: { ...root.sudo, user: "nobody" } })).toBe("nobody");
        expect(
          await who(free, { ...root, su: { user: "nobody", login: false, preserveEnv: false, shell: "/bin/sh" } }),
        ).toBe("nobody");
      });

      test("sudo with a password that is given", async () => {
        const asked = start(sudoers.asked);
        expect(await who(asked, { ...root, sudo: { ...root.sudo, password: new Secret(sudoers.password) } })).toBe(
          "root",
        );
      });

      test("sudo with a password that is asked for, once", async () => {
        const asked = start(sudoers.asked, { sudo: sudoers.password });
        expect([await who(asked, root), await who(asked, root)]).toEqual(["root", "root"]);
        expect(asked.asked).toHaveLength(1);
      });

      test("sudo's login leaves commands, their input and their exit codes as they are", async () => {
        const login = { ...root, sudo: { ...root.sudo, login: true } };
        const asked = { ...login, sudo: { ...login.sudo, password: new Secret(sudoers.password) } };
        const awkward = "a\n\n'b' \"$HOME\" \\ `c` é !! $";
        for (const [as, surroundings] of [
          [start(sudoers.free), login],
          [start(sudoers.asked), asked],
        ] as const)
          for (const more of [{}, { alone: true }, { timeout: 60 }, { stdin: Buffer.from("in\nput") }]) {
            const one = (command: Shell) => as.run(command, options({ surroundings, ...more }));
            const { stdout, stderr, exitCode } = await one(sh`x=5
printf '%s|' "$x" ${awkward} ${new Secret(awkward)}; id -un; ${more.stdin ? sh`cat` : sh`true`}; echo err >&2; exit 7`);
            expect([text(stdout), text(stderr), exitCode]).toEqual([
              `5|${awkward}|${awkward}|root\n${more.stdin ? "in\nput" : ""}`,
              "err\n",
              7,
            ]);
            const long = "$'".repeat(45_000);
            expect(text((await one(sh`printf %s ${long}`)).stdout)).toBe(long);
          }
        const free = start(sudoers.free);
        for (const content of ["$small\n", "$large\n".repeat(500_000)]) {
          const path = `${remote}/login $HOME`;
          await upload(free.transfers, { content }, path, { mode: "600" }, options({ surroundings: login }));
          expect(text((await free.run(sh`cat ${path}`, options({ surroundings: login }))).stdout)).toBe(content);
        }
      });

      test("a wrong password is refused at once", async () => {
        const asked = start(sudoers.asked);
        const error = await asked
          .run(sh`true`, options({ surroundings: { ...root, sudo: { ...root.sudo, password: new Secret("wr0ng") } } }))
          .catch(error => error);
        expect(error.code).toBe("E_ESCALATION");
        expect(error.message).not.toContain("wr0ng");
      });

      test("a wrong password is tried once, whatever comes after", async () => {
        let lines = 0;
        const counted = async (): Promise<Connection> => {
          const connection = await sudoers.asked();
          return {
            ...connection,
            run: (command, runOptions) => (lines++, connection.run(command, runOptions)),
            close: () => connection.close(),
          };
        };
        const asked = start(counted);
        const surroundings = { ...root, sudo: { ...root.sudo, password: new Secret("wr0ng") } };
        const errors = await Promise.all(
          ["one", "two"].map(word => asked.run(sh`echo ${word}`, options({ surroundings })).catch(error => error)),
        );
        errors.push(await asked.run(sh`echo three`, options({ surroundings })).catch(error => error));
        expect(errors.map(({ code }) => code)).toEqual(Array(3).fill("E_ESCALATION"));
        expect(lines).toBe(1);
      });

      test("sudo with a password on a terminal shows nothing of it", async () => {
        const asked = start(sudoers.asked);
        const surroundings = { ...root, sudo: { ...root.sudo, password: new Secret(sudoers.password) } };
        const { stdout, exitCode } = await asked.run(
          sh`id -un; test -t 1 && echo terminal`,
          options({ surroundings, pty: true }),
        );
        expect([exitCode, text(stdout)]).toEqual([0, "root\nterminal\n"]);
      });

      test("input and output pass through sudo", async () => {
        const asked = start(sudoers.asked);
        const password = new Secret(sudoers.password);
        const content = randomBytes(1024 * 1024);
        const { stdout } = await asked.run(
          sh`cat`,
          options({ surroundings: { ...root, sudo: { ...root.sudo, password } }, stdin: content }),
        );
        expect(Buffer.from(stdout).equals(content)).toBe(true);
      });

      test.each([false, true])(
        "a command under sudo that takes too long is ended too, as after a login: %j",
        async login => {
          const free = start(sudoers.free);
          const pids = `${remote}/sudo-pids-${login}`;
          const surroundings = { ...root, sudo: { ...root.sudo, login } };
          const error = await free
            .run(sh`echo $$ >>${pids}; sleep 1000`, options({ surroundings, timeout: 1.5 }))
            .catch(error => error);
          expect(error.code).toBe("E_TIMEOUT");
          expect(await survivors(pids)).toBe("");
        },
      );

      test("an upload under sudo belongs to root", async () => {
        const free = start(sudoers.free);
        const path = `${remote}/roots`;
        await upload(
          free.transfers,
          { content: "x" },
          path,
          { mode: "600", user: "root", group: "root" },
          options({ surroundings: root }),
        );
        expect(text((await free.run(sh`stat -c '%U %a' ${path}`, options({ surroundings: root }))).stdout)).toBe(
          "root 600\n",
        );
      });

      const { su, doas } = subject;
      if (su) {
        const asRoot = (password: string, login = false) => ({
          ...plain,
          su: { user: "root", login, preserveEnv: false, password: new Secret(password) },
        });
        test("su with a password, from a pipe and on a terminal", async () => {
          const user = start(su.user);
          expect(await who(user, asRoot(su.password))).toBe("root");
          expect(await who(user, asRoot(su.password, true))).toBe("root");
          const { stdout } = await user.run(
            sh`id -un; test -t 1 && echo terminal`,
            options({ surroundings: asRoot(su.password), pty: true }),
          );
          expect(text(stdout)).toBe("root\nterminal\n");
        });

        test("input passes through su", async () => {
          const content = randomBytes(100_000);
          const { stdout } = await start(su.user).run(
            sh`cat`,
            options({ surroundings: asRoot(su.password), stdin: content }),
          );
          expect(Buffer.from(stdout).equals(content)).toBe(true);
        });

        test("a wrong password for su is refused at once", async () => {
          const error = await start(su.user)
            .run(sh`true`, options({ surroundings: asRoot("wr0ng") }))
            .catch(error => error);
          expect([error.code, error.message.includes("wr0ng")]).toEqual(["E_ESCALATION", false]);
        });
      }

      test.if(doas !== undefined)("doas", async () => {
        const user = start(doas!);
        expect(await who(user, { ...plain, doas: {} })).toBe("root");
        expect(await who(user, { ...plain, doas: { user: "nobody" } })).toBe("nobody");
        expect(
          await who(user, {
            ...plain,
            doas: {},
            su: { user: "nobody", login: false, preserveEnv: false, shell: "/bin/sh" },
          }),
        ).toBe("nobody");
      });
    });
  }
}
