/** The deploy that everybody runs: 25 operations a host, 20 of them about files. @module */
import { readFileSync, writeFileSync } from "node:fs";
import { type Fleet, quote } from "./fleet.ts";

/** For tsinfra. */
export function writeDeploy(directory: string): string {
  const path = `${directory}/deploy.ts`;
  writeFileSync(
    path,
    `import { host } from "tsinfra";
import { files, server } from "tsinfra/operations";
const work = String(host.data["work"]);
for (let i = 0; i < 5; i++) files.directory({ path: \`\${work}/dir-\${i}\`, mode: "755" });
for (let i = 0; i < 5; i++) files.file({ path: \`\${work}/dir-\${i}/file\`, mode: "644" });
for (let i = 0; i < 5; i++) files.put({ src: \`files/put-\${i}\`, dest: \`\${work}/dir-\${i}/put\`, mode: "644" });
for (let i = 0; i < 5; i++) files.template({ src: \`files/template-\${i}.j2\`, dest: \`\${work}/dir-\${i}/template\`, mode: "644", data: { name: host.name } });
for (let i = 0; i < 5; i++) server.shell({ commands: [\`echo run \${i} >/dev/null\`] });
`,
  );
  return path;
}

/** The floor: what a careful engineer sends down one connection, checking before writing. */
export function writeFloor(fleet: Fleet, hosts: number): string {
  const directory = `${fleet.directory}/floor`;
  for (let host = 0; host < hosts; host++) {
    const work = fleet.work(host);
    const lines = ["set -e", `mkdir -p ${work}`];
    const ensure = (path: string, content: string): void => {
      lines.push(
        `if [ "$(sha1sum <${path} 2>/dev/null)" != "${sha1(content)}  -" ]; then cat >${path}.tmp <<'EOF'\n${content.replace(/\n$/, "")}\nEOF\nchmod 644 ${path}.tmp; mv ${path}.tmp ${path}; fi`,
      );
    };
    for (let i = 0; i < 5; i++)
      lines.push(
        `[ -d ${work}/dir-${i} ] || mkdir ${work}/dir-${i}`,
        `[ "$(stat -c %a ${work}/dir-${i})" = 755 ] || chmod 755 ${work}/dir-${i}`,
      );
    for (let i = 0; i < 5; i++)
      lines.push(
        `[ -f ${work}/dir-${i}/file ] || : >${work}/dir-${i}/file`,
        `[ "$(stat -c %a ${work}/dir-${i}/file)" = 644 ] || chmod 644 ${work}/dir-${i}/file`,
      );
    for (let i = 0; i < 5; i++)
      ensure(`${work}/dir-${i}/put`, readFileSync(`${fleet.directory}/files/put-${i}`, "utf8"));
    for (let i = 0; i < 5; i++)
      ensure(
        `${work}/dir-${i}/template`,
        readFileSync(`${fleet.directory}/files/template-${i}.j2`, "utf8").replaceAll("{{ name }}", `h${host}`),
      );
    for (let i = 0; i < 5; i++) lines.push(`sh -c 'echo run ${i} >/dev/null'`);
    Bun.write(`${directory}/h${host}.sh`, `${lines.join("\n")}\n`);
  }
  return directory;
}

/** `xargs` over the hosts, 20 at once, one `ssh` each. */
export const floorCommand = (
  fleet: Fleet,
  hosts: number,
  port: number,
  remote: string,
  input?: string,
): readonly string[] => [
  "sh",
  "-c",
  `seq 0 ${hosts - 1} | xargs -P 20 -I N sh -c ${quote(`exec ssh ${fleet.ssh(port).map(quote).join(" ")} ${quote(remote)}${input ? ` <${input}` : " </dev/null"}`)}`,
];

/** For Ansible: the same tasks. */
export function writePlaybook(directory: string): string {
  const tasks: string[] = [];
  const loop = (name: string, body: (i: number) => string): void => {
    for (let i = 0; i < 5; i++) tasks.push(`    - name: ${name} ${i}\n${body(i)}`);
  };
  loop("directory", i => `      file: { path: "{{ work }}/dir-${i}", state: directory, mode: "0755" }`);
  loop(
    "file",
    i =>
      `      file: { path: "{{ work }}/dir-${i}/file", state: touch, mode: "0644", access_time: preserve, modification_time: preserve }`,
  );
  loop("put", i => `      copy: { src: "${directory}/files/put-${i}", dest: "{{ work }}/dir-${i}/put", mode: "0644" }`);
  loop(
    "template",
    i =>
      `      template: { src: "${directory}/files/template-${i}.j2", dest: "{{ work }}/dir-${i}/template", mode: "0644" }`,
  );
  loop("shell", i => `      shell: "echo run ${i} >/dev/null"`);
  writeFileSync(
    `${directory}/playbook.yml`,
    `- hosts: all\n  gather_facts: false\n  vars: { name: "{{ inventory_hostname }}" }\n  tasks:\n${tasks.join("\n")}\n`,
  );
  return `${directory}/playbook.yml`;
}

/** Every host's files are there, with the content and the modes asked for. Throws with what is not. */
export async function checkState(fleet: Fleet, hosts: number): Promise<void> {
  const expected = [0, 1, 2, 3, 4].map(i => sha1(readFileSync(`${fleet.directory}/files/put-${i}`, "utf8")));
  const report = await fleet.run(
    `cd ~/work && for h in $(seq 0 ${hosts - 1}); do for i in 0 1 2 3 4; do d=h$h/dir-$i; echo $h $i $(stat -c %a $d $d/file $d/put $d/template) $(sha1sum <$d/put | cut -c1-40) $(grep -c "^h$h = value" $d/template); done; done`,
  );
  const lines = report.trim().split("\n");
  if (lines.length !== hosts * 5) throw new Error(`Expected ${hosts * 5} directories, found ${lines.length}`);
  for (const line of lines) {
    const [host, i = "0", ...rest] = line.split(" ");
    const wanted = ["755", "644", "644", "644", expected[Number(i)], "20"].join(" ");
    if (rest.join(" ") !== wanted) throw new Error(`h${host} dir-${i} is ${rest.join(" ")}, not ${wanted}`);
  }
}

const sha1 = (text: string): string => new Bun.CryptoHasher("sha1").update(text).digest("hex");
