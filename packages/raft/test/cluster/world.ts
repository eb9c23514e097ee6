import type { NodeId } from "@seshat/common";
import type { EngineConfig } from "../../src/engine/context.js";
import type { EngineSwitches } from "../../src/engine/event.js";
import type { SeededRandom } from "../../src/testing/seeded-random.js";
import type { Wire } from "./network.js";
import type { ObservedNode, Oracle } from "./oracle.js";

/** What all nodes of a simulated cluster share. */
export interface World {
  readonly config: EngineConfig;
  /** How the switches stand when a node starts. */
  readonly switches: EngineSwitches;
  readonly random: SeededRandom;
  readonly oracle: Oracle;
  readonly network: Wire;
  readonly hosts: Hosts;
  now: number;
  /** What this cluster's hosts do wrong, to show that it is noticed; null where they keep their promises. */
  readonly sabotage: Sabotage | null;
  nodes(): readonly ObservedNode[];
  /** The present time by the clock of one node. */
  clockOf(id: NodeId): number;
}

/** What the machines are like that the nodes of a cluster run on. */
export interface Hosts {
  /** How often storage returns fewer entries than it was asked for. */
  readonly shortReads: number;
  /** Whether the state machine is kept at every apply, or only in snapshots. */
  readonly keepMachines: boolean;
  /** In how many parts a snapshot is sent. */
  readonly snapshotParts: number;
  /** How often a snapshot turns out to be damaged when it is installed. */
  readonly damagedSnapshots: number;
  /** Whether every store has an incarnation. */
  readonly tellStoresApart: boolean;
}

/** Machines that do all that they are asked for, at once. */
export const PERFECT_HOSTS: Hosts = {
  shortReads: 0,
  keepMachines: false,
  snapshotParts: 1,
  damagedSnapshots: 0,
  tellStoresApart: false,
};

/**
 * Broken hosts: one answers before its disk has what it says, one forgets its vote in a crash, one its last entries, the clocks
 * of some run apart by more than they may, and one does not look whose store a message comes from, or is for.
 */
export type Sabotage =
  | "answersEarly"
  | "forgetsVote"
  | "losesEntries"
  | "hasDriftingClocks"
  | "trustsErasedDisks";
