/** Container engines for tests: docker and a registry in a network of their own, and podman. Nothing of this machine's own is touched. @module */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needRoot, needTools, startTime, trace, type Trace } from "./machine.ts";
import { busyboxRootfs, must, removeRootfs } from "./rootfs.ts";
import { HOST_ENV, mustRun, spawn, type TestHost } from "./test-host.ts";
import { until } from "./until.ts";

/** An engine that only this test knows. */
export interface Engine extends AsyncDisposable {
  /** This machine, with `docker` or `podman` speaking to that engine. */
  readonly host: TestHost;
}

/** A docker engine with a registry. */
export interface DockerEngine extends Engine {
  /** `HOST:PORT` of a registry with the user `ci` and the password `s3cret pa$$`. */
  readonly registry: string;
  /** Directory of the docker client's configuration, where credentials are kept. */
  readonly configuration: string;
  /** A directory for files of the test. */
  readonly directory: string;
}

/** User and password of the registry. */
export const LOGIN = { username: "ci", password: "s3cret pa$$ it's" };

/** Start an engine that has the image `busybox:1`, and a registry. */
export async function dockerEngine(): Promise<DockerEngine> {
  await needTools({
    "docker-compose": "docker-compose",
    "docker-registry": "docker-registry",
    htpasswd: "apache2-utils",
  });
  const engine = await startDocker();
  const { made, namespace } = engine;
  const at = (name: string) => join(made.directory, name);
  writeFileSync(at("htpasswd"), (await must(["htpasswd", "-nbB", LOGIN.username, LOGIN.password])).trim());
  writeFileSync(
    at("registry.yml"),
    `version: 0.1\nstorage: {filesystem: {rootdirectory: ${at("registry")}}}\nhttp: {addr: "127.0.0.1:5000", secret: test}\nauth: {htpasswd: {realm: test, path: ${at("htpasswd")}}}\n`,
  );
  engine.daemons.push(start(made, namespace, "registry.log", ["docker-registry", "serve", at("registry.yml")]));
  return { ...engine, registry: "127.0.0.1:5000", directory: made.directory };
}

interface Docker extends Engine {
  readonly made: Trace;
  readonly namespace: string;
  readonly daemons: Bun.Subprocess[];
  readonly configuration: string;
}

async function startDocker(made = trace()): Promise<Docker> {
  needRoot("A docker engine");
  await needTools({ dockerd: "docker.io", runc: "runc", iptables: "iptables", ip: "iproute2" });
  // A package of its own in some releases.
  await needTools({ docker: "docker-cli" });
  const at = (name: string) => join(made.directory, name);
  const namespace = `tsdk${process.pid}`;
  made.undo(`rm -rf ${at("data")}; ip netns del ${namespace}`);
  made.undo(`for m in $(cut -d' ' -f2 /proc/self/mounts | grep ^${made.directory}/ | sort -r); do umount -l $m; done`);
  await must(["ip", "netns", "add", namespace]);
  await must(["ip", "-n", namespace, "link", "set", "lo", "up"]);
  const [socket, configuration] = [`unix://${at("docker.sock")}`, at("configuration")];
  mkdirSync(configuration);
  const daemon = start(made, namespace, "dockerd.log", [
    "dockerd",
    "--data-root",
    at("data"),
    "--exec-root",
    at("exec"),
    "--pidfile",
    at("dockerd.pid"),
    "-H",
    socket,
  ]);
  const daemons = [daemon];
  const host = machine(
    { ...HOST_ENV, HOME: made.directory, DOCKER_HOST: socket, DOCKER_CONFIG: configuration, DOCKER_BUILDKIT: "0" },
    namespace,
  );
  await until("dockerd answers", async () => {
    if (daemon.exitCode !== null)
      throw new Error(`dockerd ended: ${readFileSync(at("dockerd.log"), "utf8").trim().split("\n").at(-1)}`);
    return (await host.exec("docker version")).exitCode === 0;
  });
  const image = await busyboxImage(made);
  await must(["env", `DOCKER_HOST=${socket}`, "docker", "import", "--change", 'CMD ["sh"]', image, "busybox:1"]);
  return {
    made,
    namespace,
    daemons,
    host,
    configuration,
    async [Symbol.asyncDispose]() {
      await host.exec("docker ps -q | xargs -r docker kill");
      for (const one of daemons.reverse()) {
        one.kill("SIGTERM");
        await one.exited;
      }
      made.remove();
    },
  };
}

