/** Which lines of the configuration speak of a host. @module */
import { dirname, join } from "node:path";
import { expandHome } from "../../shared/paths.ts";
import { canonicalName, isCanonicalizing, type Resolve } from "./canonical.ts";
import type { ConfigFiles } from "./files.ts";
import { badLine, type Directive, type Place } from "./lines.ts";
import type { Settings } from "./settings.ts";
import { matchesHostList, matchesList, matchesPattern } from "./patterns.ts";
import { expandTokens, expandVariables, type TokenValues, type LocalAccount, tokensOf } from "./tokens.ts";

/** What a configuration is asked about. */
export interface HostQuery {
  /** The host as the user named it. */
  readonly host: string;
  /** Given by the user, stronger than any line. */
  readonly user?: string | undefined;
  readonly port?: number | undefined;
}

/** Where the lines come from, and what `Match exec` runs. */
export interface Sources {
  readonly files: ConfigFiles;
  readonly surroundings: LocalAccount;
  /** A file named by the user, which then is the only one. */
  readonly only?: string | undefined;
  readonly systemFile: string;
  /** True if the command ends with exit code 0. */
  readonly succeeds: (command: string) => Promise<boolean>;
  /** Looks names up where the configuration wants them made canonical; default: as the machine does. */
  readonly resolve: Resolve;
}

/** Includes may nest this deep, as in ssh. */
const DEEPEST = 16;
/** Keywords whose values add up; of all others the first counts. */
const ADDING = new Set([
  "identityfile",
  "certificatefile",
  "sendenv",
  "setenv",
  "localforward",
  "remoteforward",
  "dynamicforward",
]);

/** Read the configuration for a host: once, and again where canonical names or a `Match final` ask for it. Throws `ConnectError` where ssh would stop. */
export async function evaluate(question: HostQuery, sources: Sources): Promise<Settings> {
  const evaluation = new Evaluation(question, sources);
  await evaluation.pass(false);
  evaluation.hostname = await canonicalName(evaluation.hostname, evaluation, sources.resolve);
  // Canonical names, or a `Match final` anywhere, ask for all to be read again, now with the host name that came out.
  if (evaluation.wantsFinalPass || isCanonicalizing(evaluation)) await evaluation.pass(true);
  return evaluation;
}

interface ConfigBlock {
  /** The lines in force here count. */
  active: boolean;
  /** Part of an inactive block's include: nothing in it can become active. */
  readonly never: boolean;
  readonly depth: number;
  /** Where relative includes are looked for. */
  readonly directory: string;
  readonly ownedBy?: number | undefined;
}

class Evaluation implements Settings {
  wantsFinalPass = false;
  hostname = "";
  readonly #question: HostQuery;
  readonly #sources: Sources;
  readonly #values = new Map<string, Directive[]>();
  #final = false;

  constructor(question: HostQuery, sources: Sources) {
    this.#question = question;
    this.#sources = sources;
  }
  first(keyword: string): Directive | undefined {
    return this.#values.get(keyword)?.[0];
  }
  all(keyword: string): readonly Directive[] {
    return this.#values.get(keyword) ?? [];
  }

  async pass(final: boolean): Promise<void> {
    this.#final = final;
    await this.#readAll();
    if (!final) this.hostname = this.#names().hostname.toLowerCase();
  }

