/** What package managers have in common: which packages to install, to remove, to upgrade. @module */
import { sh, type Shell, type Word } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import type { Steps } from "../../core/steps.ts";
import type { Packages } from "../../facts/shared/packages.ts";
import { shellWords } from "../../facts/shared/shell-words.ts";

/** Packages to install or to remove. */
export interface PackageArguments {
  /** Name of a package, or several. */
  readonly packages?: string | readonly string[];
  /** Install them; `false` removes them. Default true. */
  readonly present?: boolean;
}

/** Packages to keep up to date. */
export interface LatestArguments {
  /** Also upgrade the packages that are installed already and have no version given. Default false. */
  readonly latest?: boolean;
}

/** What to do before packages are looked at. */
export interface RefreshArguments {
  /** Refresh the list of available packages first. Default false. */
  readonly update?: boolean;
  /** Upgrade everything that is installed first. Default false. */
  readonly upgrade?: boolean;
}

/** How one package manager spells what they all do; each command is followed by the packages. */
export interface PackageManager {
  readonly install: Shell;
  readonly remove: Shell;
  /** Absent: it does not upgrade single packages. */
  readonly upgrade?: Shell;
  /** What joins a name and a version; absent: a version cannot be asked for. */
  readonly pin?: string;
  /** What a name stands for, such as the members of a group, each with a version if it has to have that one. None: itself. */
  expand?(host: OperationHost, name: string): Promise<readonly Member[]>;
}

/** A package that another name stands for. */
export interface Member {
  readonly name: string;
  readonly version?: string;
}

/** One package that is wanted. */
export interface WantedPackage {
  readonly name: string;
  /** Its name in the list of what is installed; default: `name`. */
  readonly key?: string;
  /** What the package manager is told. */
  readonly word: string;
  /** Whether this installed version will do; absent: any will. */
  accepts?(version: string): boolean;
}

/** What is wanted of some packages. */
export interface Want {
  readonly packages?: string | readonly (string | WantedPackage)[] | undefined;
  readonly present?: boolean | undefined;
  readonly latest?: boolean | undefined;
}

/** Yield the commands that bring the packages into the wanted state: at most one to install or remove, and one to upgrade. */
export async function* ensurePackages(
  host: OperationHost,
  installed: Packages,
  want: Want,
  manager: PackageManager,
): Steps {
  const { present = true, latest = false } = want;
  const change: string[] = [];
  const upgrade: string[] = [];
  for (const wanted of wantedPackages(want.packages, manager.pin)) {
    const members = (await manager.expand?.(host, wanted.name)) ?? [];
    const has = hasPackage(installed, wanted, members, present);
    if (has !== present) change.push(wanted.word);
    else if (!present) host.noop(`package ${wanted.name} is not installed`);
    else {
      if (!wanted.accepts) upgrade.push(wanted.word);
      if (!latest) host.noop(`package ${wanted.name} is installed${versionsNote(installed, wanted)}`);
    }
  }
  if (change.length > 0) yield sh`${present ? manager.install : manager.remove} ${change}`;
  if (latest && manager.upgrade && upgrade.length > 0) yield sh`${manager.upgrade} ${upgrade}`;
}

function hasPackage(installed: Packages, wanted: WantedPackage, members: readonly Member[], every: boolean): boolean {
  if (members.length === 0) return hasVersion(installed, wanted.key ?? wanted.name, wanted.accepts);
  // A member that is listed with several versions is there when one of them is.
  const checks = [...Map.groupBy(members, member => member.name)].map(([name, versions]) => {
    const wantedVersions = versions.flatMap(({ version }) => version ?? []);
    return hasVersion(
      installed,
      name,
      wantedVersions.length > 0 ? version => wantedVersions.includes(version) : undefined,
    );
  });
  return every ? checks.every(Boolean) : checks.some(Boolean);
}

function hasVersion(installed: Packages, name: string, accepts: ((version: string) => boolean) | undefined): boolean {
  const versions = versionsOf(installed, name);
  return versions !== undefined && (!accepts || versions.some(accepts));
}

const versionsOf = (installed: Packages, name: string): readonly string[] | undefined =>
  Object.hasOwn(installed, name) ? installed[name] : undefined;

function versionsNote(installed: Packages, { name, key = name }: WantedPackage): string {
  const versions = versionsOf(installed, key);
  return versions ? ` (${versions.join(",")})` : "";
}

/** The packages that an argument names, pinned by what joins name and version. Throws `OperationValueError` for what cannot be a name. */
function wantedPackages(packages: Want["packages"] = [], pin: string | undefined): readonly WantedPackage[] {
  const wanted = (typeof packages === "string" ? [packages] : packages).map(given =>
    typeof given === "string" ? pinned(given, pin) : given,
  );
  checkNames(wanted.map(({ word }) => word));
  return wanted;
}

/** The names of packages as a list. Throws `OperationValueError` for what cannot be a name, or would be taken for an option. */
export function checkNames(names: string | readonly string[]): readonly string[] {
  const list = typeof names === "string" ? [names] : names;
  for (const name of list) {
    if (name.trim() === "") throw new OperationValueError("A package has an empty name");
    if (name.startsWith("-")) throw new OperationValueError(`A package name cannot begin with a dash: got "${name}"`);
  }
  return list;
}

/** `vim=9.0` as a name and the one version that will do. The name of a scoped package may itself begin with what joins them: `@types/node`. */
function pinned(text: string, pin: string | undefined): WantedPackage {
  const at = pin === undefined ? -1 : text.lastIndexOf(pin);
  if (pin === undefined || at <= 0) return { name: text, word: text };
  const [name, version] = [text.slice(0, at), text.slice(at + pin.length)];
  return version === "" ? { name, word: name } : { name, word: text, accepts: installed => installed === version };
}

/** Options as a user writes them: a list has one word per item, a text is split into words, quotes holding one together. */
export type ExtraArguments = string | readonly string[];

/** The words of extra options, for a hole of ``sh`…` ``. Throws `OperationValueError` for a quote that does not end. */
export function extraWords(extra: ExtraArguments | undefined): readonly Word[] {
  if (typeof extra !== "string") return extra ?? [];
  try {
    return shellWords(extra);
  } catch {
    throw new OperationValueError(`A quote does not end in the options \`${extra}\``);
  }
}
