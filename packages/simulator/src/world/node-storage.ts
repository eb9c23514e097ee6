import type { AsyncRuntime, RaftTypeConfig } from "@seshat/common";
import type { RaftStateMachine, RaftStorage, StateMachine } from "@seshat/storage";
import type { DiskVerb } from "../disk/disk.js";
import type { DiskOperation } from "../disk/sim-device.js";
import type { SimDiskFaults } from "../disk/sim-disk-faults.js";

/** The two halves of a node's storage, as one life finds them. */
export interface OpenedStorage<C extends RaftTypeConfig> {
  readonly storage: RaftStorage<C>;
  readonly stateMachine: RaftStateMachine<C>;
}

/** What goes down: the machine, and with it what was not synced, or only the process. */
export type CrashKind = "machine" | "process";

/** What of a store is damaged. */
export type StorePart = "log" | "snapshot" | "vote" | "any";

/** Where a node keeps what outlives it. Made once for each store of a node, opened once for each life. */
export interface NodeStore<C extends RaftTypeConfig> {
  /** Begins a life. @param machine the application's state machine, new. */
  open(runtime: AsyncRuntime, machine: StateMachine<C["D"], C["R"]>): Promise<OpenedStorage<C>>;
  /** Ends a life at once. @param what default: the machine, so that what is not durable is lost, or some of it. */
  crash(what?: CrashKind): void;
  /** Nothing is synced any more until `release`. */
  hang(): void;
  release(): void;
  /** From now on the disk behaves so; what is left out stays. */
  setFaults(faults: Partial<SimDiskFaults>): void;
  /** The next sync fails. */
  failNextSync(): void;
  /** How often which fault happened, for the coverage table. */
  faultCounts(): ReadonlyMap<string, number>;
  /** What else can be done to it, where it stands on a simulated disk. Without, a run has no such faults. */
  readonly trouble?: DiskTrouble | undefined;
}

/** What else can be done to a store on a simulated disk. */
export interface DiskTrouble {
  /** How many bytes its files have. */
  readonly usedBytes: number;
  /** The next call of this kind fails. */
  failNext(verb: DiskVerb): void;
  /** A byte goes bad. @returns false when there is none of that part. */
  corrupt(part: StorePart): boolean;
  /** The next write ends up at another place. */
  misdirectNext(): void;
  /** Takes back what was to happen to a next call, and has not happened. */
  disarm(): void;
  /** Called before each call to the disk; null for none. */
  watch(hook: ((operation: DiskOperation) => void) | null): void;
}
