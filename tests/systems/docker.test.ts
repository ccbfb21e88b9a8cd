import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as facts from "../../src/facts/docker.ts";
import { docker } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, mustRun } from "../support/apply.ts";
import { type DockerEngine, dockerEngine, LOGIN } from "../support/engines.ts";

setDefaultTimeout(120_000);
let engine: DockerEngine;
const on = () => ({ host: engine.host });
/** What docker itself says, in a format of its own. */
const say = async (line: string) => (await mustRun(engine.host, `docker ${line}`)).trim();

beforeAll(async () => void (engine = await dockerEngine()), 300_000);
afterAll(() => engine[Symbol.asyncDispose]());

test("docker.container makes, starts, stops, makes again and removes", async () => {
  const state = (format: string) => say(`container inspect web --format '${format}'`);
  const args = {
    container: "web",
    image: "busybox:1",
    command: "sh -c 'echo \"$A it'\"'\"'s up\"; exec sleep 600'",
    envVars: { A: "a $HOME `b` 'c'" },
    labels: ["team=we b"],
    hostname: "inside",
    user: "65534",
    memory: "32m",
    cpus: 0.5,
    restartPolicy: "on-failure:3",
    volumes: ["data:/data"],
    mounts: [`type=bind,source=${engine.directory},target=/mnt,readonly`],
    dns: ["192.0.2.1"],
    extraArgs: ["--cap-drop", "ALL"],
  } as const;
  await applyTwice(docker.container, args, on());
  expect(
    await state(
      "{{.State.Status}} {{.Config.Hostname}} {{.Config.User}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Dns}} {{.HostConfig.CapDrop}}",
    ),
  ).toBe("running inside 65534 33554432 500000000 on-failure [192.0.2.1] [ALL]");
  expect(await state('{{index .Config.Labels "team"}}|{{index .Config.Env 0}}')).toBe("we b|A=a $HOME `b` 'c'");
  expect((await state("{{range .Mounts}}{{.Destination}} {{end}}")).split(" ").sort()).toEqual(["/data", "/mnt"]);
  expect(await say("logs web")).toBe("a $HOME `b` 'c' it's up");

  await applyTwice(docker.container, { container: "web", start: false }, on());
  expect(await state("{{.State.Status}}")).toBe("exited");
  await applyTwice(docker.container, { container: "web" }, on());
  const id = await state("{{.Id}}");
  expect(
    (await apply(docker.container, { ...args, force: true, command: ["sleep", "601"] }, on())).commands,
  ).toHaveLength(3);
  expect(await state("{{.Id}}")).not.toBe(id);
  expect(await state("{{.Config.Cmd}}")).toBe("[sleep 601]");
  await applyTwice(docker.container, { container: "web", start: false }, on());
  await applyTwice(docker.container, { container: "web", present: false }, on());
  expect(await say("ps -aq")).toBe("");
  await expect(apply(docker.container, { container: "none" }, on())).rejects.toThrow("Docker image not specified");
});

