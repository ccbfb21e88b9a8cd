/** Hosts and the inventory, as a deploy file sees them. @module */
import type { ConnectorArguments, GlobalArguments } from "../../core/arguments.ts";
import { ConnectError, DeployError, FactError, InventoryError } from "../../core/errors.ts";
import { copyOf } from "../../core/copy.ts";
import type { Host } from "../../core/host.ts";
import type { HostData } from "../../core/host-data.ts";
import { logged } from "../../core/logged.ts";
import { nearest } from "../../core/nearest.ts";
import { type Inventory, scopeOrNone } from "../../core/scope.ts";
import type { DeployPoint, Engine } from "../engine.ts";
import { splitArguments } from "../host/arguments.ts";
import type { HostState } from "../host-state.ts";
import { runDirect } from "./commands.ts";

/** The block of a deploy file that is in force where something is asked of its host. */
export interface Block {
  readonly point: DeployPoint;
  /** Run a body with stronger arguments. */
  within<R>(what: string, args: GlobalArguments, body: () => R): R;
  loop<T>(items: Iterable<T>): Iterable<T>;
  /** Ask something of the host once the operations that were declared here have run, where they run at once; remember it until it is answered. */
  asking<T>(what: string, ask: () => Promise<T>): Promise<T>;
}

/** The current host of a deploy file; `inForce` is asked at every use, as the object may be kept in a variable. */
export function hostFacade(engine: Engine, state: HostState, inForce: () => Block): Host {
  const { emit } = engine.settings;
  return {
    name: state.name,
    groups: state.groups,
    get data(): HostData {
      return state.data(inForce().point.data);
    },
    getFact: (fact, ...given) => {
      const block = inForce();
      // In a callback it is asked later.
      const asked = copyOf(given);
      // What the file makes of an answer is not what the host has said.
      return block.asking(fact?.name, () => engine.ask(state, fact, asked, block.point).then(copyOf));
    },
    when: (condition, body) => {
      // Nothing in place of a condition would be no condition.
      const { globals } = splitArguments("host.when", { _if: condition ?? [condition] });
      return inForce().within("host.when()", globals, body);
    },
    withArguments: (args, body) => {
      const { globals } = splitArguments("host.withArguments", args);
      engine.settings.checkArguments("host.withArguments", {}, globals);
      return inForce().within("host.withArguments()", globals, body);
    },
    loop: items => inForce().loop(items),
    log: message => emit({ type: "log", level: "info", message: logged(message), host: state.name }),
    noop: reason => emit({ type: "noop", host: state.name, operation: "", reason }),
    run: (command, args: ConnectorArguments = {}) => {
      const block = inForce();
      const given = copyOf(args);
      return block.asking("host.run()", () => runDirect(engine, state, command, given, block.point));
    },
  };
}

/** A host other than the current one: facts and data, no operations. The same object for everybody who looks. */
export function passiveHost(engine: Engine, state: HostState): Host {
  const known = passiveHosts.get(state);
  if (known) return known;
  const { settings } = engine;
  /** What the deploy file that asks has set holds for its questions, whomever they are for. */
  const here = (): DeployPoint => ({
    context: {},
    config: { ...(scopeOrNone()?.config ?? settings.config) },
    data: [],
  });
  const data = state.data();
  const facade: Host = {
    name: state.name,
    groups: state.groups,
    // An accessor, so that the host is no plain data, which would be copied where it is given to an operation.
    get data() {
      return data;
    },
    getFact: (fact, ...given) => {
      const point = here();
      const asked = copyOf(given);
      return asking(fact?.name, () =>
        engine.ask(state, fact, asked, point).then(copyOf, (error: unknown) => {
          if (error instanceof ConnectError && !engine.hosts.includes(state))
            throw unreachable(fact.name, state, error);
          throw error instanceof FactError && scopeOrNone() ? elsewhere(fact.name, state, error) : error;
        }),
      );
    },
    when: () => notCurrent("host.when()", state),
    withArguments: () => notCurrent("host.withArguments()", state),
    loop: items => items,
    log: message => settings.emit({ type: "log", level: "info", message: logged(message), host: state.name }),
    noop: () => notCurrent("host.noop()", state),
    run: (command, args) => {
      const point = here();
      const given = copyOf(args ?? {});
      return asking("host.run()", () => runDirect(engine, state, command, given, point));
    },
  };
  passiveHosts.set(state, facade);
  return facade;
}
/** Whoever asks must wait for the answer, wherever the host came from. */
const asking = <T>(what: string, ask: () => Promise<T>): Promise<T> => scopeOrNone()?.asking(what, ask) ?? ask();
/** Whoever runs the deploy did not name that host: say who wants it. */
const unreachable = (fact: string, { name }: HostState, cause: ConnectError): ConnectError =>
  new ConnectError(`Cannot ask ${fact} of ${name}: ${cause.message}`, {
    host: name,
    cause,
    hint: `${name} takes no part in this run and is connected to only because the deploy asks for its facts${cause.hint === undefined ? "" : `. ${cause.hint}`}`,
  });

/** Whoever asked is another host, of which the error is told. */
const elsewhere = (fact: string, { name }: HostState, cause: FactError): FactError =>
  new FactError(`Cannot ask ${fact} of ${name}: ${cause.message.replace(`Cannot get fact ${fact}: `, "")}`, {
    host: name,
    cause,
    hint: cause.hint,
  });

/** What is declared is declared for the current host: another one cannot have a part in it. */
function notCurrent(what: string, { name }: HostState): never {
  throw new DeployError(`${what} was called on ${name}, which is not the current host`, {
    hint: 'Operations are for the host that the file is evaluated for: use `host` of "tsinfra", and `if (host.name === …)` for one host alone',
  });
}

const passiveHosts = new WeakMap<HostState, Host>();

/** The inventory of a run. */
export function inventoryFacade(engine: Engine, facade: (host: HostState) => Host): Inventory<Host> {
  const hosts = engine.inventoryHosts;
  const groups = (): string[] => [...new Set(hosts.flatMap(host => host.groups))].sort();
  return {
    get hosts() {
      return hosts.map(facade);
    },
    get groups() {
      return groups();
    },
    length: hosts.length,
    [Symbol.iterator]: () => hosts.map(facade)[Symbol.iterator](),
    getHost: name =>
      facade(
        engine.hostOf(name) ??
          missing(
            "host",
            name,
            hosts.map(host => host.name),
          ),
      ),
    getGroup: name => {
      const members = hosts.filter(host => host.groups.includes(name));
      return (members.length > 0 ? members : missing("group", name, groups())).map(facade);
    },
  };
}

function missing(kind: "host" | "group", name: string, known: Iterable<string>): never {
  const near = nearest(name, known);
  throw new InventoryError(`There is no ${kind} "${name}" in the inventory`, {
    hint: near ? `The nearest is "${near}"` : undefined,
  });
}
