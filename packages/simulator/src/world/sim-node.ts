import type { NodeId, RaftTypeConfig } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import type { RaftStateMachine } from "@seshat/storage";
import type { WatchedMachine } from "../oracle/watched-machine.js";
import type { Life } from "./life.js";
import type { NodeStore } from "./node-storage.js";

/** One node, whether it runs or not. */
export interface SimNode<C extends RaftTypeConfig> {
  readonly id: NodeId;
  store: NodeStore<C>;
  /** How fast its clock runs. */
  rate: number;
  raft: Raft<C> | null;
  life: Life | null;
  machine: WatchedMachine<C["D"], C["R"]> | null;
  /** What its store put the machine behind. */
  stateMachine: RaftStateMachine<C> | null;
  /** True from the moment it begins to start. */
  starting: boolean;
  /** Ends when it runs, or has failed to start; where it is being recovered, at once. */
  start: Promise<void>;
  /** Why it stopped by itself, or did not start; null once it runs. */
  stopCause: Error | null;
  /** True when it stopped or did not start for `stopCause`, and nobody has taken note. */
  hasStopped: boolean;
  /** Where it is found. */
  address: C["Node"];
  /** How often it has moved. */
  moves: number;
  /** After its last step. */
  role: string;
  /** The latest term that it was seen in, whatever became of its store. */
  latestTerm: number;
  /** How many lives it had. */
  lives: number;
  /** It cannot be started before, on the cluster's clock. */
  downUntil: number;
}

/** A node that does not run yet. */
export function makeNode<C extends RaftTypeConfig>(
  id: NodeId,
  store: NodeStore<C>,
  rate: number,
  address: C["Node"],
): SimNode<C> {
  return {
    id,
    store,
    rate,
    raft: null,
    life: null,
    machine: null,
    stateMachine: null,
    starting: false,
    start: Promise.resolve(),
    stopCause: null,
    hasStopped: false,
    address,
    moves: 0,
    role: "",
    latestTerm: 0,
    lives: 0,
    downUntil: 0,
  };
}
