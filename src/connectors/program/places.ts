/** Places that need no making: a directory, a pod, a machine, a system container. @module */
import { sh, type Shell } from "../../core/command.ts";
import type { Connector, DataKey } from "../../core/connector.ts";
import { ConnectError } from "../../core/errors.ts";
import { readData } from "../shared/host-data.ts";
import { programConnector } from "./program.ts";

const CHROOT_KEYS = {
  chrootDirectory: { type: "string", description: "The directory; default: what follows the connector's name." },
} as const satisfies Record<string, DataKey>;

/** `@chroot/PATH`: a directory with a system in it. */
export const createChrootConnector = (): Connector =>
  programConnector({
    name: "chroot",
    summary: "Run commands in a directory that holds a system.",
    dataKeys: CHROOT_KEYS,
    async open(target, control) {
      const given = readData(target.data, { keys: CHROOT_KEYS, host: target.name }).string("chrootDirectory") ?? target.address;
      const directory = `/${given.replace(/^\/+/, "")}`;
      await control.ask(`Cannot change root to "${directory}"`, sh`chroot ${directory} /bin/sh -c ${"exit 0"}`);
      return { wrap: line => sh`chroot ${directory} /bin/${line}` };
    },
  });

const KUBECTL_KEYS = {
  kubectlNamespace: { type: "string", description: "Namespace of the pod; default: that of the context." },
  kubectlContext: { type: "string", description: "Context of the kubeconfig." },
  kubectlKubeconfig: { type: "string", description: "Kubeconfig file." },
  kubectlContainer: { type: "string", description: "Container in the pod; default: what follows the pod's name, else the pod's own default." },
} as const satisfies Record<string, DataKey>;

/** `@kubectl/POD` or `@kubectl/POD/CONTAINER`. */
export const createKubectlConnector = (): Connector =>
  programConnector({
    name: "kubectl",
    summary: "Run commands in a container of a Kubernetes pod.",
    dataKeys: KUBECTL_KEYS,
    async open(target, control) {
      const data = readData(target.data, { keys: KUBECTL_KEYS, host: target.name });
      const [pod = "", inAddress] = target.address.split("/");
      const container = data.string("kubectlContainer") ?? inAddress;
      const option = (flag: string, value: string | undefined): string | false => value !== undefined && `--${flag}=${value}`;
      const options = [option("kubeconfig", data.string("kubectlKubeconfig")), option("context", data.string("kubectlContext")), option("namespace", data.string("kubectlNamespace"))];
      const at = [pod, option("container", container)];
      await control.ask(`Cannot run commands in the pod "${pod}"`, sh`kubectl ${options} exec ${at} -- sh -c ${"exit 0"}`);
      return { wrap: (line, { pty }) => sh`kubectl ${options} exec ${pty ? "-it" : "-i"} ${at} -- ${line}` };
    },
  });

/** `@machinectl/NAME`: a machine of systemd's, such as a booted `systemd-nspawn` container. */
export const createMachinectlConnector = (): Connector =>
  programConnector({
    name: "machinectl",
    summary: "Run commands in a machine that systemd-machined knows.",
    dataKeys: {},
    async open(target, control) {
      const machine = `--machine=${target.address}`;
      const run = (line: Shell, input: string): Shell => sh`systemd-run ${machine} --quiet --wait --collect --service-type=exec ${input} ${line}`;
      await control.ask(`Cannot run commands in the machine "${target.address}"`, run(sh`/bin/sh -c ${"exit 0"}`, "--pipe"));
      return { wrap: (line, { pty }) => run(sh`/bin/${line}`, pty ? "--pty" : "--pipe") };
    },
  });

/** `@lxd/NAME`: a system container of LXD. */
export const createLxdConnector = (): Connector => systemContainers("lxd", "lxc");
/** `@incus/NAME`: a system container of Incus. */
export const createIncusConnector = (): Connector => systemContainers("incus", "incus");

function systemContainers(name: "lxd" | "incus", program: "lxc" | "incus"): Connector {
  return programConnector({
    name,
    summary: `Run commands in a system container through ${program}.`,
    dataKeys: {},
    async open(target, control) {
      if (target.address === "") throw new ConnectError(`@${name} needs the name of a container`, { host: target.name, hint: `Write @${name}/NAME` });
      await control.ask(`Cannot run commands in the container "${target.address}"`, sh`${program} exec ${target.address} -- sh -c ${"exit 0"}`);
      return { wrap: (line, { pty }) => sh`${program} exec ${pty ? "--force-interactive" : "--force-noninteractive"} ${target.address} -- ${line}` };
    },
  });
}
