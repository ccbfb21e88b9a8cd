import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../src/core/command.ts";
import { Crontab } from "../../src/facts/crontab.ts";
import { Locales, Timezone, Users } from "../../src/facts/server/index.ts";
import { crontab, server } from "../../src/operations/index.ts";
import { apply, type ApplyOptions, applyTwice, askFact, chrootHost, mustRun } from "../support/apply.ts";
import { debianRootfs, removeRootfs } from "../support/rootfs.ts";

/** A Debian of its own for users, keys, locales, zones and crontabs: nothing here touches the kernel that all share. */
const on: { host: NonNullable<ApplyOptions["host"]>; deployDir: string } = {
  host: chrootHost("/nonexistent"),
  deployDir: "",
};
let root = "";
const here = (path: string): string => join(root, path);
const out = (line: string): Promise<string> => mustRun(on.host, line).then(text => text.trimEnd());

beforeAll(async () => {
  root = await debianRootfs({ packages: ["cron", "locales", "procps", "tzdata"] });
  on.host = chrootHost(root);
  on.deployDir = mkdtempSync(join(tmpdir(), "server-"));
}, 300_000);
afterAll(() => {
  removeRootfs(root);
  rmSync(on.deployDir, { recursive: true, force: true });
});

describe("groups and users", () => {
  test("a group is made and removed", async () => {
    await applyTwice(server.group, { group: "builders", gid: 4321 }, on);
    expect(await out("getent group builders")).toBe("builders:x:4321:");
    await applyTwice(server.group, { group: "robots", system: true }, on);
    expect(Number((await out("getent group robots")).split(":")[2])).toBeLessThan(1000);
    await applyTwice(server.group, { group: "robots", present: false }, on);
    expect(await out("getent group robots || true")).toBe("");
  });

  test("a user is made with everything, changed, and removed", async () => {
    const password = new Secret(
      "$6$saltsalt$MRy1ZQVcLr4m6FpwU3hPdkFBMvW6TT3nRQnDBRFwUtCUu.xLbJr8oZhCFZKpjnUMlGXWJVYLZgXOSDoYT5eTW0",
    );
    const ada = {
      user: "ada",
      shell: "/bin/bash",
      groups: ["builders", "users"],
      uid: 2345,
      comment: `Ada "L" O'Brien $(touch /pwned) & co`,
      createHome: true,
      password,
    };
    const first = await applyTwice(server.user, ada, on);
    expect(first.commands.join("\n")).not.toContain("saltsalt");
    expect(await out("getent passwd ada")).toBe(
      `ada:x:2345:2345:Ada "L" O'Brien $(touch /pwned) & co:/home/ada:/bin/bash`,
    );
    expect(await out("id -Gn ada | tr ' ' '\\n' | sort | tr '\\n' ' '")).toBe("ada builders users");
    expect(await out("getent shadow ada | cut -d: -f2")).toBe(password.reveal());
    expect(await out("stat -c %U:%G /home/ada; ls -A /home/ada | grep -c bashrc")).toBe("ada:ada\n1");
    expect(existsSync(here("/pwned"))).toBe(false);

    await applyTwice(server.user, { ...ada, groups: ["sudo"], append: true }, on);
    expect(await out("id -Gn ada | tr ' ' '\\n' | sort | tr '\\n' ' '")).toBe("ada builders sudo users");
    await applyTwice(server.user, { ...ada, groups: ["sudo"] }, on);
    expect(await out("id -Gn ada")).toBe("ada sudo");
    await applyTwice(
      server.user,
      { user: "ada", shell: "/bin/sh", home: "/srv/ada lovelace", group: "builders", comment: "Ada", password: "*" },
      on,
    );
    expect(await out("getent passwd ada; getent shadow ada | cut -d: -f2")).toBe(
      "ada:x:2345:4321:Ada:/srv/ada lovelace:/bin/sh\n*",
    );
    expect(await out("stat -c %U:%G '/srv/ada lovelace'")).toBe("ada:builders");
    expect((await askFact(Users, {}, on.host))["ada"]).toMatchObject({
      uid: 2345,
      group: "builders",
      groups: ["sudo"],
      home: "/srv/ada lovelace",
    });

    await applyTwice(server.user, { user: "ada", present: false }, on);
    expect(await out("getent passwd ada || true")).toBe("");
  });

  test("a new user joins the group of that name, keeps to a primary group of another name, and may have no home", async () => {
    await apply(server.group, { group: "carol" }, on);
    await applyTwice(server.user, { user: "carol" }, on);
    expect(await out("id -gn carol; stat -c %U:%G /home/carol")).toBe("carol\ncarol:carol");
    await applyTwice(server.user, { user: "dave", group: "users", system: true, shell: "/usr/sbin/nologin" }, on);
    expect(await out("id -gn dave; stat -c %U:%G /home/dave")).toBe("users\ndave:users");
    expect((await apply(server.user, { user: "dave" }, on)).noops).toEqual(["directory /home/dave already exists"]);
    await applyTwice(server.user, { user: "erin", ensureHome: false, unique: false, uid: 0 }, on);
    expect(await out("id -u erin; test -e /home/erin || echo none")).toBe("0\nnone");
  });

  test("what cannot be a name is refused before anything is done", async () => {
    for (const user of ["-rf", "a b", "a:b", ""])
      expect(apply(server.user, { user }, on)).rejects.toThrow("cannot be a name");
    expect(apply(server.group, { group: "x y" }, on)).rejects.toThrow("cannot be a name");
  });
});

