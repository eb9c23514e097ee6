import type { EntryPayload, LogId, NodeId, StoredMembership } from "@seshat/common";
import { compareLogIds } from "@seshat/common";
import { Engine } from "../../src/engine/engine.js";
import type { MembershipChange, WriteExpectation } from "../../src/engine/event.js";
import { trail } from "../engine-harness.js";
import type { Copy, Disk, EntryList, Machine, Write } from "./disk.js";
import type { Address, PartRequest, Request } from "./network.js";
import { must } from "./must.js";
import type { World } from "./world.js";

/** A read that waits for its index. */
export interface OpenRead {
  /** How far was committed anywhere when it came. */
  readonly floor: number;
  /** Who asked for it: a peer, by its own number for it; null for a reader here. */
  readonly askedBy: { readonly address: Address; readonly requestId: number } | null;
  /** When this node asked the leader for its index, by its own clock; null when it leads itself. */
  askedAt: number | null;
}

/** A snapshot that is being sent, a part at a time. */
export interface Outgoing {
  readonly to: NodeId;
  readonly seq: number;
  readonly term: number;
  readonly copy: Copy;
  /** Parts that the receiver has; -1 before it said so. */
  taken: number;
  /** When the part that has no answer was sent, and when the receiver last got further, by the sender's clock. */
  sentAt: number;
  movedAt: number;
}

/** A snapshot that is coming: which, and how many parts of it are there. */
export interface Incoming {
  readonly body: PartRequest;
  taken: number;
}

/** A snapshot that is all there. */
export interface Complete {
  readonly copy: Copy;
  readonly parts: number;
  /** Who brings it by hand; null for a leader. */
  readonly requestId: number | null;
  step: "arrived" | "offered" | "installing" | "installed" | "damaged";
  /** True once the engine was told how it ended. */
  told: boolean;
  /** While installing: the write that has to be durable first. */
  afterIo: number;
}

/** Somebody wants the membership to be changed. */
export interface ChangeQuestion {
  readonly type: "change";
  readonly change: MembershipChange<unknown>;
  readonly retain: boolean;
  readonly expect: WriteExpectation | undefined;
  /** The membership that it begins with; null where that was not sure yet. */
  readonly before: StoredMembership<unknown> | null;
}

/** What somebody waits for: an answer to everything that was asked, and only one. */
export type Question =
  | ChangeQuestion
  | { readonly type: "transfer"; readonly target: NodeId | null; readonly term: number }
  | { readonly type: "snapshot"; readonly applied: number }
  | { readonly type: "install"; readonly lastLogId: LogId }
  | { readonly type: "initialize" };

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
  /** A snapshot that is being built: how much has to be applied before, and then of what state it is. */
  building: { readonly after: number; state: Machine | null } | null = null;
  /** Storage does not answer. */
  hangs = false;
  readonly outgoing = new Map<NodeId, Outgoing>();
  incoming: Incoming | null = null;
  complete: Complete | null = null;
  readonly requests = new Map<number, { readonly address: Address; readonly request: Request }>();
  readonly unanswered = new Map<
    number,
    { readonly to: NodeId; readonly term: number; readonly sentAt: number }
  >();
  /** Who was asked to take over, and does not answer. */
  unansweredTimeoutNow: { readonly to: NodeId; readonly term: number; readonly sentAt: number } | null = null;
  readonly reads = new Map<number, OpenRead>();
  readonly questions = new Map<number, Question>();
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

  /** The last membership in the log, found without asking the engine. */
  membership(): StoredMembership<unknown> {
    return lastMembership(this.log, this.disk.snapshot);
  }

  constructor(id: NodeId, disk: Disk, world: World) {
    this.id = id;
    this.disk = disk;
    this.world = world;
    disk.finishInstall();
    this.log = disk.log.clone();
    this.machine = disk.machine;
    const { applied } = disk.machine;
    this.dispatched = applied.index;
    must(
      disk.log.purged.index <= disk.snapshot.applied.index,
      `the log of node ${id} begins after its snapshot`,
    );
    must(disk.log.has(applied), `the state machine of node ${id} has applied what is not in its log`);
    const { entries, committed, memberships } = recovered(disk);
    this.engine = new Engine(
      {
        id,
        incarnation: disk.incarnation,
        vote: disk.vote,
        log: trail(entries, disk.log.purged),
        memberships,
        snapshot: disk.snapshot.applied,
        applied,
        committed,
      },
      {
        config: world.config,
        switches: world.switches,
        random: () => world.random.next(),
        checkInvariants: true,
      },
      this.now,
    );
  }
}

/** The last membership in a log, or the one that the snapshot before it has. */
export function lastMembership(log: EntryList, { membership }: Machine): StoredMembership<unknown> {
  return log.membership ?? membership;
}

/** What a restart finds: the terms of the log, how far it is known to be committed, and the memberships from there on. */
function recovered(disk: Disk): {
  entries: number[];
  committed: LogId;
  memberships: StoredMembership<unknown>[];
} {
  const { applied, membership } = disk.machine;
  const known = disk.log.has(disk.committed) && compareLogIds(disk.committed, applied) > 0;
  const committed = known ? disk.committed : applied;
  const memberships = [membership];
  for (const { logId, payload } of disk.log.entries()) {
    if (payload.type !== "membership" || logId.index <= applied.index) continue;
    if (logId.index <= committed.index) memberships.pop();
    memberships.push({ logId, membership: payload.membership });
  }
  return { entries: disk.log.entries().map(({ logId }) => logId.term), committed, memberships };
}
