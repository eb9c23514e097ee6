import type { EntryPayload, LogId, NodeId, StoredMembership } from "@seshat/common";
import { compareLogIds } from "@seshat/common";
import type { EngineConfig } from "../../src/engine/context.js";
import { Engine } from "../../src/engine/engine.js";
import type { SeededRandom } from "../../src/testing/seeded-random.js";
import { trail } from "../engine-harness.js";
import type { Disk, EntryList, Machine, Write } from "./disk.js";
import type { Request, Wire } from "./network.js";
import type { ObservedNode, Oracle } from "./oracle.js";

/** What all nodes of a simulated cluster share. */
export interface World {
  readonly config: EngineConfig;
  readonly random: SeededRandom;
  readonly oracle: Oracle;
  readonly network: Wire;
  /** How often storage returns fewer entries than it was asked for. */
  readonly shortReads: number;
  now: number;
  /** What this cluster's hosts do wrong, to show that it is noticed; null where they keep their promises. */
  readonly sabotage: Sabotage | null;
  nodes(): readonly ObservedNode[];
  /** The present time by the clock of one node. */
  clockOf(id: NodeId): number;
}

/**
 * Broken hosts: one answers before its disk has what it says, one forgets its vote in a crash, one its last entries, and the
 * clocks of some run apart by more than they may.
 */
export type Sabotage = "answersEarly" | "forgetsVote" | "losesEntries" | "hasDriftingClocks";

/** A read that waits for its index. */
export interface OpenRead {
  /** How far was committed anywhere when it came. */
  readonly floor: number;
  /** Who asked for it: a peer, by its own number for it; null for a reader here. */
  readonly askedBy: { readonly from: NodeId; readonly requestId: number } | null;
  /** When this node asked the leader for its index, by its own clock; null when it leads itself. */
  askedAt: number | null;
}

/** One life of a node, from a start to a crash: everything here is lost with it. */
export class Life {
  readonly id: NodeId;
  readonly disk: Disk;
  readonly world: World;
  readonly engine: Engine;
  readonly log: EntryList;
  machine: Machine;
  /** Writes asked for and not durable, in order. */
  pending: Write[] = [];
  persisted = 0;
  /** What waits for a write to be durable. */
  gate: { readonly afterIo: number; readonly release: () => void }[] = [];
  dispatched: number;
  building = false;
  readonly requests = new Map<number, { readonly from: NodeId; readonly request: Request }>();
  readonly unanswered = new Map<
    number,
    { readonly to: NodeId; readonly term: number; readonly sentAt: number }
  >();
  readonly reads = new Map<number, OpenRead>();
  /** The indexes of writes that were accepted and have no outcome yet. */
  readonly waiting = new Set<number>();
  /** What the present `clientWrite` wants to be appended. */
  writing: readonly EntryPayload<unknown, unknown>[] = [];
  /** Requests received so far. */
  rpcs = 0;

  /** The present time by this node's clock. */
  get now(): number {
    return this.world.clockOf(this.id);
  }

  constructor(id: NodeId, disk: Disk, world: World) {
    this.id = id;
    this.disk = disk;
    this.world = world;
    this.log = disk.log.clone();
    this.machine = disk.snapshot;
    this.dispatched = disk.snapshot.applied.index;
    const { entries, committed, memberships } = recovered(disk);
    this.engine = new Engine(
      {
        id,
        vote: disk.vote,
        log: trail(entries, disk.log.purged),
        memberships,
        snapshot: disk.snapshot.applied,
        applied: disk.snapshot.applied,
        committed,
      },
      { config: world.config, random: () => world.random.next(), checkInvariants: true },
      this.now,
    );
  }
}

/** What a restart finds: the terms of the log, how far it is known to be committed, and the memberships from there on. */
function recovered(disk: Disk): {
  entries: number[];
  committed: LogId;
  memberships: StoredMembership<unknown>[];
} {
  const { applied } = disk.snapshot;
  const known = disk.log.has(disk.committed) && compareLogIds(disk.committed, applied) > 0;
  const committed = known ? disk.committed : applied;
  const memberships = [disk.snapshot.membership];
  for (const { logId, payload } of disk.log.entries()) {
    if (payload.type !== "membership" || logId.index <= applied.index) continue;
    if (logId.index <= committed.index) memberships.pop();
    memberships.push({ logId, membership: payload.membership });
  }
  return { entries: disk.log.entries().map(({ logId }) => logId.term), committed, memberships };
}