describe("authorized keys", () => {
  const rsa = "ssh-rsa AAAAB3NzaC1yc2E+/abc+def/AAA== ada@laptop.example";
  const ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada@desk";
  const restricted = 'command="/usr/bin/backup *.[a-z]",no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5bbb backup';
  const keyFile = "/home/keyed/.ssh/authorized_keys";
  beforeAll(async () => void (await apply(server.user, { user: "keyed" }, on)));

  test("keys are added once, from text and from local files", async () => {
    writeFileSync(join(on.deployDir, "it's.pub"), `# work\n${ed25519}\n\n${restricted}\n`);
    await applyTwice(server.userAuthorizedKeys, { user: "keyed", publicKeys: [rsa, "it's.pub"] }, on);
    expect(readFileSync(here(keyFile), "utf8").trim().split("\n")).toEqual([rsa, ed25519, restricted]);
    expect(await out(`stat -c '%U %a' /home/keyed/.ssh ${keyFile}`)).toBe("keyed 700\nkeyed 600");
  });

  test("a key is added after a last line without its newline", async () => {
    writeFileSync(here(keyFile), rsa);
    await applyTwice(server.userAuthorizedKeys, { user: "keyed", publicKeys: ed25519 }, on);
    expect(readFileSync(here(keyFile), "utf8")).toBe(`${rsa}\n${ed25519}\n`);
  });

  test("other keys are removed when that is wanted, and wrong modes are put right", async () => {
    chmodSync(here(keyFile), 0o666);
    await applyTwice(server.user, { user: "keyed", publicKeys: [ed25519], deleteKeys: true }, on);
    expect(readFileSync(here(keyFile), "utf8")).toBe(`${ed25519}\n`);
    chmodSync(here(keyFile), 0o666);
    await applyTwice(
      server.userAuthorizedKeys,
      { user: "keyed", publicKeys: [ed25519], deleteKeys: true, authorizedKeyFilename: "authorized_keys" },
      on,
    );
    expect(await out(`stat -c %a ${keyFile}`)).toBe("600");
    await applyTwice(
      server.userAuthorizedKeys,
      { user: "keyed", publicKeys: [rsa], authorizedKeyDirectory: "/etc/ssh keys", authorizedKeyFilename: "keyed" },
      on,
    );
    expect(readFileSync(here("/etc/ssh keys/keyed"), "utf8").trim()).toBe(rsa);
  });

  test("a key file that is missing is an error, not a key", async () => {
    expect(apply(server.userAuthorizedKeys, { user: "keyed", publicKeys: "keys/nobody.pub" }, on)).rejects.toThrow(
      "No such file",
    );
  });
});

