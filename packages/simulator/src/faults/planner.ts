import { SeededRandom } from "@seshat/raft/testing";
import type { CrashKind, StorePart } from "../world/node-storage.js";
import type { Act, Action, PartitionKind, Target } from "./act.js";
import { FEATURES } from "./features.js";
import type { Feature } from "./features.js";
import type { Plan, PlanOptions } from "./plan.js";

const PARTITIONS: readonly PartitionKind[] = [
  "isolate",
  "split",
  "leaderInMinority",
  "oneWay",
  "ring",
  "bridge",
];

const PARTS: readonly StorePart[] = ["log", "log", "snapshot", "vote", "any"];

const FAILING_VERBS = ["read", "write", "write", "truncate", "rename", "remove", "sync directory"] as const;

/** How fast clocks may run apart: both ways together stay within the drift that leases count on. */
const MAX_DRIFT = 0.02;

/** Draws the plan of one seed. */
export class Planner {
  readonly #seed: number;
  readonly #options: PlanOptions;
  readonly #random: SeededRandom;
  readonly #actions: Action[] = [];
  #features: ReadonlySet<Feature> = new Set();
  #faultyMs = 0;

  constructor(seed: number, options: PlanOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#random = new SeededRandom(seed);
  }

  plan(): Plan {
    const random = this.#random;
    // Few kinds of trouble show one thing at a time, many show what they do to each other.
    const share = this.#pick([0.12, 0.25, 0.45]);
    const drawnFeatures = FEATURES.filter(() => random.next() < share);
    this.#features = new Set(this.#options.features ?? drawnFeatures);
    const drawn = this.#pick([1, 2, 3, 3, 3, 4, 5, 5, 6, 7]);
    const size = this.#options.size ?? drawn;
    const voters = Array.from({ length: size }, (_, i) => i + 1);
    const spares = Array.from({ length: 3 }, (_, i) => size + 1 + i);
    this.#faultyMs = this.#draw(2_000, 12_000);
    // Leases count on clocks that do not leap.
    const wantsLeases = random.next() < 0.3;
    const leases = (this.#options.leases ?? wantsLeases) && !this.#features.has("clockJumps");
    this.#troubleNodes();
    this.#troubleNetwork();
    this.#troubleDisks();
    this.#operate();
    this.#actions.sort((a, b) => a.at - b.at);
    return {
      seed: this.#seed,
      voters,
      spares,
      leases,
      clockRates: [...voters, ...spares].map(() =>
        random.next() < 0.5 ? 1 : 1 + this.#draw(-MAX_DRIFT, MAX_DRIFT) / 2,
      ),
      clients: this.#whole(1, 5),
      keys: this.#whole(1, 5),
      largeBytes: this.#features.has("largeEntries") ? this.#whole(500, 6_000) : 0,
      faultyMs: this.#faultyMs,
      healing: random.next() < 0.3 ? "core" : "all",
      snapshotChunkBytes: this.#pick([100, 200, 65_536]),
      actions: this.#actions,
    };
  }

  #troubleNodes(): void {
    const random = this.#random;
    this.#often("crashes", 1_000, () =>
      random.next() < 0.05
        ? { type: "crashAll", what: this.#crashKind() }
        : { type: "crash", target: this.#target(), what: this.#crashKind() },
    );
    this.#often("crashes", 600, () => this.#restart());
    this.#often("crashesInDisk", 900, () => ({
      type: random.next() < 0.6 ? "crashInDisk" : "crashInRecovery",
      target: this.#target(),
      operations: this.#whole(1, this.#pick([8, 30, 200])),
      what: this.#crashKind(),
    }));
    this.#often("crashesInDisk", 500, () => this.#restart());
    this.#often("outages", 2_500, () => ({
      type: "outage",
      target: this.#target(),
      ms: this.#draw(500, 6_000),
    }));
    this.#often("outages", 800, () => this.#restart());
    this.#often("pauses", 1_500, () => ({
      type: "pause",
      target: this.#target(),
      ms: this.#draw(10, 1_500),
    }));
    this.#often("clockJumps", 800, () => ({
      type: "jump",
      target: this.#target(),
      ms: this.#draw(1, this.#pick([50, 500, 20_000])),
    }));
  }

  #troubleNetwork(): void {
    const random = this.#random;
    const partition = (): Act => ({
      type: "partition",
      kind: this.#pick(PARTITIONS),
      target: this.#target(),
      second: random.next(),
    });
    if (random.next() < 0.5) {
      // One partition laid over another, and healed at any time.
      this.#often("partitions", 1_200, partition);
      this.#often("partitions", 900, () => ({ type: "heal" }));
    } else if (this.#features.has("partitions")) {
      // Each stands for a while, and leaves the cluster in peace for a while.
      const [leastCut, leastWhole] = [this.#draw(20, 1_500), this.#draw(20, 1_500)];
      for (let at = this.#draw(300, 1_500); at < this.#faultyMs; at += leastWhole * this.#draw(1, 2)) {
        this.#actions.push({ at, act: partition() });
        at += leastCut * this.#draw(1, 2);
        if (at < this.#faultyMs) this.#actions.push({ at, act: { type: "heal" } });
      }
    }
    this.#often("flaps", 2_000, () => ({
      type: "flap",
      kind: this.#pick(PARTITIONS),
      target: this.#target(),
      second: random.next(),
      everyMs: this.#draw(5, 200),
      times: this.#whole(2, 12),
    }));
    this.#often("clogs", 700, () => ({
      type: "clog",
      target: this.#target(),
      second: random.next(),
      ms: this.#draw(5, 800),
    }));
    this.#often("swizzles", 2_500, () => ({
      type: "swizzle",
      clogged: this.#numbers(10),
      released: this.#numbers(10),
      gapMs: this.#draw(5, 150),
    }));
    this.#often("badNetwork", 1_500, () => ({
      type: "network",
      faults: {
        minLatencyMs: this.#draw(0.05, 3),
        meanLatencyMs: this.#draw(0.1, 20),
        lossRate: random.next() < 0.5 ? 0 : this.#draw(0, 0.3),
        duplicateRate: random.next() < 0.5 ? 0 : this.#draw(0, 0.2),
        delayRate: random.next() < 0.5 ? 0 : this.#draw(0, 0.2),
        delayMs: this.#draw(10, 400),
        linkCapacity: random.next() < 0.7 ? 256 : this.#whole(1, 12),
      },
    }));
  }

  #troubleDisks(): void {
    const random = this.#random;
    this.#often("disks", 1_500, () =>
      random.next() < 0.5
        ? { type: "hangDisk", target: this.#target(), ms: this.#draw(50, 4_000) }
        : { type: "slowDisk", target: this.#target(), syncMs: random.next() < 0.3 ? 0 : this.#draw(0.1, 30) },
    );
    this.#often("failedSyncs", 3_000, () => ({ type: "failSync", target: this.#target() }));
    this.#often("diskErrors", 1_500, () => ({
      type: "failDisk",
      target: this.#target(),
      verb: this.#pick(FAILING_VERBS),
    }));
    this.#often("badDisks", 1_500, () => ({
      type: "badDisk",
      target: this.#target(),
      faults: {
        shortWriteRate: random.next() < 0.3 ? 0 : this.#draw(0, 0.5),
        readErrorRate: random.next() < 0.7 ? 0 : this.#draw(0, 0.02),
        writeErrorRate: random.next() < 0.7 ? 0 : this.#draw(0, 0.02),
        syncErrorRate: random.next() < 0.7 ? 0 : this.#draw(0, 0.02),
      },
      ms: this.#draw(100, 3_000),
    }));
    this.#often("fullDisks", 2_500, () => ({
      type: "fullDisk",
      target: this.#target(),
      roomBytes: this.#whole(0, 3_000),
      ms: this.#draw(50, 3_000),
    }));
    this.#often("damage", 1_500, () => ({
      type: "corrupt",
      target: random.next(),
      part: this.#pick(PARTS),
      // At once, before what is damaged is replaced; or later.
      ms: random.next() < 0.4 ? 0 : this.#draw(0, 400),
      what: this.#crashKind(),
    }));
    this.#often("misdirectedWrites", 1_500, () => ({
      type: "misdirect",
      target: random.next(),
      ms: this.#draw(5, 300),
      what: this.#crashKind(),
    }));
    this.#often("erasedDisks", 2_500, () => ({ type: "erase", target: random.next() }));
  }

  #operate(): void {
    const random = this.#random;
    this.#often("elections", 800, () => ({ type: "elect", target: random.next() }));
    this.#often("transfers", 800, () => ({ type: "transfer", target: random.next() }));
    this.#often("compaction", 500, () => ({
      type: this.#pick(["snapshot", "snapshot", "purge", "compact"] as const),
      target: this.#target(),
    }));
    this.#often("membership", 500, () => this.#changeOfMembers());
    // Nobody's id can be used again before somebody has left.
    this.#often("reusedIds", 1_000, () => ({ type: "remove", target: random.next() }));
    this.#often("reusedIds", 700, () => ({ type: "reuse", target: random.next() }));
    this.#often("moves", 1_500, () => ({ type: "move", target: this.#target() }));
    this.#often("bursts", 1_000, () => ({ type: "load", thinkMs: this.#pick([0.3, 1, 2, 5, 50, 500]) }));
    this.#often("bursts", 700, () => ({ type: "flood", target: this.#target(), writes: this.#whole(5, 60) }));
  }

  #changeOfMembers(): Act {
    const roll = this.#random.next();
    if (roll < 0.3) return { type: "addVoter" };
    if (roll < 0.4) return { type: "addLearner" };
    if (roll < 0.55) return { type: "demote", target: this.#target() };
    if (roll < 0.8) return { type: "remove", target: this.#target() };
    return { type: "replace", picks: this.#numbers(10) };
  }

  #often(feature: Feature, meanMs: number, make: () => Act): void {
    if (!this.#features.has(feature)) return;
    const every = meanMs * this.#draw(0.3, 3);
    for (
      let at = this.#draw(300, 300 + every);
      at < this.#faultyMs;
      at += -Math.log(1 - this.#random.next()) * every
    ) {
      this.#actions.push({ at, act: make() });
    }
  }

  #restart(): Act {
    return { type: "restart", target: this.#random.next() };
  }

  #target(): Target {
    return this.#random.next() < 0.4 ? "leader" : this.#random.next();
  }

  #crashKind(): CrashKind {
    return this.#random.next() < 0.3 ? "process" : "machine";
  }

  #numbers(count: number): number[] {
    return Array.from({ length: count }, () => this.#random.next());
  }

  #draw(low: number, high: number): number {
    return low + this.#random.next() * (high - low);
  }

  #whole(low: number, high: number): number {
    return Math.floor(this.#draw(low, high + 1));
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#whole(0, items.length - 1)] as T;
  }
}
