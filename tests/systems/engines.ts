/** Container engines for tests: docker and a registry in a network of their own, and podman. Nothing of this machine's own is touched. @module */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needRoot, needTools, startTime, trace, type Trace } from "../support/machine.ts";
import { busyboxRootfs, must, removeRootfs } from "../support/rootfs.ts";
import { HOST_ENV, spawn, type TestHost } from "../support/test-host.ts";
import { until } from "./until.ts";

/** A docker engine that only this test knows. */
export interface DockerEngine extends AsyncDisposable {
  /** This machine, with `docker` speaking to that engine. */
  readonly host: TestHost;
  /** `HOST:PORT` of a registry with the user `ci` and the password `s3cret pa$$`. */
  readonly registry: string;
  /** Directory of the docker client's configuration, where credentials are kept. */
  readonly configuration: string;
  /** A directory for files of the test. */
  readonly directory: string;
}

/** User and password of the registry. */
export const LOGIN = { username: "ci", password: "s3cret pa$$ it's" };

/** Start an engine that has the image `busybox:1`. */
export async function dockerEngine(): Promise<DockerEngine> {
  needRoot("A docker engine");
  await needTools({ docker: "docker.io", dockerd: "docker.io", runc: "runc", "docker-compose": "docker-compose", "docker-registry": "docker-registry", htpasswd: "apache2-utils", iptables: "iptables", ip: "iproute2" });
  const made = trace();
  const at = (name: string) => join(made.directory, name);
  const namespace = `tsdk${process.pid}`;
  made.undo(`rm -rf ${at("data")}; ip netns del ${namespace}`);
  made.undo(`for m in $(cut -d' ' -f2 /proc/self/mounts | grep ^${made.directory}/ | sort -r); do umount -l $m; done`);
  await must(["ip", "netns", "add", namespace]);
  await must(["ip", "-n", namespace, "link", "set", "lo", "up"]);
  const [socket, configuration] = [`unix://${at("docker.sock")}`, at("configuration")];
  mkdirSync(configuration);

  writeFileSync(at("htpasswd"), (await must(["htpasswd", "-nbB", LOGIN.username, LOGIN.password])).trim());
  writeFileSync(at("registry.yml"), `version: 0.1\nstorage: {filesystem: {rootdirectory: ${at("registry")}}}\nhttp: {addr: "127.0.0.1:5000", secret: test}\nauth: {htpasswd: {realm: test, path: ${at("htpasswd")}}}\n`);
  const daemons = [
    start(made, namespace, "registry.log", ["docker-registry", "serve", at("registry.yml")]),
    start(made, namespace, "dockerd.log", ["dockerd", "--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("dockerd.pid"), "-H", socket]),
  ];
  const env = { ...HOST_ENV, HOME: made.directory, DOCKER_HOST: socket, DOCKER_CONFIG: configuration, DOCKER_BUILDKIT: "0" };
  const host = machine(env, namespace);
  await until("dockerd answers", async () => (await host.exec("docker version")).exitCode === 0);
  const image = await busyboxImage(made);
  await must(["env", `DOCKER_HOST=${socket}`, "docker", "import", "--change", 'CMD ["sh"]', image, "busybox:1"]);
  return {
    host,
    registry: "127.0.0.1:5000",
    configuration,
    directory: made.directory,
    async [Symbol.asyncDispose]() {
      await host.exec("docker ps -q | xargs -r docker kill");
      for (const daemon of daemons.reverse()) {
        daemon.kill("SIGTERM");
        await daemon.exited;
      }
      made.remove();
    },
  };
}

/** This machine, with podman on a store that only this test knows and with the image `localhost/busybox:1`. */
export async function podmanEngine(): Promise<{ readonly host: TestHost } & AsyncDisposable> {
  needRoot("Podman");
  await needTools({ podman: "podman", runc: "runc", conmon: "conmon" });
  const made = trace();
  const at = (name: string) => join(made.directory, name);
  made.undo(`for m in $(cut -d' ' -f2 /proc/self/mounts | grep ^${made.directory}/ | sort -r); do umount -l $m; done`);
  // Root lacks the right to raise limits here and there, and crun does not like every arrangement of control groups.
  writeFileSync(at("containers.conf"), '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]\nnetns = "none"\n');
  writeFileSync(at("storage.conf"), `[storage]\ndriver = "overlay"\ngraphroot = "${at("root")}"\nrunroot = "${at("run")}"\n`);
  const host = machine({ ...HOST_ENV, HOME: made.directory, CONTAINERS_CONF: at("containers.conf"), CONTAINERS_STORAGE_CONF: at("storage.conf") });
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
  const daemon = Bun.spawn(["nsenter", `--net=/run/netns/${namespace}`, ...argv], { stdin: "ignore", stdout: output, stderr: output, env: { ...HOST_ENV, HOME: made.directory } });
  made.undo(`[ "$(awk '{print $22}' /proc/${daemon.pid}/stat)" != "${startTime(daemon.pid)}" ] || { kill ${daemon.pid}; sleep 2; }`);
  return daemon;
}

function machine(env: Readonly<Record<string, string>>, namespace?: string): TestHost {
  const argv = (line: string) => [...(namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${namespace}`]), "sh", "-c", line];
  return { argv, env, root: "/", exec: (line, stdin) => spawn(argv(line), stdin, env) };
}
