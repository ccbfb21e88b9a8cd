/** The kinds of chaos: each is a run, or a row of runs, made of its seed alone. @module */
import { type ChaosHost, type Fleet, raiseFleet, randomHosts } from "./fleet.ts";
import { CLEAN, randomWay } from "./fault-proxy.ts";
import { type Program, randomProgram, type Step } from "./program.ts";
import { type Next, pick, random } from "./random.ts";
import { chaosRun, descriptorsOf, type Interruption, peakOf } from "./run.ts";

/** What came of one seed. */
export interface Result {
  readonly problems: readonly string[];
  readonly summary: string;
}

export interface Kind {
  readonly summary: string;
  /** Seeds of a plain `npm run test:chaos`. */
  readonly seeds: number;
  /** What hosts it needs; they serve all of its seeds. */
  fleet(): Promise<Fleet>;
  run(fleet: Fleet, seed: number, size: Size): Promise<Result>;
}

/** `quick` takes a few seconds a seed, for the tests that run each time. */
export interface Size {
  readonly isQuick?: boolean;
  /** Runs of a row, or hosts of a fleet. */
  readonly count?: number | undefined;
}

const twoServers = (): Promise<Fleet> => raiseFleet(2);

/** Faults on the way to the hosts. */
const faults: Kind = {
  summary: "random deploys over connections that are cut, reset, stalled, slow or refused",
  seeds: 12,
  fleet: twoServers,
  async run(fleet, seed, { isQuick = false }) {
    const next = random(seed);
    const program = randomProgram(next, { steps: isQuick ? 8 : 6 + next(20), isQuick });
    const hosts = randomHosts(next, fleet.servers.length, { isQuick }, randomWay);
    return told(await chaosRun(fleet, hosts, program));
  },
};

const SIGNALS: readonly (readonly NodeJS.Signals[])[] = [
  ["SIGINT"],
  ["SIGTERM"],
  ["SIGHUP"],
  ["SIGINT", "SIGINT"],
  ["SIGKILL"],
];

/** Signals at some moment, with and without faults on the way. */
const signals: Kind = {
  summary: "SIGINT, SIGTERM, SIGHUP, SIGINT twice and SIGKILL at some moment",
  seeds: 15,
  fleet: twoServers,
  async run(fleet, seed, { isQuick = false }) {
    const next = random(seed);
    const interruption: Interruption = {
      signals: SIGNALS[seed % SIGNALS.length]!,
      afterEvents: 1 + next(next(2) === 0 ? 30 : 200),
      delay: next(150),
    };
    const program = randomProgram(next, { steps: isQuick ? 8 : 6 + next(20), isQuick });
    const isFaulty = next(3) === 0;
    const hosts = randomHosts(next, fleet.servers.length, { isQuick }, isFaulty ? randomWay : () => CLEAN);
    const verdict = await chaosRun(fleet, hosts, program, { interruption });
    const { secondsAfterSignal, problems } = verdict;
    const slow =
      secondsAfterSignal === undefined || secondsAfterSignal < LONGEST_FAREWELL
        ? []
        : [`it ended ${secondsAfterSignal.toFixed(1)} seconds after the last signal`];
    return told(
      { ...verdict, problems: [...problems, ...slow] },
      secondsAfterSignal === undefined ? "" : `, gone ${secondsAfterSignal.toFixed(1)} s after the signal`,
    );
  },
};
/** Seconds from the last signal to the end, on a machine that does much else. */
const LONGEST_FAREWELL = 20;

/** Ends at any moment, also while connecting, with the machine's own ssh. */
const leaving: Kind = {
  summary: "the same signals within the first second or two, where the machine's own ssh connects",
  seeds: 15,
  fleet: twoServers,
  async run(fleet, seed, { isQuick = false }) {
    const next = random(seed);
    const interruption: Interruption = {
      signals: SIGNALS[seed % SIGNALS.length]!,
      afterEvents: 1,
      delay: next(isQuick ? 300 : 1_200),
      between: next(20),
    };
    const way = next(2) === 0 ? randomWay : () => CLEAN;
    const hosts = randomHosts(next, fleet.servers.length, { isQuick }, way).map((host): ChaosHost => ({
      ...host,
      transport: "openssh",
    }));
    return told(await chaosRun(fleet, hosts, randomProgram(next, { steps: 6, isQuick: true }), { interruption }));
  },
};

