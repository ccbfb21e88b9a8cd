/** What the machine's own ssh is told: as little as possible, for its configuration is why it is used. @module */
import type { DataReader } from "../../shared/host-data.ts";
import type { SshDataKey } from "../data-keys.ts";
import { parseDestination, type Destination } from "../route.ts";

/** A host in the words of ssh. */
export interface SshArguments {
  /** Options that say where, as whom and how. */
  readonly options: readonly string[];
  readonly destination: Destination;
}

/** Each option of the host's data wins over what ssh_config says, as it does for the embedded transport. */
export function sshArguments(
  target: { readonly name: string; readonly address: string },
  data: DataReader<SshDataKey>,
  places: { readonly home: string; readonly cwd: string },
): SshArguments {
  const destination = parseDestination(target.address, target.name);
  const file = data.string("sshConfigFile");
  const configFile = file?.toLowerCase() === "none" ? "none" : data.path("sshConfigFile", places);
  const set = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : ["-o", `${name}=${value}`];
  const yesNo = (value: boolean | undefined): string | undefined =>
    value === undefined ? undefined : value ? "yes" : "no";
  const path = (key: SshDataKey): string | undefined => {
    const value = data.path(key, places);
    return value === undefined ? undefined : `"${value.replaceAll("%", "%%")}"`;
  };
  const key = path("sshKey");
  const options = [
    ...(configFile === undefined ? [] : ["-F", configFile]),
    ...set("HostName", data.string("sshHostname")?.replaceAll("%", "%%")),
    ...set("Port", data.number("sshPort") ?? destination.port),
    ...set("User", data.string("sshUser") ?? destination.user),
    ...set("IdentityFile", key ?? (data.boolean("sshLookForKeys") === false ? "none" : undefined)),
    ...set("IdentitiesOnly", key && "yes"),
    ...set("IdentityAgent", data.boolean("sshAllowAgent") === false ? "none" : undefined),
    ...set("UserKnownHostsFile", path("sshKnownHostsFile")),
    ...set("StrictHostKeyChecking", data.string("sshStrictHostKeyChecking")),
    ...set("ForwardAgent", yesNo(data.boolean("sshForwardAgent"))),
    // A wrong password is not tried again.
    ...set("NumberOfPasswordPrompts", data.secret("sshPassword") && 1),
  ];
  return { options, destination };
}

/** What must not happen beside the connection, whatever the configuration says; and ssh is to tell what it met. */
export const ONLY_CONNECT: readonly string[] = [
  "ClearAllForwardings=yes",
  "RemoteCommand=none",
  "RequestTTY=no",
  "PermitLocalCommand=no",
  "ForkAfterAuthentication=no",
  "LogLevel=DEBUG1",
].flatMap(option => ["-o", option]);