describe("commands and scripts", () => {
  test("shell text runs as it is written", async () => {
    const { stdout } = await apply(server.shell, { commands: ["A='x  y'; echo \"$A\" | tr x z", "  echo two  "] }, on);
    expect(stdout).toBe("z  y\ntwo");
    expect(apply(server.shell, { commands: ["exit 3", "touch /never"] }, on)).rejects.toThrow("exit code 3");
    expect(existsSync(here("/never"))).toBe(false);
  });

  test("a script gets its arguments as they are, and does not stay", async () => {
    writeFileSync(join(on.deployDir, "say.sh"), '#!/bin/sh\nfor one in "$@"; do printf "<%s>\\n" "$one"; done\n');
    const args = ["a b", "it's", "$HOME", "-n", "", 5, "*"];
    expect((await apply(server.script, { src: "say.sh", args }, on)).stdout).toBe(
      "<a b>\n<it's>\n<$HOME>\n<-n>\n<>\n<5>\n<*>",
    );
    writeFileSync(join(on.deployDir, "say.sh.j2"), "#!/bin/sh\necho '{{ greeting }}' \"$1\"\n");
    expect(
      (await apply(server.scriptTemplate, { src: "say.sh.j2", args: ["you there"], data: { greeting: "hello" } }, on))
        .stdout,
    ).toBe("hello you there");
    expect(await out("ls -A /tmp")).toBe("");
    expect(apply(server.script, { src: "nothing.sh" }, on)).rejects.toThrow("No such file");
  });
});

test("locales become available and go again", async () => {
  await applyTwice(server.locale, { locale: "en_GB.UTF-8" }, on);
  expect(await out("locale -a")).toContain("en_GB.utf8");
  await applyTwice(server.locale, { locale: "de_DE.ISO-8859-1" }, on).catch(() =>
    apply(server.locale, { locale: "de_DE" }, on),
  );
  expect(await out("locale -a | grep -c de_DE")).not.toBe("0");
  await applyTwice(server.locale, { locale: "en_GB.UTF-8", present: false }, on);
  expect(await askFact(Locales, {}, on.host)).not.toContain("en_GB.UTF-8");
  expect(apply(server.locale, { locale: "xx_XX.UTF-8" }, on)).rejects.toThrow(
    "Locale xx_XX.UTF-8 not found in /etc/locale.gen",
  );
}, 120_000);

test("the time zone is set without systemd, and only to one that there is", async () => {
  for (const timezone of ["Europe/Amsterdam", "America/Argentina/Ushuaia", "UTC"]) {
    await applyTwice(server.timezone, { timezone }, on);
    expect(await out("readlink /etc/localtime; cat /etc/timezone")).toBe(
      `/usr/share/zoneinfo/${timezone}\n${timezone}`,
    );
    expect(await askFact(Timezone, {}, on.host)).toBe(timezone);
  }
  expect(apply(server.timezone, { timezone: "Europe/Atlantis" }, on)).rejects.toThrow();
  expect(apply(server.timezone, { timezone: "../../etc/passwd" }, on)).rejects.toThrow("wanted is the name of a zone");
  expect(await out("cat /etc/timezone")).toBe("UTC");
});

test("a limit is set, changed, and changed back, on one line", async () => {
  const limits = () =>
    readFileSync(here("/etc/security/limits.conf"), "utf8")
      .split("\n")
      .filter(line => line !== "" && !line.startsWith("#"));
  for (const value of [1024, 2048, 1024, "unlimited"]) {
    await applyTwice(server.securityLimit, { domain: "*", limitType: "soft", item: "nofile", value }, on);
    expect(limits()).toEqual([`*\tsoft\tnofile\t${value}`]);
  }
  await applyTwice(server.securityLimit, { domain: "*", limitType: "hard", item: "nofile", value: 5 }, on);
  expect(limits()).toHaveLength(2);
});