  async #readAll(): Promise<void> {
    const { only, systemFile, surroundings } = this.#sources;
    const own = join(surroundings.home, ".ssh");
    if (only !== undefined) {
      if (only.toLowerCase() !== "none")
        await this.#file(only, true, { active: true, never: false, depth: 0, directory: own });
      return;
    }
    await this.#file(join(own, "config"), false, {
      active: true,
      never: false,
      depth: 0,
      directory: own,
      ownedBy: surroundings.uid,
    });
    await this.#file(systemFile, false, { active: true, never: false, depth: 0, directory: dirname(systemFile) });
  }

  async #file(path: string, required: boolean, block: ConfigBlock): Promise<void> {
    const { ownedBy } = block;
    for (const line of await this.#sources.files.lines(path, {
      required,
      ...(ownedBy === undefined ? {} : { ownedBy }),
    })) {
      if (line.keyword === "host") block.active = !block.never && this.#matchesHost(line);
      else if (line.keyword === "match") block.active = (await this.#matches(line, block.never)) && !block.never;
      else if (line.keyword === "include") await this.#include(line, block);
      else if (block.active) this.#record(line);
    }
  }

  async #include(line: Directive, block: ConfigBlock): Promise<void> {
    if (block.depth >= DEEPEST) throw badLine(line.at, "Too many levels of Include");
    for (const written of line.args) {
      const named = expandVariables(written, this.#sources.surroundings.env, line.at);
      const pattern = expandHome(named, this.#sources.surroundings, block.directory);
      for (const path of await this.#sources.files.glob(pattern)) {
        // A Host or Match inside the other file ends with it.
        await this.#file(path, false, { ...block, never: block.never || !block.active, depth: block.depth + 1 });
      }
    }
  }

  #record(line: Directive): void {
    // The host name is settled before the final pass.
    if (this.#final && line.keyword === "hostname") return;
    // Whichever of the two is met first decides; but a jump of "none" leaves room for a command, as in ssh.
    if (line.keyword === "proxyjump" && this.first("proxycommand")) return;
    if (
      line.keyword === "proxycommand" &&
      this.first("proxyjump") &&
      this.first("proxyjump")?.rest.toLowerCase() !== "none"
    )
      return;
    const values = this.#values.get(line.keyword);
    if (!values) this.#values.set(line.keyword, [line]);
    else if (ADDING.has(line.keyword)) values.push(line);
  }

  #matchesHost(line: Directive): boolean {
    const host = this.#final ? this.hostname : this.#question.host;
    let found = false;
    for (const pattern of line.args) {
      if (pattern.startsWith("!")) {
        if (matchesPattern(host, pattern.slice(1))) return false;
      } else if (matchesPattern(host, pattern)) found = true;
    }
    return found;
  }

  async #matches(line: Directive, never: boolean): Promise<boolean> {
    let result = !never;
    const criteria = parseCriteria(line);
    for (const { negated, name, argument } of criteria) {
      if (name === "all") {
        if (negated || criteria.some(other => !["all", "canonical", "final"].includes(other.name))) {
          throw badLine(line.at, 'The criterion "all" cannot be combined with others');
        }
        continue;
      }
      if (name === "final" && !never) this.wantsFinalPass = true;
      // Commands are not run for nothing.
      if (!result) continue;
      if ((await this.#meets(name, argument, line.at)) === negated) result = false;
    }
    return result;
  }

  async #meets(name: string, argument: string, at: Place): Promise<boolean> {
    const { surroundings, succeeds } = this.#sources;
    const names = this.#names();
    switch (name) {
      case "host":
        return matchesHostList(this.#final ? this.hostname : names.hostname, argument);
      case "originalhost":
        return matchesHostList(this.#question.host, argument);
      case "user":
        return matchesList(names.user, argument);
      case "localuser":
        return matchesList(surroundings.user, argument);
      case "exec":
        return await succeeds(expandTokens(argument, tokensOf(names, surroundings), at));
      case "final":
      case "canonical":
        return this.#final;
      default:
        throw badLine(at, `The criterion ${JSON.stringify(name)} of Match is not understood`);
    }
  }

  /** What is known so far. */
  #names(): TokenValues {
    const { host, user, port } = this.#question;
    const hostname = this.first("hostname");
    const expanded = hostname ? expandTokens(hostname.args[0] ?? "", { h: host }, hostname.at, "h") : host;
    return {
      original: host,
      hostname: this.#final ? this.hostname : expanded,
      port: port ?? Number(this.first("port")?.args[0] ?? 22),
      user: user ?? this.first("user")?.args[0] ?? this.#sources.surroundings.user,
      jump: this.first("proxyjump")?.rest ?? "",
      alias: this.first("hostkeyalias")?.args[0] ?? host,
    };
  }
}

interface Criterion {
  readonly negated: boolean;
  readonly name: string;
  readonly argument: string;
}

/** Criteria that stand alone. */
const ALONE = new Set(["all", "canonical", "final"]);

function parseCriteria(line: Directive): readonly Criterion[] {
  const criteria: Criterion[] = [];
  let rest = line.rest;
  const word = (): string => {
    const parts = WORD.exec(rest);
    rest = rest.slice(parts?.[0].length ?? 0);
    return parts?.[1] ?? parts?.[2] ?? "";
  };
  while (rest !== "" && !rest.startsWith("#")) {
    const written = word();
    const negated = written.startsWith("!");
    const name = (negated ? written.slice(1) : written).toLowerCase();
    if (name === "") throw badLine(line.at, "A criterion of Match is missing");
    const argument = ALONE.has(name) ? "" : word();
    if (!ALONE.has(name) && argument === "")
      throw badLine(line.at, `The criterion ${JSON.stringify(name)} of Match has no argument`);
    criteria.push({ negated, name, argument });
  }
  return criteria;
}
const WORD = /^(?:"([^"]*)"|([^ \t\r"=]*))[ \t\r]*=?[ \t\r]*/;
