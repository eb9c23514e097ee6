import type { NodeId } from "@seshat/common";
import { SeededRandom } from "@seshat/raft/testing";
import type { NetworkFaults } from "../network/sim-network.js";

/** Which node an action is for, found when it happens: the leader, or by a number from 0 to 1 among those that it can be for. */
export type Target = "leader" | number;

export type PartitionKind = "isolate" | "split" | "leaderInMinority" | "oneWay" | "ring" | "bridge";

/** Something that is done to the cluster at a moment. */
export type Act =
  | { readonly type: "crash"; readonly target: Target }
  | { readonly type: "crashAll" }
  | { readonly type: "restart"; readonly target: number }
  | { readonly type: "pause"; readonly target: Target; readonly ms: number }
  | {
      readonly type: "partition";
      readonly kind: PartitionKind;
      readonly target: Target;
      readonly second: number;
    }
  | { readonly type: "heal" }
  | { readonly type: "clog"; readonly target: Target; readonly second: number; readonly ms: number }
  | { readonly type: "network"; readonly faults: NetworkFaults }
  | { readonly type: "hangDisk"; readonly target: Target; readonly ms: number }
  | { readonly type: "slowDisk"; readonly target: Target; readonly syncMs: number }
  | { readonly type: "failSync"; readonly target: Target }
  | { readonly type: "elect"; readonly target: number }
  | { readonly type: "transfer"; readonly target: number }
  | { readonly type: "snapshot"; readonly target: Target }
  | { readonly type: "purge"; readonly target: Target }
  | { readonly type: "addVoter" }
  | { readonly type: "addLearner" }
  | { readonly type: "demote"; readonly target: Target }
  | { readonly type: "remove"; readonly target: Target }
  | { readonly type: "replace"; readonly picks: readonly number[] }
  | { readonly type: "erase"; readonly target: number }
  | { readonly type: "load"; readonly thinkMs: number };

export interface Action {
  /** Virtual milliseconds from the start. */
  readonly at: number;
  readonly act: Act;
}

/** Everything that a run is decided by, beside the code. Data: it can be printed, cut down and run again. */
export interface Plan {
  readonly seed: number;
  /** The founders. */
  readonly voters: readonly NodeId[];
  /** Nodes that may join later. */
  readonly spares: readonly NodeId[];
  readonly leases: boolean;
  /** How fast the clocks of the nodes run, by position in founders and spares. */
  readonly clockRates: readonly number[];
  readonly clients: number;
  readonly keys: number;
  /** How long faults go on. */
  readonly faultyMs: number;
  /** In order of time. */
  readonly actions: readonly Action[];
}

/** Kinds of trouble that a run has, or has not: a run that has all of them hides what one of them alone would show. */
export const FEATURES = [
  "crashes",
  "pauses",
  "partitions",
  "clogs",
  "badNetwork",
  "disks",
  "failedSyncs",
  "elections",
  "transfers",
  "compaction",
  "membership",
  "erasedDisks",
  "bursts",
] as const;

export type Feature = (typeof FEATURES)[number];

const PARTITIONS: readonly PartitionKind[] = [
  "isolate",
  "split",
  "leaderInMinority",
  "oneWay",
  "ring",
  "bridge",
];

/** How fast clocks may run apart: both ways together stay within the drift that leases count on. */
const MAX_DRIFT = 0.02;

/** Makes the plan of a seed: which features the run has at all, and then what happens when. */
export function makePlan(seed: number): Plan {
  const random = new SeededRandom(seed);
  const draw = (low: number, high: number): number => low + random.next() * (high - low);
  const whole = (low: number, high: number): number => Math.floor(draw(low, high + 1));
  const pick = <T>(items: readonly T[]): T => items[whole(0, items.length - 1)] as T;
  const target = (): Target => (random.next() < 0.4 ? "leader" : random.next());

  const features: ReadonlySet<Feature> = new Set(FEATURES.filter(() => random.next() < 0.4));
  const size = pick([1, 2, 3, 3, 3, 4, 5, 5, 6, 7]);
  const voters = Array.from({ length: size }, (_, i) => i + 1);
  const spares = Array.from({ length: 3 }, (_, i) => size + 1 + i);
  const faultyMs = draw(2_000, 12_000);
  const actions: Action[] = [];
  const often = (feature: Feature, meanMs: number, make: () => Act): void => {
    if (!features.has(feature)) return;
    const every = meanMs * draw(0.3, 3);
    for (let at = draw(300, 300 + every); at < faultyMs; at += -Math.log(1 - random.next()) * every) {
      actions.push({ at, act: make() });
    }
  };
  often("crashes", 1_000, () =>
    random.next() < 0.05 ? { type: "crashAll" } : { type: "crash", target: target() },
  );
  often("crashes", 600, () => ({ type: "restart", target: random.next() }));
  often("pauses", 1_500, () => ({ type: "pause", target: target(), ms: draw(10, 1_500) }));
  often("partitions", 1_200, () => ({
    type: "partition",
    kind: pick(PARTITIONS),
    target: target(),
    second: random.next(),
  }));
  often("partitions", 900, () => ({ type: "heal" }));
  often("clogs", 700, () => ({ type: "clog", target: target(), second: random.next(), ms: draw(5, 800) }));
  often("badNetwork", 1_500, () => ({
    type: "network",
    faults: {
      minLatencyMs: draw(0.05, 3),
      meanLatencyMs: draw(0.1, 20),
      lossRate: random.next() < 0.5 ? 0 : draw(0, 0.3),
      duplicateRate: random.next() < 0.5 ? 0 : draw(0, 0.2),
      delayRate: random.next() < 0.5 ? 0 : draw(0, 0.2),
      delayMs: draw(10, 400),
    },
  }));
  often("disks", 1_500, () =>
    random.next() < 0.5
      ? { type: "hangDisk", target: target(), ms: draw(50, 4_000) }
      : { type: "slowDisk", target: target(), syncMs: random.next() < 0.3 ? 0 : draw(0.1, 30) },
  );
  often("failedSyncs", 3_000, () => ({ type: "failSync", target: target() }));
  often("elections", 800, () => ({ type: "elect", target: random.next() }));
  often("transfers", 800, () => ({ type: "transfer", target: random.next() }));
  often("compaction", 500, () =>
    random.next() < 0.6 ? { type: "snapshot", target: target() } : { type: "purge", target: target() },
  );
  often("membership", 500, () => changeOfMembers(random, target));
  often("erasedDisks", 2_500, () => ({ type: "erase", target: random.next() }));
  often("bursts", 1_000, () => ({ type: "load", thinkMs: pick([0.3, 1, 2, 5, 50, 500]) }));
  actions.sort((a, b) => a.at - b.at);
  return {
    seed,
    voters,
    spares,
    leases: random.next() < 0.3,
    clockRates: [...voters, ...spares].map(() =>
      random.next() < 0.5 ? 1 : 1 + draw(-MAX_DRIFT, MAX_DRIFT) / 2,
    ),
    clients: whole(1, 5),
    keys: whole(1, 5),
    faultyMs,
    actions,
  };
}

function changeOfMembers(random: SeededRandom, target: () => Target): Act {
  const roll = random.next();
  if (roll < 0.3) return { type: "addVoter" };
  if (roll < 0.4) return { type: "addLearner" };
  if (roll < 0.55) return { type: "demote", target: target() };
  if (roll < 0.8) return { type: "remove", target: target() };
  return { type: "replace", picks: Array.from({ length: 10 }, () => random.next()) };
}
