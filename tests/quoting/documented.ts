/** What is not a fault, and why: the test fails for an entry that nothing needs. @module */
import type { Fault } from "./judge.ts";

/** Places in which some faults are what the argument is for. */
export interface Documented {
  /** `operation place`, as in `apt.packages extraInstallArgs[]`. */
  readonly places: RegExp;
  readonly faults: readonly Fault[];
  readonly reason: string;
  /** Only with this argument set. */
  readonly when?: string;
}

export const DOCUMENTED: readonly Documented[] = [
  {
    places: /^server\.shell commands$/,
    faults: ["ran", "broken", "split", "changed", "expanded", "program", "option"],
    reason: "it is a text for the host's shell",
  },
  {
    places: /^server\.shell commands\[\]$/,
    faults: ["ran", "broken", "split", "changed", "expanded", "program", "option"],
    reason: "each is a text for the host's shell",
  },
  {
    places: /^ssh\.command command$/,
    faults: ["ran", "broken", "split", "changed", "expanded", "program", "option"],
    reason: "it is a text for the other host's shell",
  },
  {
    places: /^files\.(?:line (?:line|replace)|replace (?:text|match|replace))$/,
    faults: ["ran", "broken", "split", "changed", "expanded"],
    when: "interpolateVariables",
    reason: "the host's shell is asked to expand it",
  },
  {
    places: /^crontab\.crontab (?:command|cronName|minute|hour|month|dayOf\w+|specialTime)(?:\[\])?$/,
    faults: ["ran", "broken", "split", "changed", "expanded"],
    when: "interpolateVariables",
    reason: "the host's shell is asked to expand the line",
  },
  {
    places: /^files\.FindInFile pattern$/,
    faults: ["ran", "broken", "split", "changed", "expanded"],
    when: "interpolateVariables",
    reason: "the host's shell is asked to expand it",
  },
  {
    places: /^server\.Command command$/,
    faults: ["ran", "broken", "split", "changed", "expanded", "program", "option"],
    reason: "it is a text for the host's shell",
  },

  {
    places: / extra(?:Global)?(?:Install|Uninstall)?Args$/,
    faults: ["split", "changed", "option"],
    reason: "a text of options is split into words, as the docs say; each word is quoted",
  },
  { places: / extra(?:Global)?(?:Install|Uninstall)?Args\[\]$/, faults: ["option"], reason: "they are options" },
  {
    places: /^(?:files\.unarchive extraOpts|files\.Find\w+ args|iptables\.IptablesRuleExists rule)\[\]$/,
    faults: ["option"],
    reason: "they are options",
  },
  { places: /^files\.download extra(?:Curl|Wget)Args\{key\}$/, faults: ["option"], reason: "the keys are options" },
  {
    places: /^iptables\.rule extras$/,
    faults: ["split", "changed", "option"],
    reason: "a text of options is split into words; each word is quoted",
  },
  { places: /^iptables\.rule extras\[\]$/, faults: ["option"], reason: "they are options" },
  {
    places: /^apt\.SimulateOperationWillChange command$/,
    faults: ["split", "changed", "option"],
    reason: "it is what stands behind apt-get, options included",
  },
  {
    places: /^docker\.container command$/,
    faults: ["split", "changed", "option"],
    reason: "it is split into words, and stands behind the image, where docker looks for no options",
  },
  {
    places: /^docker\.container command\[\]$/,
    faults: ["option"],
    reason: "it stands behind the image, where docker looks for no options",
  },
  {
    places: /\.(?:service|process) command$/,
    faults: ["split", "option"],
    reason: "it is a command of the service manager with its options; each word is quoted",
  },

  {
    places: /^docker\.(?:build buildCmd|compose composeCommand)(?:\[\])?$/,
    faults: ["program", "split", "changed", "option", "expanded"],
    reason: "it names the program that is run",
  },
  {
    places:
      /^pip\.(?:packages|PipPackages|Pip3Packages|virtualenv|venv) (?:pip|virtualenv|python|virtualenvKwargs\.python)$/,
    faults: ["program"],
    reason: "it names the program that is run, or the directory of it",
  },
  {
    places: /^(?:bsdinit|sysvinit|server)\.service service$/,
    faults: ["program"],
    reason: "it names a script in /etc/rc.d or /etc/init.d",
  },

  {
    places: /^(?:files\.(?:put|block) content|server\.user(?:AuthorizedKeys)? publicKeys)/,
    faults: ["line"],
    reason: "it is a content of any number of lines",
  },
  { places: /^docker\.login password/, faults: ["line"], reason: "it goes to the standard input of docker" },

  {
    places: /^git\.config value$/,
    faults: ["option"],
    reason: "git config looks for no options behind the name of a setting",
  },
  {
    places: /^(?:pip|uv)\.(?:packages|tools) (?:packages|tools)(?:\[\])?$/,
    faults: ["split"],
    reason: "of a requirement with a URL only that is handed on",
  },
  {
    places: /^apt\.key src$/,
    faults: ["changed", "split"],
    reason:
      "the name of the keyring is made of it, in small letters and with underscores for what is no part of a name",
  },
  {
    places: /^portage\.packages packages(?:\[\])?$/,
    faults: ["changed"],
    reason: "a version is joined to its name as portage does it",
  },
  {
    places: /^files\.Find(?:Directories|Files|Links) path$/,
    faults: ["expanded"],
    reason: "with quotePath: false the host's shell expands its wildcards, as was asked",
  },
  {
    places: /^s6\.service services(?:\[\])?$/,
    faults: ["option"],
    reason: "s6-rc-set-change looks for no options behind its first operand",
  },
  {
    places: /^freebsd\.service\.service command\[\]$/,
    faults: ["option"],
    reason: "it is the command of a service with its words, and stands behind the name of the service",
  },
  { places: /^runit\.RunitStatus service$/, faults: ["option"], reason: "sv looks for no options behind its command" },
  {
    places: /^ufw\.rule (?:comment|interface|proto)$/,
    faults: ["option"],
    reason: "ufw looks for options only before its command",
  },
  {
    places: /^runit\.RunitStatus svDir$/,
    faults: ["expanded", "split", "changed", "option"],
    reason: "the pattern is the fact's own, for all services",
  },
  { places: /^server\.Home user$/, faults: ["expanded"], reason: "the home without a user is one's own" },
];

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** What docker takes, podman and the compose program of old take as well. */
const DOCKER_BUILD = words(
  "--build-arg --builder --cache-from --cache-to --label --network --platform --secret --target -f -t",
);

