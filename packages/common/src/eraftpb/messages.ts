import type { U64 } from "./u64.js";

/** What an {@link Entry} carries: the numbers of the protobuf enum. */
export type EntryType = 0 | 1 | 2;

/** The values of the protobuf enum `EntryType`, by name. */
export const EntryType: {
  readonly EntryNormal: 0;
  readonly EntryConfChange: 1;
  readonly EntryConfChangeV2: 2;
} = Object.freeze({ EntryNormal: 0, EntryConfChange: 1, EntryConfChangeV2: 2 });

/** `eraftpb.Entry`: one entry of a raft-rs log. */
export interface Entry<U extends U64 = U64> {
  readonly entryType: EntryType;
  /** From 1 on. */
  readonly term: U;
  /** From 1 on. */
  readonly index: U;
  /** The command; or the encoded `ConfChange` or `ConfChangeV2`; empty in a new leader's first entry. */
  readonly data: Uint8Array;
  /** Whatever the application attached. */
  readonly context: Uint8Array;
  /** Deprecated in raft-rs, without effect there, and not read here. */
  readonly syncLog?: boolean;
}

/** `eraftpb.HardState`: what a raft-rs node keeps durably beside its log. */
export interface HardState<U extends U64 = U64> {
  /** The latest term the node has seen. This is not the term of the entry at `commit`. */
  readonly term: U;
  /** Who received the node's vote in `term`; 0 for nobody. */
  readonly vote: U;
  /** The index of the last entry known to be committed; 0 for none. */
  readonly commit: U;
}

/** `eraftpb.ConfState`: who belongs to a raft-rs cluster. Each list is a set: its order means nothing. */
export interface ConfState<U extends U64 = U64> {
  /** The voters; while joint, the incoming ones. */
  readonly voters: readonly U[];
  /** The members that do not vote, and are in neither set of voters. */
  readonly learners: readonly U[];
  /** The voters that are on their way out. The configuration is joint while there are any. */
  readonly votersOutgoing: readonly U[];
  /** Those of `votersOutgoing` that become learners once the joint configuration is left. */
  readonly learnersNext: readonly U[];
  /** True when the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}