describe("crontab", () => {
  const list = () => out("crontab -l 2>/dev/null || true");
  const set = (text: string) => mustRun(on.host, "crontab -", new TextEncoder().encode(text));
  const every = async (args: Parameters<typeof crontab.crontab.steps>[1]) =>
    void (await applyTwice(crontab.crontab, args, on));

  test("entries come, change and go", async () => {
    await set("");
    await every({ command: "/bin/true" });
    await every({ command: "/bin/true", minute: "*/5", dayOfWeek: [1, 2, "3"], hour: 4 });
    await every({ command: "echo daily", specialTime: "@daily" });
    expect((await list()).split("\n")).toEqual(["*/5 4 * * 1,2,3 /bin/true", "", "@daily echo daily"]);
    await every({ command: "echo daily", minute: 0 });
    await every({ command: "/bin/true", present: false });
    expect((await list()).trim()).toBe("0 * * * * echo daily");
  });

  test("an entry with a name keeps it while its command changes", async () => {
    await set("MAILTO=root\n# keep me\n1 2 3 4 5 other\n");
    await every({ command: "old", cronName: "job" });
    await every({ command: "new one", cronName: "job", minute: 7 });
    expect(await list()).toBe("MAILTO=root\n# keep me\n1 2 3 4 5 other\n\n# pyinfra-name=job\n7 * * * * new one");
    await every({ command: "new one", cronName: "job", present: false });
    expect((await list()).trimEnd()).toBe("MAILTO=root\n# keep me\n1 2 3 4 5 other");
  });

  test("entries whose commands are alike do not disturb each other", async () => {
    await set("");
    await every({ command: "echo a", cronName: "one", minute: 1 });
    await every({ command: "echo a", cronName: "two", minute: 2 });
    await every({ command: "echo abc", minute: 3 });
    await every({ command: "echo a", cronName: "two", minute: 22 });
    await every({ command: "echo abc", minute: 33 });
    const times = async () =>
      (await askFact(Crontab, {}, on.host)).map(({ minute, command }) => `${minute} ${command}`);
    expect(await times()).toEqual(["1 echo a", "22 echo a", "33 echo abc"]);
    await every({ command: "echo a", cronName: "one", present: false });
    expect(await times()).toEqual(["22 echo a", "33 echo abc"]);
    expect(await list()).not.toContain("name=one");
    await every({ command: "named later", cronName: "late", minute: 1 });
    await every({ command: "plain" });
    await every({ command: "plain", cronName: "plain one" });
    expect(await list()).toContain("# pyinfra-name=plain one\n* * * * * plain");
  });

  test("commands stay as they are, whatever they say", async () => {
    await set("");
    const commands = [
      "printf '%s\\n' \"$HOME\" | sed 's/a&b/[c]*.^$/' > /tmp/x",
      "-n dash",
      "a/b\\c",
      "echo 'it''s' & wait",
    ];
    for (const command of commands) await every({ command });
    for (const command of commands) await every({ command, minute: 9 });
    expect((await askFact(Crontab, {}, on.host)).map(entry => entry.command)).toEqual(commands);
    for (const command of commands) await every({ command, present: false });
    expect(await askFact(Crontab, {}, on.host)).toEqual([]);
  });

  test("comments alone are not lost, other users have their own, and bad times are refused", async () => {
    await set("# only a comment\n");
    await every({ command: "run" });
    expect(await list()).toContain("# only a comment");
    await every({ command: "theirs", user: "games", hour: 0 });
    expect(await out("crontab -l -u games")).toBe("* 0 * * * theirs");
    for (const bad of [{ minute: "1 2" }, { hour: "@x" }, { specialTime: "daily" }, { cronName: "a\nb" }])
      expect(apply(crontab.crontab, { command: "x", ...bad }, on)).rejects.toThrow();
  });
});

test("packages come through whatever package manager there is", async () => {
  await applyTwice(server.packages, { packages: ["hostname", "bc"] }, on);
  expect(await out("echo 6*7 | bc")).toBe("42");
  await applyTwice(server.packages, { packages: "bc", present: false }, on);
  expect(await out("command -v bc || echo none")).toBe("none");
}, 120_000);