test("docker.container with ports, networks, environment files and a privileged start", async () => {
  writeFileSync(join(engine.directory, "env file"), "FROM_FILE=yes\n");
  await apply(docker.network, { network: "inner" }, on());
  const args = {
    container: "n1",
    image: "busybox:1",
    ports: ["127.0.0.1:8088:80"],
    networks: ["inner"],
    envFiles: [join(engine.directory, "env file")],
    entrypoint: "/bin/sleep",
    command: "600",
    autoRemove: true,
  };
  await applyTwice(docker.container, args, on());
  expect(
    await say(
      "inspect n1 --format '{{.HostConfig.AutoRemove}} {{.HostConfig.PortBindings}} {{.Config.Entrypoint}} {{index .Config.Env 0}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}'",
    ),
  ).toBe("true map[80/tcp:[{127.0.0.1 8088}]] [/bin/sleep] FROM_FILE=yes inner");
  expect(Object.values(await askFact(facts.DockerContainerPorts, {}, engine.host))).toEqual([
    { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8088" }] },
  ]);
  expect(
    Object.values(await askFact(facts.DockerContainerNetworks, {}, engine.host)).map(networks => Object.keys(networks)),
  ).toEqual([["inner"]]);
  await apply(docker.container, { ...args, present: false }, on());
  await apply(docker.container, { container: "pp", image: "busybox:1", privileged: true, start: false }, on());
  expect(await say("inspect pp --format '{{.HostConfig.Privileged}} {{.State.Status}}'")).toBe("true created");
  await apply(docker.container, { container: "pp", present: false }, on());
});

test("facts about containers say what runs in them", async () => {
  await apply(
    docker.container,
    {
      container: "ff",
      image: "busybox:1",
      command: "sh -c 'echo x > /new file; rm /bin/ls; exec sleep 600'",
      envVars: ["K=v=w"],
      labels: { a: "b" },
    },
    on(),
  );
  const id = await say("inspect ff --format '{{.Id}}'");
  expect((await askFact(facts.DockerContainer, { objectId: "ff" }, engine.host))[0]?.Id).toBe(id);
  expect((await askFact(facts.DockerContainers, {}, engine.host)).map(container => container.Name)).toEqual(["/ff"]);
  expect((await askFact(facts.DockerContainerEnvs, {}, engine.host))[id]).toMatchObject({ K: "v=w" });
  expect(await askFact(facts.DockerContainerLabels, {}, engine.host)).toEqual({ [id]: { a: "b" } });
  expect(await askFact(facts.DockerContainerMounts, {}, engine.host)).toEqual({ [id]: [] });
  expect(await askFact(facts.DockerContainerFsChanges, { containerId: "ff" }, engine.host)).toContainEqual({
    change: "A",
    path: "/new",
  });
  expect(await askFact(facts.DockerContainerFsChanges, { containerId: "ff" }, engine.host)).toContainEqual({
    change: "D",
    path: "/bin/ls",
  });
  expect(
    (await askFact(facts.DockerContainerProcesses, { containerId: "ff" }, engine.host)).map(process => process["CMD"]),
  ).toEqual(["sleep 600"]);
  expect((await askFact(facts.DockerContainerStats, {}, engine.host)).map(row => row["Name"])).toEqual(["ff"]);
  expect(await askFact(facts.DockerVersion, {}, engine.host)).toMatch(/^Docker version \d/);
  expect((await askFact(facts.DockerSystemInfo, {}, engine.host))["Containers"]).toBe(1);
  await apply(docker.container, { container: "ff", present: false }, on());
  for (const fact of [facts.DockerContainerProcesses, facts.DockerContainerFsChanges])
    expect(
      await askFact<{ containerId: string }, readonly unknown[]>(fact, { containerId: "ff" }, engine.host),
    ).toEqual([]);
  expect(await askFact(facts.DockerContainers, {}, engine.host)).toEqual([]);
  expect(await askFact(facts.DockerImageHistory, { imageId: "none" }, engine.host)).toEqual([]);
});

test("docker.volume and docker.network make and remove, and removing what is absent is no change", async () => {
  await applyTwice(docker.volume, { volume: "v1", driver: "local", labels: ["a=b c", "d=$e"] }, on());
  expect(await say("volume inspect v1 --format '{{.Driver}} {{.Labels.a}} {{.Labels.d}}'")).toBe("local b c $e");
  expect((await askFact(facts.DockerVolumeLabels, {}, engine.host))["v1"]).toEqual({ a: "b c", d: "$e" });
  await applyTwice(docker.volume, { volume: "v1", present: false }, on());
  expect(await say("volume ls -q --filter name=v1")).toBe("");

  const args = {
    network: "net1",
    driver: "bridge",
    subnet: "172.30.0.0/16",
    gateway: "172.30.0.9",
    ipRange: "172.30.5.0/24",
    auxAddresses: { "router one": "172.30.5.5" },
    opts: { "com.docker.network.bridge.name": "tsbr0" },
    labels: { a: "b" },
    attachable: true,
    ipamDriver: "default",
  };
  await applyTwice(docker.network, args, on());
  expect(
    await say(
      "network inspect net1 --format '{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}} {{.IPRange}} {{.AuxiliaryAddresses}}{{end}} {{.Attachable}} {{.Labels}} {{.Options}}'",
    ),
  ).toBe(
    "172.30.0.0/16 172.30.0.9 172.30.5.0/24 map[router one:172.30.5.5] true map[a:b] map[com.docker.network.bridge.name:tsbr0]",
  );
  expect(Object.values(await askFact(facts.DockerNetworkLabels, {}, engine.host))).toContainEqual({ a: "b" });
  await applyTwice(docker.network, { network: "net1", present: false }, on());
  expect((await apply(docker.network, { network: "net1", present: false }, on())).noops).toEqual([
    "Network net1 does not exist!",
  ]);
});

test("docker.build, docker.login, docker.image and docker.logout: by a registry and back", async () => {
  const context = join(engine.directory, "it's a context");
  mkdirSync(context);
  writeFileSync(
    join(context, "Dockerfile.x"),
    "FROM busybox:1\nARG WHO\nLABEL who=$WHO\nRUN echo $WHO > /who\nFROM busybox:1 AS never\nRUN false\n",
  );
  const name = `${engine.registry}/team/app`;
  const args = {
    path: context,
    dockerfile: join(context, "Dockerfile.x"),
    tags: [`${name}:1.0`, `${name}:stable`],
    buildArgs: { WHO: "me & you" },
    labels: { built: "by $me" },
  };
  await expect(apply(docker.build, args, on())).rejects.toThrow("exit code");
  writeFileSync(
    join(context, "Dockerfile.x"),
    "FROM busybox:1 AS base\nARG WHO\nLABEL who=$WHO\nRUN echo $WHO > /who\nFROM base AS last\nRUN false\n",
  );
  await applyTwice(docker.build, { ...args, target: "base", network: "none" }, on());
  expect(await say(`run --rm --network none ${name}:stable cat /who`)).toBe("me & you");
  expect(await say(`image inspect ${name}:1.0 --format '{{.Config.Labels.built}}'`)).toBe("by $me");
  expect(Object.values(await askFact(facts.DockerImageLabels, {}, engine.host))).toContainEqual({
    built: "by $me",
    who: "me & you",
  });
  expect(
    Math.max(...Object.values(await askFact(facts.DockerImageLayers, {}, engine.host)).map(layers => layers.length)),
  ).toBe(2);
  expect(
    (await askFact(facts.DockerImageHistory, { imageId: `${name}:1.0` }, engine.host))[0]?.["CreatedBy"],
  ).toContain("built");

  expect((await engine.host.exec(`docker push ${name}:1.0`)).exitCode).not.toBe(0);
  await expect(apply(docker.login, { server: engine.registry, ...LOGIN, password: "wrong" }, on())).rejects.toThrow(
    "Unauthorized",
  );
  const login = await applyTwice(docker.login, { server: engine.registry, ...LOGIN }, on());
  expect(login.commands).toEqual([`docker login --username ci --password-stdin ${engine.registry}`]);
  const stored: { auths: Record<string, { auth: string }> } = JSON.parse(
    readFileSync(join(engine.configuration, "config.json"), "utf8"),
  );
  expect(atob(stored.auths[engine.registry]?.auth ?? "")).toBe(`${LOGIN.username}:${LOGIN.password}`);
  expect(await askFact(facts.DockerAuths, {}, engine.host)).toEqual([engine.registry]);
  await say(`push ${name}:1.0`);

  await applyTwice(docker.image, { image: `${name}:1.0`, present: false }, on());
  await applyTwice(docker.image, { image: `${name}:stable`, present: false }, on());
  expect(await say("images -q --filter label=built")).toBe("");
  await applyTwice(docker.image, { image: `${name}:1.0` }, on());
  const digest = await say(`image inspect ${name}:1.0 --format '{{index .RepoDigests 0}}'`);
  expect((await apply(docker.image, { image: digest }, on())).noops).toEqual([
    `Image with digest ${digest.split("@")[1]} already exists!`,
  ]);
  expect((await apply(docker.image, { image: `${name}:1.0`, force: true }, on())).changed).toBe(true);
  await expect(apply(docker.image, { image: `${name}` }, on())).rejects.toThrow("latest");
  await apply(docker.image, { image: digest, present: false }, on());
  await applyTwice(docker.image, { image: digest }, on());

  await applyTwice(docker.logout, { server: engine.registry }, on());
  expect(await askFact(facts.DockerAuths, {}, engine.host)).toEqual([]);
  await applyTwice(docker.prune, { all: true, volumes: true, filter: "label=nothing" }, on()).catch(error =>
    expect(String(error)).toContain("not idempotent"),
  );
});

test("docker.compose brings a project up and takes it down", async () => {
  const project = join(engine.directory, "my project");
  mkdirSync(project);
  writeFileSync(
    join(project, "docker-compose.yml"),
    'version: "2.4"\nservices:\n  one:\n    image: busybox:1\n    command: ["sleep", "${SECONDS_UP}"]\n    network_mode: none\n    volumes: ["stuff:/stuff"]\nvolumes:\n  stuff:\n',
  );
  const args = {
    projectDirectory: project,
    files: join(project, "docker-compose.yml"),
    projectName: "demo",
    composeCommand: "docker-compose",
  };
  const up = await apply(
    docker.compose,
    { ...args, forceRecreate: true },
    { ...on(), globals: { _env: { SECONDS_UP: "602" } } },
  );
  expect(up.commands).toEqual([
    `docker-compose --project-directory '${project}' --project-name demo -f '${project}/docker-compose.yml' up -d --force-recreate --remove-orphans`,
  ]);
  expect(await say("ps --filter label=com.docker.compose.project=demo --format '{{.Command}}'")).toBe('"sleep 602"');
  await apply(
    docker.compose,
    { ...args, present: false, removeVolumes: true },
    { ...on(), globals: { _env: { SECONDS_UP: "602" } } },
  );
  expect(await say("ps -aq --filter label=com.docker.compose.project=demo")).toBe("");
  expect(await say("volume ls -q --filter name=demo")).toBe("");
  await expect(apply(docker.compose, { ...args, pull: "sometimes" as "always" }, on())).rejects.toThrow(
    "must be one of",
  );
});

test("docker.plugin sets up, enables, disables and removes", async () => {
  const source = join(engine.directory, "plugin");
  mkdirSync(join(source, "rootfs"), { recursive: true });
  await mustRun(
    engine.host,
    `docker create --name tmp busybox:1 && docker export tmp | tar -C ${source}/rootfs -xf - && docker rm tmp`,
  );
  const environment = ["DEBUG", "LEVEL"].map(name => ({ Name: name, Settable: ["value"], Value: "0" }));
  writeFileSync(
    join(source, "config.json"),
    JSON.stringify({
      Description: "Sleeps",
      Entrypoint: ["/bin/sleep", "600"],
      Env: environment,
      Interface: { Types: [], Socket: "" },
      Network: { Type: "none" },
    }),
  );
  await say(`plugin create sleeper ${source}`);
  const state = () => say("plugin inspect sleeper --format '{{.Enabled}} {{.Settings.Env}}'");
  await applyTwice(docker.plugin, { plugin: "sleeper", enabled: false, pluginOptions: { LEVEL: "a b $c" } }, on());
  expect(await state()).toBe("false [DEBUG=0 LEVEL=a b $c]");
  expect((await askFact(facts.DockerPlugins, {}, engine.host)).map(plugin => plugin.Name)).toEqual(["sleeper:latest"]);
  await applyTwice(docker.plugin, { plugin: "sleeper", present: false }, on());
  expect(await askFact(facts.DockerPlugins, {}, engine.host)).toEqual([]);
});