const IPTABLES = words("-C -t -d -s -i -o -j -p --dport --sport --log-prefix --to-destination --to-source --to-ports");

/** Options whose next word is their value whatever it begins with, by program, or by program and its first word: getopt, and what is like it. */
export const TAKES_NEXT_WORD: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["apt-key", words("--keyserver")],
  ["chcon", words("-t")],
  ["crontab", words("-u")],
  ["curl", words("--user --proxy --header --retry")],
  [
    "docker",
    words(
      "--build-arg --builder --cache-from --cache-to --label --network --platform --secret --target --project-directory --project-name --name --dns --entrypoint --env-file --hostname --memory --mount --restart --user --username --aux-address --gateway --ip-range --ipam-driver --ipam-opt --opt --scope --subnet --alias",
    ),
  ],
  ["docker build", words("-f -t")],
  ["docker buildx", words("-f -t")],
  ["docker-compose", words("-f --project-directory --project-name")],
  ["docker compose", words("-f")],
  ["docker container", words("-e -p -v")],
  ["docker network", words("-d")],
  ["docker volume", words("-d")],
  ["find", words("-name -iname -regex")],
  ["freebsd-update", words("-b -f --currently-running -j -k -s -d")],
  ["gpg", words("--keyring --keyserver")],
  ["grep", words("-e")],
  ["groupadd", words("--gid")],
  ["ip6tables", IPTABLES],
  ["ip6tables-save", words("-t")],
  ["iptables", IPTABLES],
  ["iptables-save", words("-t")],
  ["mount", words("-t -o")],
  ["mysql", words("-Be")],
  ["pg_dump", words("-d -h -U")],
  ["pkg", words("-j -r")],
  ["printf", words("%s %s\n %s\\n")],
  ["psql", words("-d -h -U -Ac")],
  ["pw", words("-c -d -g -s")],
  ["s6-rc-repo-list", words("-r")],
  ["s6-rc-set-change", words("-r")],
  ["s6-rc-set-status", words("-r")],
  ["service", words("-j -E")],
  ["supervisorctl", words("--configuration --password --serverurl --username")],
  ["sysrc", words("-j")],
  ["podman build", DOCKER_BUILD],
  ["podman compose", words("-f --project-directory --project-name")],
  ["s6", words("-s")],
  ["useradd", words("-c -d -g -p -s")],
  ["usermod", words("-c -d -g -p -s")],
  ["vzctl", words("--description --ostemplate --hostname --nameserver --ipadd")],
  ["wget", words("--header --user --tries -O")],
  ["zfs", words("-o -V")],
]);
