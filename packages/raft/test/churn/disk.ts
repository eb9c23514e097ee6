import type {
  BasicNode,
  BytesTypeConfig,
  Membership,
  NodeId,
  Request,
  Response,
  Snapshot,
  SnapshotData,
} from "@seshat/common";
import { OpenRaftMemStorage, OpenRaftStateMachine } from "@seshat/storage";
import type { SeededRandom, VirtualClock } from "../../src/testing.js";
import type { Coverage } from "./coverage.js";
import { Life } from "./life.js";
import { LifeStateMachine } from "./life-state-machine.js";
import { LifeStorage } from "./life-storage.js";
import type { Witness } from "./witness.js";
import { WitnessedKv } from "./witness.js";

/** How a disk behaves; times in milliseconds. */
export interface DiskHabits {
  /** The longest that an append takes to become durable; 0 for at once. */
  readonly syncMs: number;
  /** The longest that any other write takes. */
  readonly writeMs: number;
  /** The longest that a snapshot takes to be built, and to be installed. */
  readonly snapshotMs: number;
}

export const QUICK_DISK: DiskHabits = { syncMs: 0, writeMs: 0, snapshotMs: 0 };

type AnySnapshot = Snapshot<SnapshotData, BasicNode>;

/** The state machine of a node with what it is made of. */
interface Machine {
  readonly kv: WitnessedKv;
  readonly raft: OpenRaftStateMachine<Request, Response, BasicNode>;
}

/** An append that a crash may take away. */
export interface UnsyncedAppend {
  readonly firstIndex: number;
}

/** A write that a crash may find done or not. */
export interface WriteInProgress {
  carryOut(): void;
}

/**
 * What a node keeps over its lives. Vote, truncation and purge are durable when the call ends; entries only when they are
 * synced, and a crash takes from those that are not as many of the last as chance decides. The state machine survives a crash as a
 * whole, or has to start from its snapshot.
 */
export class Disk {
  readonly id: NodeId;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly coverage: Coverage;
  readonly witness: Witness;
  habits: DiskHabits = QUICK_DISK;
  /** In the order of the log. All that stands before them is durable. */
  unsynced: UnsyncedAppend[] = [];
  writing: WriteInProgress | null = null;
  /** Where the installation of a snapshot is; only in the middle does the state change. */
  installing: "no" | "before" | "during" | "after" = "no";
  building = 0;
  #hungUntil = 0;
  #syncsHeldUntil = 0;
  #log!: OpenRaftMemStorage<BytesTypeConfig>;
  #machine!: Machine;
  /** What a state machine that starts anew is to begin with. */
  #saved: AnySnapshot | null = null;
  #life: Life | null = null;

  constructor(
    id: NodeId,
    parts: {
      readonly clock: VirtualClock;
      readonly random: SeededRandom;
      readonly coverage: Coverage;
      readonly witness: Witness;
    },
  ) {
    this.id = id;
    this.clock = parts.clock;
    this.random = parts.random;
    this.coverage = parts.coverage;
    this.witness = parts.witness;
    this.erase();
  }

  get log(): OpenRaftMemStorage<BytesTypeConfig> {
    return this.#log;
  }

  get machine(): Machine {
    return this.#machine;
  }

  /** Which store this is; 0 while no node has started on it. */
  get incarnation(): number {
    return this.#log.readIdentity()?.incarnation ?? 0;
  }

  /** The newest snapshot: of the state machine, or the one from which it is about to start. */
  get snapshot(): AnySnapshot | null {
    return this.#machine.raft.readCurrentSnapshot() ?? this.#saved;
  }

  /** True when the log holds a joint membership that is in force. */
  holdsJoint(): boolean {
    const { log } = this.#log;
    for (let index = log.lastLogId.index; index > log.lastPurgedLogId.index; index--) {
      const payload = log.get(index)?.payload;
      if (payload?.type === "membership") return isJointMembership(payload.membership);
    }
    return false;
  }

  /** Opens it for the next life of the node. */
  open(): { readonly life: Life; readonly storage: LifeStorage; readonly stateMachine: LifeStateMachine } {
    const life = new Life(this.clock, () => this.#hungUntil);
    this.#life = life;
    return { life, storage: new LifeStorage(this, life), stateMachine: new LifeStateMachine(this, life) };
  }

  /** Answers nothing for `ms` milliseconds. */
  hang(ms: number): void {
    this.#hungUntil = Math.max(this.#hungUntil, this.clock.now + ms);
  }

  /** Takes entries, and makes none of them durable for `ms` milliseconds. */
  holdSyncs(ms: number): void {
    this.#syncsHeldUntil = Math.max(this.#syncsHeldUntil, this.clock.now + ms);
  }

  /** How long the next append takes to become durable. */
  syncDelay(): number {
    return Math.max(this.delay(this.habits.syncMs), this.#syncsHeldUntil - this.clock.now);
  }

  /** Answers again. */
  resume(): void {
    this.#hungUntil = 0;
    this.#syncsHeldUntil = 0;
  }

  /** How long the next write takes at most `longest`: often not at all. */
  delay(longest: number): number {
    if (longest === 0 || this.random.chance(0.3)) return 0;
    return this.random.chance(0.05) ? longest * 5 * this.random.next() : longest * this.random.next();
  }

  /** The node over it is gone from one moment to the next: what was under way is done or not. */
  crash(): void {
    this.#life?.end();
    this.#life = null;
    const { writing } = this;
    this.writing = null;
    if (writing !== null && this.random.chance(0.5)) {
      this.unsynced = [];
      writing.carryOut();
    }
    const kept = this.random.integer(0, this.unsynced.length);
    const lost = this.unsynced[kept];
    this.unsynced = [];
    if (lost !== undefined && lost.firstIndex <= this.#log.log.lastLogId.index) {
      this.coverage.add("fault crash lost un-synced entries");
      this.#log.truncate(lost.firstIndex);
    }
    if (this.installing !== "no") {
      this.coverage.add("fault crash around an installation");
      this.coverage.add(`fault crash ${this.installing} an installation`);
    }
    if (this.installing === "during" || this.building > 0 || this.random.chance(0.4)) this.#forgetState();
    this.installing = "no";
    this.building = 0;
    this.#syncsHeldUntil = 0;
  }

  /** Another life begins after an orderly end: nothing was lost, or the state machine keeps nothing itself. */
  reopened(): void {
    this.#life = null;
    if (this.random.chance(0.3)) this.#forgetState();
  }

  /** Another disk, with nothing on it. */
  erase(): void {
    this.#log = new OpenRaftMemStorage<BytesTypeConfig>(new WitnessedKv(this.witness));
    this.#machine = this.#newMachine();
    this.#saved = null;
    this.#hungUntil = 0;
  }

  #forgetState(): void {
    this.coverage.add("fault crash with a new state machine");
    this.#saved = this.snapshot;
    this.#machine = this.#newMachine();
  }

  #newMachine(): Machine {
    const kv = new WitnessedKv(this.witness);
    return { kv, raft: new OpenRaftStateMachine<Request, Response, BasicNode>(kv) };
  }
}

function isJointMembership({ configs }: Membership): boolean {
  return configs.length > 1;
}
