/** SELinux: booleans, contexts of files, types of ports. @module */
import { operand, remotePath, sh } from "../core/command.ts";
import { OperationTypeError, OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { FileContext, FileContextMapping, SEBoolean, SEPort, SEPorts, type SelinuxProtocol } from "../facts/selinux.ts";
import { Which } from "../facts/server/index.ts";
import { notOption } from "./shared/options.ts";

/** Arguments of `selinux.boolean`. */
export interface BooleanArguments {
  /** Name of the boolean. */
  readonly boolName: string;
  /** What it must be. */
  readonly value: "on" | "off";
  /** Keep it over restarts, by a change of the policy; default false. Whether it is kept already is not looked at. */
  readonly persistent?: boolean;
}

/**
 * Turn a boolean on or off.
 * @example selinux.boolean({ boolName: "httpd_can_network_connect", value: "on", persistent: true });
 */
export const boolean = operation<BooleanArguments>({
  name: "selinux.boolean",
  positional: ["boolName", "value"],
  async *steps(host, { boolName, value, persistent = false }) {
    if (value !== "on" && value !== "off")
      throw new OperationValueError(`Invalid value '${value}' for boolean operation`);
    if ((await host.getFact(SEBoolean, { boolean: boolName })) === value)
      return host.noop(`boolean '${boolName}' already had the value '${value}'`);
    yield sh`setsebool ${[persistent && "-P", operand(boolName), value]}`;
  },
});

/** Arguments of `selinux.fileContext`. */
export interface FileContextArguments {
  /** Path on the host. */
  readonly path: string;
  /** Type that it must have. */
  readonly seType: string;
}

/**
 * Set the type of what is at a path. It lasts until files are relabelled: `selinux.fileContextMapping` changes what they are then.
 * @example selinux.fileContext({ path: "/srv/www", seType: "httpd_sys_content_t" });
 */
export const fileContext = operation<FileContextArguments>({
  name: "selinux.fileContext",
  positional: ["path", "seType"],
  async *steps(host, { path, seType }) {
    notOption("seType", seType);
    if ((await host.getFact(FileContext, { path }))?.type === seType)
      return host.noop(`file_context: '${path}' already had type '${seType}'`);
    yield sh`chcon -t ${[seType, remotePath(path)]}`;
  },
});

/** Arguments of `selinux.fileContextMapping`. */
export interface FileContextMappingArguments {
  /** Regular expression for whole paths, such as `/srv/www(/.*)?`. */
  readonly target: string;
  /** Type for them; needed unless `present` is `false`. */
  readonly seType?: string;
  /** `false`: there must be no such rule; default true. */
  readonly present?: boolean;
}

/**
 * Set the type that files get when they are labelled. Those that are there keep theirs until `restorecon` is run.
 * @example selinux.fileContextMapping({ target: "/srv/www(/.*)?", seType: "httpd_sys_content_t" });
 */
export const fileContextMapping = operation<FileContextMappingArguments>({
  name: "selinux.fileContextMapping",
  positional: ["target"],
  async *steps(host, { target, seType, present = true }) {
    checkType(present, seType);
    const { type } = await host.getFact(FileContextMapping, { target });
    if (present && type === seType) host.noop(`mapping for '${target}' -> '${seType}' already present`);
    else if (present && seType)
      yield sh`semanage fcontext ${type === undefined ? "-a" : "-m"} -t ${[seType, operand(target)]}`;
    else if (type === undefined) host.noop(`no existing mapping for '${target}'`);
    else yield sh`semanage fcontext -d ${operand(target)}`;
  },
});

/** Arguments of `selinux.port`. */
export interface PortArguments {
  /** Protocol of the port. */
  readonly protocol: SelinuxProtocol;
  /** Number of the port. */
  readonly portNum: number;
  /** Type for it; needed unless `present` is `false`. */
  readonly seType?: string;
  /** `false`: it must have no type of its own; default true. */
  readonly present?: boolean;
}

/**
 * Set the type of a port.
 * @example selinux.port({ protocol: "tcp", portNum: 2222, seType: "ssh_port_t" });
 */
export const port = operation<PortArguments>({
  name: "selinux.port",
  positional: ["protocol", "portNum"],
  async *steps(host, { protocol, portNum, seType, present = true }) {
    if (!PROTOCOLS.includes(protocol))
      throw new OperationValueError(
        `\`protocol\` must be one of ${PROTOCOLS.join(", ")}, not ${JSON.stringify(protocol)}`,
      );
    if (!Number.isInteger(portNum) || portNum < 0 || portNum > 65535)
      throw new OperationTypeError(`\`portNum\` must be the number of a port, not ${JSON.stringify(portNum)}`);
    checkType(present, seType);
    // `sepolicy` is much faster, but knows nothing of DCCP.
    const isDirect = protocol !== "dccp" && (await host.getFact(Which, { command: "sepolicy" })) !== undefined;
    const type = isDirect
      ? await host.getFact(SEPort, { protocol, port: portNum })
      : ((await host.getFact(SEPorts))[protocol]?.[portNum] ?? "");
    if (present && type === seType) host.noop(`setype for '${protocol}/${portNum}' is already '${seType}'`);
    else if (present && seType)
      yield sh`semanage port ${type === "" ? "-a" : "-m"} -t ${[seType, "-p", protocol, portNum]}`;
    else if (type === "") host.noop(`setype for '${protocol}/${portNum}' is already unset`);
    else yield sh`semanage port -d -p ${[protocol, portNum]}`;
  },
});

const PROTOCOLS: readonly string[] = ["tcp", "udp", "sctp", "dccp"];

function checkType(present: boolean, seType: string | undefined): void {
  notOption("seType", seType ?? "");
  if (present && !seType) throw new OperationValueError("`seType` must have a valid value if `present` is set");
}
