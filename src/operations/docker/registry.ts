import { operand, Secret, sh } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { withArguments } from "../../core/steps.ts";
import { DockerAuths } from "../../facts/docker.ts";

/** What docker calls its hub where it keeps credentials. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/** Arguments of `docker.logout`. */
export interface LogoutArguments {
  /** The registry, such as `registry.example.com:5000`; default: Docker Hub. */
  readonly server?: string;
}

/** Arguments of `docker.login`. */
export interface LoginArguments extends LogoutArguments {
  /** User of the registry. */
  readonly username: string;
  /** The user's password or token. It is sent to docker's standard input. */
  readonly password: string | Secret;
  /** Log in even if there are credentials already, which may be others; default false. */
  readonly force?: boolean;
}

/**
 * Log in to a registry, unless there are credentials for it. They are kept in the home of the user that commands run as.
 * @example docker.login({ server: "registry.example.com", username: "ci", password: "change me" });
 */
export const login = operation<LoginArguments>({
  name: "docker.login",
  positional: ["username"],
  async *steps(host, { username, password, server, force = false }) {
    if (!username) throw new OperationError("docker.login requires a username");
    if (!password) throw new OperationError("docker.login requires a password");
    const registry = server || DOCKER_HUB;
    if (!force && (await host.getFact(DockerAuths)).includes(registry))
      return host.noop(`Already logged in to Docker registry ${registry}`);
    yield withArguments(
      sh`docker login --username ${[username, "--password-stdin", ...(server ? [operand(server)] : [])]}`,
      { _stdin: Secret.of(password) },
    );
  },
});

/**
 * Remove the credentials for a registry.
 * @example docker.logout({ server: "registry.example.com" });
 */
export const logout = operation<LogoutArguments>({
  name: "docker.logout",
  positional: ["server"],
  async *steps(host, { server }) {
    const registry = server || DOCKER_HUB;
    if (!(await host.getFact(DockerAuths)).includes(registry))
      return host.noop(`Not logged in to Docker registry ${registry}`);
    yield sh`docker logout ${server ? [operand(server)] : []}`;
  },
});
