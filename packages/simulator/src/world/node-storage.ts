import type { AsyncRuntime, RaftTypeConfig } from "@seshat/common";
import type { RaftStateMachine, RaftStorage, StateMachine } from "@seshat/storage";
import type { SimDiskFaults } from "../disk/sim-disk-faults.js";

/** The two halves of a node's storage, as one life finds them. */
export interface OpenedStorage<C extends RaftTypeConfig> {
  readonly storage: RaftStorage<C>;
  readonly stateMachine: RaftStateMachine<C>;
}

/** Where a node keeps what outlives it. Made once for each store of a node, opened once for each life. */
export interface NodeStore<C extends RaftTypeConfig> {
  /** Begins a life. @param machine the application's state machine, new. */
  open(runtime: AsyncRuntime, machine: StateMachine<C["D"], C["R"]>): Promise<OpenedStorage<C>>;
  /** Ends a life at once: what is not durable is lost, or some of it. */
  crash(): void;
  /** Nothing is synced any more until `release`. */
  hang(): void;
  release(): void;
  /** From now on the disk behaves so; what is left out stays. */
  setFaults(faults: Partial<SimDiskFaults>): void;
  /** The next sync fails. */
  failNextSync(): void;
  /** How often which fault happened, for the coverage table. */
  faultCounts(): ReadonlyMap<string, number>;
}