/** This machine, with podman on a store that only this test knows and with the image `localhost/busybox:1`. */
export async function podmanEngine(made = trace()): Promise<Engine> {
  needRoot("Podman");
  await needTools({ podman: "podman", runc: "runc", conmon: "conmon" });
  const at = (name: string) => join(made.directory, name);
  made.undo(`for m in $(cut -d' ' -f2 /proc/self/mounts | grep ^${made.directory}/ | sort -r); do umount -l $m; done`);
  // Root lacks the right to raise limits here and there, and crun does not like every arrangement of control groups.
  writeFileSync(
    at("containers.conf"),
    '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]\nnetns = "none"\n',
  );
  writeFileSync(
    at("storage.conf"),
    `[storage]\ndriver = "overlay"\ngraphroot = "${at("root")}"\nrunroot = "${at("run")}"\n`,
  );
  const host = machine({
    ...HOST_ENV,
    HOME: made.directory,
    CONTAINERS_CONF: at("containers.conf"),
    CONTAINERS_STORAGE_CONF: at("storage.conf"),
  });
  const { exitCode, stderr } = await host.exec(`podman import ${await busyboxImage(made)} busybox:1`);
  if (exitCode !== 0) throw new Error(stderr);
  return {
    host,
    async [Symbol.asyncDispose]() {
      await host.exec("podman rm -fa -t 0");
      made.remove();
    },
  };
}

/**
 * An engine without anything beside it, that has been seen to run a container; or why this machine cannot run one,
 * which is said aloud: a test that is left out must not look like one that has passed.
 */
export async function tryEngine(program: "docker" | "podman"): Promise<Engine | { readonly reason: string }> {
  const made = trace();
  try {
    const engine = await (program === "docker" ? startDocker(made) : podmanEngine(made));
    await mustRun(
      engine.host,
      `${program} run --rm ${program === "docker" ? "busybox:1" : "localhost/busybox:1"} true`,
    );
    return engine;
  } catch (error) {
    made.remove();
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`\nNOT TESTED: connections to ${program} containers, because ${program} cannot run here: ${reason}\n`);
    return { reason };
  }
}

/** An archive of a root file system with busybox alone. */
async function busyboxImage(made: Trace): Promise<string> {
  const root = await busyboxRootfs();
  const archive = join(made.directory, "busybox.tar");
  await must(["tar", "-C", root, "--one-file-system", "-cf", archive, "."]);
  removeRootfs(root);
  return archive;
}

function start(made: Trace, namespace: string, log: string, argv: readonly string[]): Bun.Subprocess {
  const output = Bun.file(join(made.directory, log));
  const daemon = Bun.spawn(["nsenter", `--net=/run/netns/${namespace}`, ...argv], {
    stdin: "ignore",
    stdout: output,
    stderr: output,
    env: { ...HOST_ENV, HOME: made.directory },
  });
  made.undo(
    `[ "$(awk '{print $22}' /proc/${daemon.pid}/stat)" != "${startTime(daemon.pid)}" ] || { kill ${daemon.pid}; sleep 2; }`,
  );
  return daemon;
}

function machine(env: Readonly<Record<string, string>>, namespace?: string): TestHost {
  const argv = (line: string) => [
    ...(namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${namespace}`]),
    "sh",
    "-c",
    line,
  ];
  return { argv, env, root: "/", exec: (line, stdin) => spawn(argv(line), stdin, env) };
}
