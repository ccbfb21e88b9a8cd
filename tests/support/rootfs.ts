/** Root file systems for tests: made once, then a fresh copy-on-write copy per test. @module */
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, lockFile, needRoot, needTools, trace, type Trace } from "./machine.ts";
import { spawn } from "./test-host.ts";

/** Which Debian. */
export interface RootfsOptions {
  /** Release; default: this machine's own. */
  readonly suite?: string;
  /** Packages beyond `minbase`. */
  readonly packages?: readonly string[];
}

/** A fresh Debian in a directory, ready for `chroot`. Removed by `removeRootfs`, else when the process ends. */
export async function debianRootfs(options: RootfsOptions = {}): Promise<string> {
  const base = await debianTemplate(options);
  const made = trace();
  const root = mountOverlay(made, base);
  mountKernelFiles(made, root);
  writeFileSync(join(root, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  if (existsSync("/etc/resolv.conf")) writeFileSync(join(root, "etc/resolv.conf"), readFileSync("/etc/resolv.conf"));
  rootfses.set(root, made);
  return root;
}

/** A fresh directory with nothing but busybox and the few files that its applets read. Removed like a `debianRootfs`. */
export async function busyboxRootfs(): Promise<string> {
  needRoot("A busybox root file system");
  await needTools({ busybox: "busybox-static" });
  const made = trace();
  const root = join(made.directory, "root");
  for (const directory of [
    "bin",
    "sbin",
    "usr/bin",
    "usr/sbin",
    "etc",
    "root",
    "home",
    "proc",
    "sys",
    "dev",
    "var/log",
    "var/run",
  ])
    mkdirSync(join(root, directory), { recursive: true });
  mkdirSync(join(root, "tmp"));
  chmodSync(join(root, "tmp"), 0o1777);
  copyFileSync(Bun.which("busybox") ?? "/bin/busybox", join(root, "bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  await must(["chroot", root, "/bin/busybox", "--install", "-s"]);
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  writeFileSync(join(root, "etc/shadow"), "root:*:19000:0:99999:7:::\n", { mode: 0o640 });
  mountKernelFiles(made, root);
  rootfses.set(root, made);
  return root;
}

/** Unmount and delete a root file system. */
export const removeRootfs = (root: string): void => {
  rootfses.get(root)?.remove();
  rootfses.delete(root);
};

const rootfses = new Map<string, Trace>();

/** The read-only base of a root file system, made by mmdebstrap when it is not in the cache. `setup` is a shell script run inside it once. */
export async function debianTemplate({ suite, packages = [] }: RootfsOptions, setup = ""): Promise<string> {
  needRoot("A Debian root file system");
  await needTools({ mmdebstrap: "mmdebstrap" });
  const release = suite ?? (await ownSuite());
  const wanted = [...new Set(packages)].sort();
  const key = createHash("sha256")
    .update(JSON.stringify([wanted, setup]))
    .digest("hex")
    .slice(0, 12);
  const base = join(CACHE, `${release}-${key}`);
  if (existsSync(`${base}.ok`)) return base;
  const build = [
    'set -e; [ ! -e "$1.ok" ] || exit 0; rm -rf "$1"; base=$1; setup=$2; shift 2',
    'mmdebstrap --quiet --variant=minbase --aptopt=\'Acquire::Check-Valid-Until "false"\' --aptopt=\'Acquire::Languages "none"\' --skip=cleanup/apt/lists "$@"',
    'chroot "$base" /bin/sh -ec "$setup"; touch "$base.ok"',
  ].join("\n");
  const include = wanted.length > 0 ? [`--include=${wanted.join(",")}`] : [];
  console.error(`Making a Debian ${release} root file system in ${base}: this takes half a minute, once`);
  await must([
    "flock",
    lockFile(`${release}-${key}`),
    "sh",
    "-c",
    build,
    "sh",
    base,
    setup,
    ...include,
    release,
    base,
    ...(await mirrors(release)),
  ]);
  return base;
}

const ownSuite = async (): Promise<string> =>
  (await must(["sh", "-c", '. /etc/os-release; echo "$VERSION_CODENAME"'])).trim();

/** URLs of the Debian mirrors that this machine's apt uses, so that nothing else is asked. */
export async function debianMirrors(): Promise<{ readonly main?: string; readonly security?: string }> {
  const sites = (
    await must(["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(SITE)", "Created-By: Packages"])
  ).split("\n");
  const site = (label: string) => sites.find(line => line.startsWith(`Debian ${label} `))?.split(" ")[2];
  const [main, security] = [site("Debian"), site("Debian-Security")];
  return { ...(main ? { main } : {}), ...(security ? { security } : {}) };
}

/** Sources for mmdebstrap; none leaves the choice to it. */
async function mirrors(release: string): Promise<string[]> {
  const { main, security } = await debianMirrors();
  if (!main) return [];
  return [
    `deb ${main} ${release} main`,
    ...(security && !["sid", "unstable", "forky"].includes(release)
      ? [`deb ${security} ${release}-security main`]
      : []),
  ];
}

/** Lay a writable layer over a base; a plain copy where the kernel will not. */
export function mountOverlay(made: Trace, base: string): string {
  const [root, upper, work] = ["root", "upper", "work"].map(name => join(made.directory, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [root, upper, work]) mkdirSync(directory);
  made.undo(`umount -l ${root}`);
  if (
    Bun.spawnSync([
      "mount",
      "-t",
      "overlay",
      "overlay",
      "-o",
      `lowerdir=${base},upperdir=${upper},workdir=${work}`,
      root,
    ]).exitCode !== 0
  )
    if (Bun.spawnSync(["cp", "-a", `${base}/.`, root]).exitCode !== 0)
      throw new Error(`A root file system could not be copied to ${root}`);
  return root;
}

function mountKernelFiles(made: Trace, root: string): void {
  const line = [
    'set -e; cd "$1"; mount -t proc proc proc; mount -t sysfs -o ro sysfs sys; mount -t tmpfs -o mode=755 tmpfs dev; mkdir dev/pts dev/shm',
    "mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/full c 1 7; mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9; mknod -m 666 dev/tty c 5 0",
    "mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts; ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr",
  ].join("\n");
  made.undo(["dev/pts", "dev", "sys", "proc"].map(path => `umount -l ${join(root, path)}`).join("; "));
  const mounted = Bun.spawnSync(["sh", "-c", line, "sh", root]);
  if (mounted.exitCode !== 0)
    throw new Error(`The kernel's file systems could not be mounted in ${root}: ${mounted.stderr}`);
}

/** Run a program that must succeed. */
export async function must(argv: string[]): Promise<string> {
  const ended = await spawn(argv);
  if (ended.exitCode !== 0) throw new Error(`Exit code ${ended.exitCode}: ${argv.join(" ")}\n${ended.stderr}`);
  return ended.stdout;
}