/** Many runs after each other, then one that loses its connections over and over: nothing grows. */
const rows: Kind = {
  summary: "many runs in a row, and connections that are lost over and over in one",
  seeds: 1,
  fleet: twoServers,
  async run(fleet, seed, { isQuick = false, count = isQuick ? 3 : 60 }) {
    const next = random(seed);
    const problems: string[] = [];
    const most: number[] = [];
    for (let run = 0; run < count; run++) {
      let descriptors = 0;
      const program = randomProgram(random(seed), { steps: 6, isQuick: true });
      const hosts = randomHosts(random(seed), fleet.servers.length, { isQuick: true });
      const verdict = await chaosRun(fleet, hosts, program, {
        watch: pid => (descriptors = Math.max(descriptors, descriptorsOf(pid))),
      });
      problems.push(...verdict.problems.map(problem => `run ${run + 1}: ${problem}`));
      most.push(descriptors);
    }
    const [first = 0, last = 0] = [most[0], most.at(-1)];
    const lost = await lossRun(fleet, next, isQuick ? 8 : 40);
    return {
      problems: [...problems, ...lost.problems],
      summary: `${count} runs, at most ${first} descriptors in the first and ${last} in the last; ${lost.summary}`,
    };
  },
};

/** A host whose every connection is cut after a while: each is made again, and none may stay. */
async function lossRun(fleet: Fleet, next: Next, losses: number): Promise<Result> {
  const steps = Array.from({ length: losses }, (_, index): Step => ({
    kind: "shell",
    id: `o${index}`,
    commands: 1,
    failures: 0,
    pauses: [0, 0.05],
    size: 10,
    only: undefined,
    after: undefined,
    how: { _ignoreErrors: true, _retries: 2, _retryDelay: 0.05 },
    nested: [],
  }));
  const host: ChaosHost = {
    name: "h0",
    server: 0,
    transport: "embedded",
    way: {
      refusedFor: 0,
      faults: Array.from({ length: losses * 4 }, () => ({
        kind: pick(next, ["drop", "reset"] as const),
        after: 2_100 + next(1_500),
        counts: pick(next, ["up", "down"] as const),
      })),
    },
  };
  const seen: number[] = [];
  const verdict = await chaosRun(
    fleet,
    [host],
    { steps, options: [] },
    { watch: pid => seen.push(descriptorsOf(pid)) },
  );
  const half = Math.floor(seen.length / 2);
  const [early, late] = [Math.max(0, ...seen.slice(0, half)), Math.max(0, ...seen.slice(half))];
  const grown =
    late > early + MORE_DESCRIPTORS
      ? [`descriptors grow with lost connections: ${early} in the first half, ${late} in the second`]
      : [];
  return {
    problems: [...verdict.problems, ...grown].map(problem => `losing connections: ${problem}`),
    summary: `losing connections: ${verdict.summary}, descriptors ${early} and ${late}`,
  };
}
const MORE_DESCRIPTORS = 4;

/** A thousand hosts, each under an address of its own, with a faulty one among fifty. */
const thousand: Kind = {
  summary: "a thousand hosts, 2 % of them faulty",
  seeds: 1,
  // All addresses of its own network are this machine.
  fleet: () => raiseFleet(1, { address: "0.0.0.0", config: ["LoginGraceTime 0"] }),
  async run(fleet, seed, { count = 1000 }) {
    const next = random(seed);
    const program: Program = { ...randomProgram(next, { steps: 5, isQuick: true }), options: [] };
    const hosts = Array.from({ length: count }, (_, index): ChaosHost => ({
      name: `h${index}`,
      server: 0,
      transport: "embedded",
      address: `127.${1 + Math.floor(index / 250)}.0.${1 + (index % 250)}`,
      way: index % 50 === 17 ? randomWay(next) : CLEAN,
    }));
    let [peak, descriptors] = [0, 0];
    const verdict = await chaosRun(fleet, hosts, program, {
      limit: 900,
      grace: 120,
      watch(pid) {
        peak = Math.max(peak, peakOf(pid));
        descriptors = Math.max(descriptors, descriptorsOf(pid));
      },
    });
    const faulty = new Set(hosts.filter(({ way }) => way !== CLEAN).map(({ name }) => name));
    const innocent = (verdict.told.results?.hosts ?? []).filter(
      ({ host, error }) => error?.code.startsWith("E_CONNECT") && !faulty.has(host),
    );
    const problems = innocent.map(({ host, error }) => `${host} has no fault, and failed: ${error?.message}`);
    return told(
      { ...verdict, problems: [...verdict.problems, ...problems] },
      `, ${verdict.seconds.toFixed(0)} s, ${Math.round(peak / 1e6)} MB, ${descriptors} descriptors`,
    );
  },
};

const told = ({ problems, summary }: Result, more = ""): Result => ({ problems, summary: `${summary}${more}` });

export const KINDS: Readonly<Record<string, Kind>> = { faults, signals, leaving, rows, thousand };
