/** Places that need no making: a directory, a pod, a machine, a system container. @module */
import { type Secret, sh, type Shell } from "../../core/command.ts";
import type { Connector, DataKey, Target } from "../../core/connector.ts";
import { ConnectError } from "../../core/errors.ts";
import type { Words } from "./frame.ts";
import { type ProgramOptions, programConnector } from "./program.ts";

/** What a login as root has in its environment: the control machine's own would mean nothing in there. */
const ENVIRONMENT = [
  "HOME=/root",
  "USER=root",
  "LOGNAME=root",
  "SHELL=/bin/sh",
  "LANG=C.UTF-8",
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
];

const CHROOT_KEYS = {
  chrootDirectory: { type: "string", description: "The directory; default: what follows the connector's name." },
} as const satisfies Record<string, DataKey>;

/** `@chroot/PATH`: a directory with a system in it. */
export const createChrootConnector = (options?: ProgramOptions): Connector =>
  programConnector(
    {
      name: "chroot",
      summary: "Run commands in a directory that holds a system.",
      dataKeys: CHROOT_KEYS,
      async open(target, { data, control }) {
        const given = (data.string("chrootDirectory") ?? target.address).replace(/^\/+/, "");
        if (given === "")
          throw new ConnectError("@chroot needs a directory", { host: target.name, hint: "Write @chroot/srv/system" });
        const directory = `/${given}`;
        const wrap = (words: Words): Shell => sh`env -i ${ENVIRONMENT} chroot ${directory} ${words}`;
        await control.ask(`Cannot change root to "${directory}"`, wrap(TRY));
        return { wrap, endsCommands: true };
      },
    },
    options,
  );

const KUBECTL_KEYS = {
  kubectlPod: {
    type: "string",
    description: "The pod, or a resource with one such as deployment/app; default: what follows the connector's name.",
  },
  kubectlNamespace: {
    type: "string",
    description: "Namespace of the pod; default: what comes before the pod's name, else that of the context.",
  },
  kubectlContainer: {
    type: "string",
    description: "Container in the pod; default: what follows the pod's name, else the pod's own default.",
  },
  kubectlContext: { type: "string", description: "Context of the kubeconfig." },
  kubectlKubeconfig: { type: "string", description: "Kubeconfig file, where kubectl runs." },
} as const satisfies Record<string, DataKey>;

/** `@kubectl/[NAMESPACE/]POD[:CONTAINER]`. Its hosts are in the group `@kubectl/NAMESPACE` too. */
export const createKubectlConnector = (options?: ProgramOptions): Connector =>
  programConnector(
    {
      name: "kubectl",
      summary: "Run commands in a container of a Kubernetes pod.",
      dataKeys: KUBECTL_KEYS,
      hosts: async address => {
        const { namespace } = parsePod(address);
        return [
          { name: `@kubectl/${address}`, data: {}, groups: namespace === undefined ? [] : [`@kubectl/${namespace}`] },
        ];
      },
      async open(target, { data, control }) {
        const written = parsePod(target.address);
        const pod = data.string("kubectlPod") ?? written.pod;
        if (pod === "")
          throw new ConnectError("@kubectl needs a pod", {
            host: target.name,
            hint: "Write @kubectl/POD or @kubectl/NAMESPACE/POD:CONTAINER",
          });
        const option = (flag: string, value: string | undefined): string | false =>
          value !== undefined && `--${flag}=${value}`;
        const globals = [
          option("kubeconfig", data.string("kubectlKubeconfig")),
          option("context", data.string("kubectlContext")),
          option("namespace", data.string("kubectlNamespace") ?? written.namespace),
        ];
        const at = [pod, option("container", data.string("kubectlContainer") ?? written.container)];
        const exec = (flags: string, words: Words): Shell => sh`kubectl ${globals} exec ${flags} ${at} -- ${words}`;
        await control.ask(`Cannot run commands in the pod "${pod}"`, exec("-i", TRY));
        return { wrap: (words, { pty }) => exec(pty ? "-it" : "-i", words) };
      },
    },
    options,
  );

function parsePod(address: string): {
  readonly namespace?: string | undefined;
  readonly pod: string;
  readonly container?: string | undefined;
} {
  const [, namespace, pod = "", container] = /^(?:([^/]*)\/)?([^:]*)(?::(.*))?$/.exec(address) ?? [];
  return { namespace, pod, container };
}

/** `@machinectl/NAME`: a machine of systemd's, such as a booted `systemd-nspawn` container. */
export const createMachinectlConnector = (options?: ProgramOptions): Connector => machines("machinectl", options);
/** `@nspawn/NAME`: the same, by the name of what usually runs there. */
export const createNspawnConnector = (options?: ProgramOptions): Connector => machines("nspawn", options);

function machines(name: "machinectl" | "nspawn", options: ProgramOptions | undefined): Connector {
  return programConnector(
    {
      name,
      summary: "Run commands in a machine that systemd-machined knows.",
      dataKeys: {},
      async open(target, { control }) {
        requireName(name, target);
        // Else what a command leaves in the background, or still tidies up when it is broken off, would be ended with it.
        const options =
          "--quiet --wait --collect --service-type=exec --property=KillMode=process --setenv=HOME=/root --pipe".split(
            " ",
          );
        const run = (words: Words): Shell =>
          sh`systemd-run ${`--machine=${target.address}`} ${options} ${words.map(unexpanded)}`;
        // systemd-run has a terminal too, but that of version 252 takes the machine's for one of its own.
        const runOnTerminal = (words: Words): Shell =>
          sh`machinectl shell --quiet --setenv=HOME=/root ${target.address} ${words.map(unexpanded)}`;
        await control.ask(`Cannot run commands in the machine "${target.address}"`, run(TRY));
        return { wrap: (words, { pty }) => (pty ? runOnTerminal(words) : run(words)) };
      },
    },
    options,
  );
}

/** systemd replaces variables in what it runs. */
const unexpanded = (word: string | Secret): string | Secret =>
  typeof word === "string" ? doubled(word) : word.map(doubled);
const doubled = (text: string): string => text.replaceAll("$", "$$$$");

/** `@lxd/NAME`: a system container of LXD. */
export const createLxdConnector = (options?: ProgramOptions): Connector => systemContainers("lxd", "lxc", options);
/** `@incus/NAME`: a system container of Incus. */
export const createIncusConnector = (options?: ProgramOptions): Connector =>
  systemContainers("incus", "incus", options);

function systemContainers(
  name: "lxd" | "incus",
  program: "lxc" | "incus",
  options: ProgramOptions | undefined,
): Connector {
  return programConnector(
    {
      name,
      summary: `Run commands in a system container through ${program}.`,
      dataKeys: {},
      async open(target, { control }) {
        requireName(name, target);
        const exec = (mode: string, words: Words): Shell => sh`${program} exec ${target.address} ${mode} -- ${words}`;
        await control.ask(
          `Cannot run commands in the container "${target.address}"`,
          exec("--force-noninteractive", TRY),
        );
        return { wrap: (words, { pty }) => exec(pty ? "--force-interactive" : "--force-noninteractive", words) };
      },
    },
    options,
  );
}

/** Does nothing; shows that commands can be run. */
const TRY: Words = ["/bin/sh", "-c", "exit 0"];

function requireName(connector: string, { address, name }: Target): void {
  if (address === "")
    throw new ConnectError(`@${connector} needs a name`, { host: name, hint: `Write @${connector}/NAME` });
}
