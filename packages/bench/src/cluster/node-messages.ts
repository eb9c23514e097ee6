import type { Round } from "../load/closed-loop.js";
import type { AppliedTally } from "./bench-node.js";

/** What a process with one node keeps its log and state in. */
export type NodeKind =
  /** Log and state in memory. */
  | "memory"
  /** A durable log; the state counts what is applied. */
  | "durable"
  /** A durable log, and keys with values in memory. */
  | "keys"
  /** A durable log, and keys with values on disk. */
  | "keysOnDisk";

/** What such a process is told to do. */
export type NodeOrder =
  | { readonly type: "initialize"; readonly members: readonly (readonly [number, string])[] }
  /** On the leader, closed loops. `keys` values are written over and over; null for commands that mean nothing. */
  | {
      readonly type: "round";
      readonly clients: number;
      readonly seconds: number;
      readonly operations: number | null;
      readonly keys: number | null;
    }
  /** What any asynchronous call costs at least there, by as many clients. */
  | { readonly type: "limit"; readonly clients: number; readonly seconds: number }
  /** Ends the round that is running. */
  | { readonly type: "stop" }
  | { readonly type: "snapshot" }
  | { readonly type: "addLearner"; readonly id: number; readonly addr: string }
  /** Waits until everything up to an index is applied, null for all that it has; and looks for some of so many keys. */
  | { readonly type: "verify"; readonly upto: number | null; readonly keys: number }
  /** Collects garbage, and begins to watch how much memory the process takes. */
  | { readonly type: "watchMemory" }
  /** How much that is, and was at most. */
  | { readonly type: "memory" }
  /** How much processor time it has taken. */
  | { readonly type: "cpu" };

/** What a node has in the end. */
export interface NodeVerified {
  readonly lastIndex: number;
  readonly term: number;
  readonly isLeader: boolean;
  readonly applied: AppliedTally;
  /** What it acknowledged to clients. */
  readonly acknowledged: Pick<AppliedTally, "writes" | "writesHash">;
  /** Of those that were looked for. */
  readonly missing: number;
  readonly snapshotIndex: number;
}

/** Of the whole process, in bytes: resident, then and at most since. */
export interface NodeMemory {
  readonly baseline: number;
  readonly peak: number;
}

/** Answers to orders; `ready` comes without one. */
export type NodeAnswer =
  | { readonly type: "ready"; readonly address: string }
  | { readonly type: "done" }
  | { readonly type: "round"; readonly round: Round }
  | { readonly type: "verified"; readonly verified: NodeVerified }
  | { readonly type: "memory"; readonly memory: NodeMemory }
  | { readonly type: "cpu"; readonly us: number }
  | { readonly type: "failed"; readonly message: string };
