import type { LogId, NodeId, Vote } from "@seshat/common";
import { ZERO_VOTE } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import type { StorageTap } from "./watched-storage.js";

export type EngineState = EngineStep["state"];

/** What the oracle knows of one store of a node, through all lives that ran on it. */
export class ObservedNode implements StorageTap {
  readonly id: NodeId;
  /** The engine of the current life, or of the last one: it stands still then. */
  state: EngineState;
  /** What a crash cannot take back. */
  durableVote: Vote = ZERO_VOTE;
  durableIndex: number;
  /** The most that was durable since the vote was of `durableTerm`. */
  durableHigh = 0;
  durableTerm = 0;
  committed: LogId;
  role = "";
  configs: readonly (readonly NodeId[])[];
  #outstanding: { lastIndex: number }[] = [];
  /** Where the engine cut its log, and storage has not yet: from there on the disk holds what was before. */
  #cuts: number[] = [];

  constructor(state: EngineState) {
    this.id = state.id;
    this.state = state;
    this.durableVote = state.vote;
    this.durableIndex = state.io.durableIndex;
    this.committed = state.committed;
    this.configs = effective(state).membership.configs;
  }

  /** A later life began. */
  restart(state: EngineState): void {
    this.state = state;
    this.durableVote = state.vote;
    this.durableIndex = state.io.durableIndex;
    this.durableHigh = 0;
    this.#outstanding = [];
    this.#cuts = [];
    this.committed = state.committed;
    this.role = "";
    this.configs = effective(state).membership.configs;
  }

  voteSaved(vote: Vote): void {
    this.durableVote = vote;
    if (vote.term === this.durableTerm) return;
    this.durableTerm = vote.term;
    this.durableHigh = this.durableIndex;
  }

  appending(lastIndex: number): () => void {
    const write = { lastIndex };
    this.#outstanding.push(write);
    return () => {
      this.#outstanding = this.#outstanding.filter((other) => other !== write);
      this.durableIndex = Math.max(this.durableIndex, write.lastIndex);
      this.durableHigh = Math.max(this.durableHigh, this.durableIndex);
    };
  }

  /** The engine has cut its log, and storage will. */
  truncating(since: number): void {
    this.#cuts.push(since);
  }

  /** Up to here the log of the engine is what is durable. */
  get settledIndex(): number {
    return Math.min(this.durableIndex, ...this.#cuts.map((since) => since - 1));
  }

  truncated(since: number): void {
    this.#cuts = this.#cuts.filter((cut) => cut !== since);
    this.durableIndex = Math.min(this.durableIndex, since - 1);
    for (const write of this.#outstanding) write.lastIndex = Math.min(write.lastIndex, since - 1);
  }

  purged(upto: LogId): void {
    this.durableIndex = Math.max(this.durableIndex, upto.index);
    this.durableHigh = Math.max(this.durableHigh, this.durableIndex);
  }

  /** True when a crash now would leave this entry on the node, or a snapshot that holds it. */
  holdsDurably(logId: LogId): boolean {
    const { log, snapshot } = this.state;
    if (logId.index <= log.purged.index || logId.index <= snapshot.lastLogId.index) return true;
    return logId.index <= this.durableIndex && log.termAt(logId.index) === logId.term;
  }
}

export function effective(state: EngineState): EngineState["memberships"][number] {
  return state.memberships.at(-1) as EngineState["memberships"][number];
}
