/** From Ansible's variables to host data: what connectors and global arguments read, and the rest as it is. @module */
import type { Data } from "../finder.ts";
import { type AnsibleInventory, isTemplate, Locked } from "./model.ts";

/** Where a host is, and its data; nothing where Ansible reaches it in a way that is not known here. */
export interface AnsibleHost {
  readonly at: string | undefined;
  readonly data: Data;
  /** What could not be taken over. */
  readonly warnings: readonly string[];
}

/** Names of connections without their collections. */
const CONNECTORS: Readonly<Record<string, string>> = {
  ssh: "ssh",
  smart: "ssh",
  paramiko: "ssh",
  paramiko_ssh: "ssh",
  local: "local",
  docker: "docker",
  docker_api: "docker",
  podman: "podman",
  chroot: "chroot",
  kubectl: "kubectl",
  lxd: "lxd",
  incus: "incus",
  machinectl: "machinectl",
};

const SSH_KEYS: Readonly<Record<string, string>> = {
  ansible_host: "sshHostname",
  ansible_ssh_host: "sshHostname",
  ansible_port: "sshPort",
  ansible_ssh_port: "sshPort",
  ansible_user: "sshUser",
  ansible_ssh_user: "sshUser",
  ansible_password: "sshPassword",
  ansible_ssh_password: "sshPassword",
  ansible_ssh_pass: "sshPassword",
  ansible_ssh_private_key_file: "sshKey",
  ansible_private_key_file: "sshKey",
};
const OTHER_KEYS: Readonly<Record<string, string>> = {
  ansible_shell_executable: "_shellExecutable",
  ansible_remote_tmp: "_tempDir",
  ansible_kubectl_namespace: "kubectlNamespace",
  ansible_kubectl_container: "kubectlContainer",
  ansible_kubectl_context: "kubectlContext",
  ansible_kubectl_kubeconfig: "kubectlKubeconfig",
};
/** Each adds arguments to Ansible's own ssh, which is not what connects here. */
const SSH_ARGUMENTS = ["ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args"];

/** Take a host's variables apart. */
export function translate(name: string, inventory: AnsibleInventory): AnsibleHost {
  const warnings: string[] = [];
  const own = withoutTemplates(withoutSecrets(inventory.variablesOf(name), inventory.locked, warnings), warnings);
  const connection = String(own["ansible_connection"] ?? "ssh").replace(/^.*\./, "");
  const connector = CONNECTORS[connection];
  const keys = connector === "ssh" ? { ...SSH_KEYS, ...OTHER_KEYS } : OTHER_KEYS;
  const data: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(own)) {
    if (keys[key] !== undefined && value !== null) data[keys[key]] = sanitized(key, value);
    else if (!isConsumed(key)) data[key] = value;
  }
  for (const key of SSH_ARGUMENTS) if (own[key]) warnings.push(`${key} is not taken over: say it in ~/.ssh/config`);
  Object.assign(data, becoming(own, warnings));
  const address = typeof own["ansible_host"] === "string" ? own["ansible_host"] : name;
  const at =
    connector === undefined
      ? undefined
      : connector === "ssh"
        ? `@ssh/${name}`
        : connector === "local"
          ? "@local"
          : `@${connector}/${address.replace(/^\//, "")}`;
  if (connector === undefined)
    warnings.push(`it is left out, because there is no connector for ansible_connection=${connection}`);
  return { at, data: Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)), warnings };
}
/** Whether a variable says how a host is reached, and is no data of its own. */
export const isConsumed = (key: string): boolean => CONSUMED.test(key);
const CONSUMED =
  /^ansible_(?:connection|host|port|user|password|ssh_\w+|private_key_file|become\w*|shell_executable|remote_tmp|group_priority|kubectl_\w+)$/;

function withoutSecrets(variables: Data, inside: AnsibleInventory["locked"], warnings: string[]): Data {
  const found = Object.entries(variables).flatMap(([key, value]): readonly Locked[] => {
    if (value instanceof Locked) return [value.within(key)];
    if (typeof value !== "object" || value === null) return [];
    return (inside.get(value) ?? []).map(one => one.within(key));
  });
  const named = found.map(({ path, secret }) => (path === secret ? path : `${path} (for ${secret})`));
  if (named.length > 0) warnings.push(`${named.join(", ")} left out: encrypted by Ansible Vault`);
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => !(value instanceof Locked)));
}

/** A template is nothing that could be connected to or with. */
function withoutTemplates(variables: Data, warnings: string[]): Data {
  return Object.fromEntries(
    Object.entries(variables).filter(([key, value]) => {
      if (!isConsumed(key) || SSH_ARGUMENTS.includes(key) || !isTemplate(value)) return true;
      warnings.push(`${key} is a template, which is not rendered: ${String(value)}`);
      return false;
    }),
  );
}

/** Ports may be text. */
function sanitized(key: string, value: unknown): unknown {
  if (/port$/.test(key)) return Number(value);
  return typeof value === "number" ? String(value) : value;
}

function becoming(own: Data, warnings: string[]): Data {
  const [user, password] = [
    text(own["ansible_become_user"]),
    text(own["ansible_become_password"] ?? own["ansible_become_pass"]),
  ];
  if (!isTrue(own["ansible_become"])) return password === undefined ? {} : { _sudoPassword: password };
  const method = String(own["ansible_become_method"] ?? "sudo").replace(/^.*\./, "");
  if (method === "sudo") return { _sudo: true, _sudoUser: user, _sudoPassword: password };
  if (method === "su") return { _suUser: user ?? "root", _suPassword: password };
  if (method === "doas") return { _doas: true, _doasUser: user };
  if (method === "dzdo") return { _dzdo: true, _dzdoUser: user };
  warnings.push(`ansible_become_method=${method} is not known here`);
  return {};
}

const text = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : String(value);
const isTrue = (value: unknown): boolean => value === true || /^(?:true|yes|on|1|y|t)$/i.test(String(value ?? ""));
