/** `npm run bench [-- --quick] [-- --only NAME]`: tsinfra, the floor and Ansible side by side, on this machine. @module */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { raiseFleet, sh, writeSources, type Fleet } from "./fleet.ts";
import { type Contender, type Figures, race } from "./measure.ts";
import { checkState, floorCommand, writeDeploy, writeFloor, writePlaybook } from "./workload.ts";

const ROOT = `${import.meta.dir}/../..`;
const TSINFRA = `${ROOT}/dist/tsinfra`;
const quick = process.argv.includes("--quick");
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const RUNS = quick ? 2 : 5;
const ansible = !quick && Bun.which("ansible-playbook") !== null;

interface Result {
  readonly scenario: string;
  readonly figures: readonly Figures[];
}
const results: Result[] = [];

async function scenario(name: string, contenders: readonly Contender[], runs = RUNS): Promise<void> {
  if (only !== undefined && !name.includes(only)) return;
  const figures = await race(contenders, runs);
  results.push({ scenario: name, figures });
  for (const row of rows({ scenario: name, figures })) console.log(row);
}

/** Median, spread and ratio to the floor, where the scenario has one. */
function rows({ scenario: name, figures }: Result): string[] {
  const floor = figures.find(figure => figure.name === "floor");
  return figures.map(figure => {
    const ratio = floor && figure !== floor ? `${(figure.median / floor.median).toFixed(2)} ×` : "";
    return `| ${name} | ${figure.name} | ${figure.median.toFixed(3)} | ${figure.min.toFixed(3)}–${figure.max.toFixed(3)} | ${ratio} | ${figure.cpu.toFixed(2)} | ${figure.memory.toFixed(0)} |`;
  });
}
const HEAD = [
  "| scenario | program | median s | min–max s | ratio to floor | controller CPU s | peak MB |",
  "|---|---|---|---|---|---|---|",
];

async function start(fleet: Fleet): Promise<void> {
  const empty = `${fleet.directory}/empty`;
  writeFileSync(`${fleet.directory}/empty.ts`, "");
  await sh(
    `${process.execPath} build --compile --minify --bytecode --format=esm ${fleet.directory}/empty.ts --outfile ${empty}`,
  );
  writeFileSync(`${fleet.directory}/noop.ts`, "export default () => {};\n");
  const runs = quick ? 5 : 20;
  await scenario(
    "start: --version",
    [
      { name: "floor", command: [empty] },
      { name: "tsinfra", command: [TSINFRA, "--version"] },
    ],
    runs,
  );
  await scenario(
    "@local exec true",
    [
      { name: "floor", command: ["sh", "-c", "true"] },
      { name: "tsinfra", command: [TSINFRA, "@local", "exec", "--", "true"] },
    ],
    runs,
  );
  await scenario(
    "@local, a deploy that does nothing",
    [{ name: "tsinfra", command: [TSINFRA, "@local", `${fleet.directory}/noop.ts`, "-y"] }],
    runs,
  );
}

async function exec(fleet: Fleet, hosts: number): Promise<void> {
  const port = await fleet.port(0);
  await scenario(`exec true, ${hosts} hosts`, [
    { name: "floor", command: floorCommand(fleet, hosts, port, "true") },
    { name: "tsinfra", command: [TSINFRA, fleet.inventory(hosts, port), "exec", "--", "true"] },
  ]);
}

async function deploy(fleet: Fleet, hosts: number, roundTrip: number): Promise<void> {
  const port = await fleet.port(roundTrip);
  const scripts = writeFloor(fleet, hosts);
  const clean = async (): Promise<void> => void (await fleet.run("rm -rf ~/work; mkdir ~/work"));
  const prepare = async (): Promise<void> =>
    void (await fleet.run(`cd ~/work && for h in $(seq 0 ${hosts - 1}); do mkdir -p h$h; done`));
  const after = (): Promise<void> => checkState(fleet, hosts);
  const contenders: Contender[] = [
    { name: "floor", command: floorCommand(fleet, hosts, port, "sh -s", `${scripts}/hN.sh`), after },
    { name: "tsinfra", command: [TSINFRA, fleet.inventory(hosts, port), `${fleet.directory}/deploy.ts`, "-y"], after },
  ];
  if (ansible && hosts <= 10 && roundTrip === 0) contenders.push(ansibleContender(fleet, hosts, port, after));
  const label = `25 operations, ${hosts} hosts${roundTrip ? `, ${roundTrip} ms` : ""}`;
  await scenario(
    `${label}, first run`,
    contenders.map(contender => ({
      ...contender,
      before: async () => {
        await clean();
        await prepare();
      },
    })),
  );
  await clean();
  await prepare();
  await scenario(`${label}, second run`, contenders);
}

