import type { NodeId } from "@seshat/common";
import { DEFAULT_RAFT_CONFIG } from "@seshat/raft";
import { SeededRandom } from "@seshat/raft/testing";
import type { StorePart } from "../world/node-storage.js";
import type { Act, Action, PartitionKind } from "./act.js";
import { Deck } from "./deck.js";
import { FEATURES, LATER_FEATURES, LATEST_FEATURES } from "./features.js";
import type { Plan, PlanOptions, RivalFounding } from "./plan.js";

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
  readonly #deck: Deck;

  constructor(seed: number, options: PlanOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#deck = new Deck(new SeededRandom(seed));
  }

  plan(): Plan {
    const random = this.#deck.random;
    // Few kinds of trouble show one thing at a time, many show what they do to each other.
    const share = this.#deck.pick([0.12, 0.25, 0.45]);
    const drawnFeatures = FEATURES.filter(() => random.next() < share);
    this.#deck.features = new Set(this.#options.features ?? drawnFeatures);
    const drawn = this.#deck.pick([1, 2, 3, 3, 3, 4, 5, 5, 6, 7]);
    const size = this.#options.size ?? drawn;
    const voters = Array.from({ length: size }, (_, i) => i + 1);
    const spares = Array.from({ length: 3 }, (_, i) => size + 1 + i);
    this.#deck.faultyMs = this.#deck.draw(2_000, 12_000);
    // Leases count on clocks that do not leap.
    const wantsLeases = random.next() < 0.3;
    const leases = (this.#options.leases ?? wantsLeases) && !this.#deck.features.has("clockJumps");
    this.#troubleNodes();
    this.#troubleNetwork();
    this.#troubleDisks();
    this.#operate();
    const { disasters, rival } = this.#troubleLatest(share, voters, spares);
    const actions = [...this.#deck.actions, ...this.#troubleLater(share), ...disasters];
    return {
      seed: this.#seed,
      voters,
      ...(rival === null ? {} : { rival }),
      spares,
      leases,
      clockRates: [...voters, ...spares].map(() =>
        random.next() < 0.5 ? 1 : 1 + this.#deck.draw(-MAX_DRIFT, MAX_DRIFT) / 2,
      ),
      clients: this.#deck.whole(1, 5),
      keys: this.#deck.whole(1, 5),
      largeBytes: this.#deck.features.has("largeEntries") ? this.#deck.whole(500, 6_000) : 0,
      faultyMs: this.#deck.faultyMs,
      healing: random.next() < 0.3 ? "core" : "all",
      snapshotChunkBytes: this.#deck.pick([100, 200, 65_536]),
      thriftyDelayMs: this.#thriftyDelayMs(),
      actions: actions.sort((a, b) => a.at - b.at),
    };
  }

  /** By chance of its own: it changes nothing about the rest of the plan. */
  #troubleLater(share: number): readonly Action[] {
    const random = new SeededRandom(Number.MAX_SAFE_INTEGER - this.#seed);
    const deck = new Deck(random);
    deck.faultyMs = this.#deck.faultyMs;
    const drawn = LATER_FEATURES.filter(() => random.next() < share);
    deck.features = new Set(this.#options.features ?? drawn);
    deck.often("slowLinks", 900, () => ({
      type: "slowLinks",
      target: deck.target(),
      slowerMs: deck.draw(5, 280),
      muteAfterMs: random.next() < 0.5 ? deck.draw(20, 600) : null,
      ms: deck.draw(100, 2_000),
    }));
    deck.often("broughtSnapshots", 700, () => ({
      type: "bringSnapshot",
      from: random.next(),
      target: deck.target(),
      ms: random.next() < 0.5 ? 0 : deck.draw(0, 1_500),
    }));
    return deck.actions;
  }

  /** The same for what came after that. */
  #troubleLatest(
    share: number,
    voters: readonly NodeId[],
    spares: readonly NodeId[],
  ): { disasters: readonly Action[]; rival: RivalFounding | null } {
    const random = new SeededRandom(Number.MAX_SAFE_INTEGER - 2 ** 40 - this.#seed);
    const deck = new Deck(random);
    deck.faultyMs = this.#deck.faultyMs;
    const drawn = LATEST_FEATURES.filter(() => random.next() < share);
    deck.features = new Set(this.#options.features ?? drawn);
    deck.often("disasters", 3_000, () => ({ type: "disaster", target: random.next() }));
    const rival = deck.features.has("rivalFoundings") ? rivalOf(deck, voters, spares) : null;
    return { disasters: deck.actions, rival };
  }

  /** By chance of its own as well. Mostly the default of a node. */
  #thriftyDelayMs(): number {
    const deck = new Deck(new SeededRandom(Number.MAX_SAFE_INTEGER - 2 ** 41 - this.#seed));
    return deck.pick([0, 2, DEFAULT_RAFT_CONFIG.thriftyDelayMs, DEFAULT_RAFT_CONFIG.thriftyDelayMs]);
  }

  #troubleNodes(): void {
    const random = this.#deck.random;
    this.#deck.often("crashes", 1_000, () =>
      random.next() < 0.05
        ? { type: "crashAll", what: this.#deck.crashKind() }
        : { type: "crash", target: this.#deck.target(), what: this.#deck.crashKind() },
    );
    this.#deck.often("crashes", 600, () => this.#restart());
    this.#deck.often("crashesInDisk", 900, () => ({
      type: random.next() < 0.6 ? "crashInDisk" : "crashInRecovery",
      target: this.#deck.target(),
      operations: this.#deck.whole(1, this.#deck.pick([8, 30, 200])),
      what: this.#deck.crashKind(),
    }));
    this.#deck.often("crashesInDisk", 500, () => this.#restart());
    this.#deck.often("outages", 2_500, () => ({
      type: "outage",
      target: this.#deck.target(),
      ms: this.#deck.draw(500, 6_000),
    }));
    this.#deck.often("outages", 800, () => this.#restart());
    this.#deck.often("pauses", 1_500, () => ({
      type: "pause",
      target: this.#deck.target(),
      ms: this.#deck.draw(10, 1_500),
    }));
    this.#deck.often("clockJumps", 800, () => ({
      type: "jump",
      target: this.#deck.target(),
      ms: this.#deck.draw(1, this.#deck.pick([50, 500, 20_000])),
    }));
  }

  #troubleNetwork(): void {
    const random = this.#deck.random;
    const partition = (): Act => ({
      type: "partition",
      kind: this.#deck.pick(PARTITIONS),
      target: this.#deck.target(),
      second: random.next(),
    });
    if (random.next() < 0.5) {
      // One partition laid over another, and healed at any time.
      this.#deck.often("partitions", 1_200, partition);
      this.#deck.often("partitions", 900, () => ({ type: "heal" }));
    } else if (this.#deck.features.has("partitions")) {
      // Each stands for a while, and leaves the cluster in peace for a while.
      const [leastCut, leastWhole] = [this.#deck.draw(20, 1_500), this.#deck.draw(20, 1_500)];
      for (
        let at = this.#deck.draw(300, 1_500);
        at < this.#deck.faultyMs;
        at += leastWhole * this.#deck.draw(1, 2)
      ) {
        this.#deck.actions.push({ at, act: partition() });
        at += leastCut * this.#deck.draw(1, 2);
        if (at < this.#deck.faultyMs) this.#deck.actions.push({ at, act: { type: "heal" } });
      }
    }
    this.#deck.often("flaps", 2_000, () => ({
      type: "flap",
      kind: this.#deck.pick(PARTITIONS),
      target: this.#deck.target(),
      second: random.next(),
      everyMs: this.#deck.draw(5, 200),
      times: this.#deck.whole(2, 12),
    }));
    this.#deck.often("clogs", 700, () => ({
      type: "clog",
      target: this.#deck.target(),
      second: random.next(),
      ms: this.#deck.draw(5, 800),
    }));
    this.#deck.often("swizzles", 2_500, () => ({
      type: "swizzle",
      clogged: this.#deck.numbers(10),
      released: this.#deck.numbers(10),
      gapMs: this.#deck.draw(5, 150),
    }));
    this.#deck.often("badNetwork", 1_500, () => ({
      type: "network",
      faults: {
        minLatencyMs: this.#deck.draw(0.05, 3),
        meanLatencyMs: this.#deck.draw(0.1, 20),
        lossRate: random.next() < 0.5 ? 0 : this.#deck.draw(0, 0.3),
        duplicateRate: random.next() < 0.5 ? 0 : this.#deck.draw(0, 0.2),
        delayRate: random.next() < 0.5 ? 0 : this.#deck.draw(0, 0.2),
        delayMs: this.#deck.draw(10, 400),
        linkCapacity: random.next() < 0.7 ? 256 : this.#deck.whole(1, 12),
      },
    }));
  }

  #troubleDisks(): void {
    const random = this.#deck.random;
    this.#deck.often("disks", 1_500, () =>
      random.next() < 0.5
        ? { type: "hangDisk", target: this.#deck.target(), ms: this.#deck.draw(50, 4_000) }
        : {
            type: "slowDisk",
            target: this.#deck.target(),
            syncMs: random.next() < 0.3 ? 0 : this.#deck.draw(0.1, 30),
          },
    );
    this.#deck.often("failedSyncs", 3_000, () => ({ type: "failSync", target: this.#deck.target() }));
    this.#deck.often("diskErrors", 1_500, () => ({
      type: "failDisk",
      target: this.#deck.target(),
      verb: this.#deck.pick(FAILING_VERBS),
    }));
    this.#deck.often("badDisks", 1_500, () => ({
      type: "badDisk",
      target: this.#deck.target(),
      faults: {
        shortWriteRate: random.next() < 0.3 ? 0 : this.#deck.draw(0, 0.5),
        readErrorRate: random.next() < 0.7 ? 0 : this.#deck.draw(0, 0.02),
        writeErrorRate: random.next() < 0.7 ? 0 : this.#deck.draw(0, 0.02),
        syncErrorRate: random.next() < 0.7 ? 0 : this.#deck.draw(0, 0.02),
      },
      ms: this.#deck.draw(100, 3_000),
    }));
    this.#deck.often("fullDisks", 2_500, () => ({
      type: "fullDisk",
      target: this.#deck.target(),
      roomBytes: this.#deck.whole(0, 3_000),
      ms: this.#deck.draw(50, 3_000),
    }));
    this.#deck.often("damage", 1_500, () => ({
      type: "corrupt",
      target: random.next(),
      part: this.#deck.pick(PARTS),
      // At once, before what is damaged is replaced; or later.
      ms: random.next() < 0.4 ? 0 : this.#deck.draw(0, 400),
      what: this.#deck.crashKind(),
    }));
    this.#deck.often("misdirectedWrites", 1_500, () => ({
      type: "misdirect",
      target: random.next(),
      ms: this.#deck.draw(5, 300),
      what: this.#deck.crashKind(),
    }));
    this.#deck.often("erasedDisks", 2_500, () => ({ type: "erase", target: random.next() }));
  }

  #operate(): void {
    const random = this.#deck.random;
    this.#deck.often("elections", 800, () => ({ type: "elect", target: random.next() }));
    this.#deck.often("transfers", 800, () => ({ type: "transfer", target: random.next() }));
    this.#deck.often("compaction", 500, () => ({
      type: this.#deck.pick(["snapshot", "snapshot", "purge", "compact"] as const),
      target: this.#deck.target(),
    }));
    this.#deck.often("membership", 500, () => this.#changeOfMembers());
    // Nobody's id can be used again before somebody has left.
    this.#deck.often("reusedIds", 1_000, () => ({ type: "remove", target: random.next() }));
    this.#deck.often("reusedIds", 700, () => ({ type: "reuse", target: random.next() }));
    this.#deck.often("moves", 1_500, () => ({ type: "move", target: this.#deck.target() }));
    this.#deck.often("bursts", 1_000, () => ({
      type: "load",
      thinkMs: this.#deck.pick([0.3, 1, 2, 5, 50, 500]),
    }));
    this.#deck.often("bursts", 700, () => ({
      type: "flood",
      target: this.#deck.target(),
      writes: this.#deck.whole(5, 60),
    }));
  }

  #changeOfMembers(): Act {
    const roll = this.#deck.random.next();
    if (roll < 0.3) return { type: "addVoter" };
    if (roll < 0.4) return { type: "addLearner" };
    if (roll < 0.55) return { type: "demote", target: this.#deck.target() };
    if (roll < 0.8) return { type: "remove", target: this.#deck.target() };
    return { type: "replace", picks: this.#deck.numbers(10) };
  }

  #restart(): Act {
    return { type: "restart", target: this.#deck.random.next() };
  }
}

/** Founders of whom at least one is among `voters`. */
function rivalOf(deck: Deck, voters: readonly NodeId[], spares: readonly NodeId[]): RivalFounding {
  const common = deck.pick(voters);
  const others = [...voters, ...spares].filter((id) => id !== common && deck.random.next() < 0.4);
  const founders = [common, ...others.slice(0, 6)].sort((a, b) => a - b);
  return {
    by: deck.pick(founders),
    voters: founders,
    afterMs: deck.random.next() < 0.3 ? 0 : deck.draw(0, 10),
    latencyMs: deck.pick([0.4, 2, 10]),
  };
}