function ansibleContender(fleet: Fleet, hosts: number, port: number, after: () => Promise<void>): Contender {
  const { directory, user } = fleet;
  const key = fleet.ssh(port)[3]!;
  writeFileSync(
    `${directory}/ansible-${hosts}.ini`,
    Array.from(
      { length: hosts },
      (_, i) =>
        `h${i} ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${user} ansible_ssh_private_key_file=${key} work=${fleet.work(i)}`,
    ).join("\n"),
  );
  writeFileSync(
    `${directory}/ansible.cfg`,
    `[defaults]\nforks=${hosts}\nhost_key_checking=False\ninterpreter_python=/usr/bin/python3\nretry_files_enabled=False\n[ssh_connection]\npipelining=True\nssh_args=-F /dev/null -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${directory}/known_hosts\ncontrol_path=${directory}/cm-%%h-%%p-%%r\n`,
  );
  return {
    name: "ansible",
    runs: 2,
    command: ["ansible-playbook", "-i", `${directory}/ansible-${hosts}.ini`, writePlaybook(directory)],
    env: { ANSIBLE_CONFIG: `${directory}/ansible.cfg`, HOME: directory },
    after,
  };
}

async function uploads(fleet: Fleet, hosts: number): Promise<void> {
  const port = await fleet.port(0);
  mkdirSync(`${fleet.directory}/files`, { recursive: true });
  for (let i = 0; i < 5; i++) await sh(`head -c 20000000 /dev/urandom > ${fleet.directory}/files/big-${i}`);
  writeFileSync(
    `${fleet.directory}/upload.ts`,
    `import { host } from "tsinfra";\nimport { files } from "tsinfra/operations";\nfor (let i = 0; i < 5; i++) files.put({ src: \`files/big-\${i}\`, dest: \`\${host.data["work"]}/big-\${i}\`, force: true });\n`,
  );
  const prepare = async (): Promise<void> =>
    void (await fleet.run(`rm -rf ~/work; for h in $(seq 0 ${hosts - 1}); do mkdir -p ~/work/h$h; done`));
  const after = async (): Promise<void> => {
    const [local, remote] = await Promise.all([
      sh(`cat ${fleet.directory}/files/big-* | sha1sum`),
      fleet.run(`cat ~/work/h${hosts - 1}/big-* | sha1sum`),
    ]);
    if (local !== remote) throw new Error("The files that arrived are not those that were sent");
  };
  const ssh = fleet.ssh(port);
  const options = ssh
    .slice(0, -1)
    .map(option => (option === "-p" ? "-P" : option))
    .join(" ");
  const each = (command: string): readonly string[] => ["sh", "-c", `seq 0 ${hosts - 1} | xargs -P 20 -I N ${command}`];
  await scenario(
    `5 × 20 MB, ${hosts} hosts`,
    [
      {
        name: "floor",
        command: each(
          `scp -q ${options} ${[0, 1, 2, 3, 4].map(i => `${fleet.directory}/files/big-${i}`).join(" ")} ${ssh.at(-1)}:work/hN/`,
        ),
        before: prepare,
        after,
      },
      ...(Bun.which("rsync")
        ? [
            {
              name: "rsync",
              command: each(
                `rsync -W --inplace -e "ssh ${ssh.slice(0, -1).join(" ")}" ${[0, 1, 2, 3, 4].map(i => `${fleet.directory}/files/big-${i}`).join(" ")} ${ssh.at(-1)}:work/hN/`,
              ),
              before: prepare,
              after,
            },
          ]
        : []),
      {
        name: "tsinfra",
        command: [TSINFRA, fleet.inventory(hosts, port), `${fleet.directory}/upload.ts`, "-y"],
        before: prepare,
        after,
      },
    ],
    Math.min(RUNS, 3),
  );
}

async function thousand(fleet: Fleet): Promise<void> {
  const port = await fleet.port(0);
  writeFileSync(
    `${fleet.directory}/small.ts`,
    `import { server } from "tsinfra/operations";\nfor (let i = 0; i < 5; i++) server.shell({ commands: [\`true \${i}\`] });\n`,
  );
  await scenario(
    "exec true, 1000 hosts",
    [{ name: "tsinfra", command: [TSINFRA, fleet.inventory(1000, port), "exec", "--", "true"] }],
    1,
  );
  await scenario(
    "5 operations, 1000 hosts",
    [{ name: "tsinfra", command: [TSINFRA, fleet.inventory(1000, port), `${fleet.directory}/small.ts`, "-y"] }],
    1,
  );
}

if (!existsSync(TSINFRA)) throw new Error("There is no dist/tsinfra: run `npm run build` first");
await using fleet = await raiseFleet();
writeSources(fleet.directory);
writeDeploy(fleet.directory);
for (const line of HEAD) console.log(line);
await start(fleet);
for (const hosts of quick ? [1, 10] : [1, 10, 50, 100, 200]) await exec(fleet, hosts);
for (const hosts of quick ? [1, 10] : [1, 10, 50, 100]) await deploy(fleet, hosts, 0);
for (const roundTrip of quick ? [20] : [20, 100]) for (const hosts of [1, 10]) await deploy(fleet, hosts, roundTrip);
for (const hosts of quick ? [1] : [1, 10]) await uploads(fleet, hosts);
if (!quick) await thousand(fleet);

mkdirSync(`${ROOT}/dist/bench`, { recursive: true });
writeFileSync(
  `${ROOT}/dist/bench/results.json`,
  `${JSON.stringify({ date: new Date().toISOString(), quick, results }, undefined, 2)}\n`,
);
writeFileSync(`${ROOT}/dist/bench/results.md`, `${[...HEAD, ...results.flatMap(rows)].join("\n")}\n`);
rmSync(`${fleet.directory}/files`, { recursive: true, force: true });
