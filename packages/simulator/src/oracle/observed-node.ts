import type { LogId, Membership, NodeId, Vote } from "@seshat/common";
import { ZERO_VOTE } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import type { StorageTap } from "./watched-storage.js";
import { WrittenLog } from "./written-log.js";

export type EngineState = EngineStep["state"];

/** What the oracle knows of one store of a node, through all lives that ran on it. */
export class ObservedNode implements Omit<StorageTap, "read" | "committedRead"> {
  /** Of the store, for messages. */
  readonly name: string;
  readonly id: NodeId;
  /** The engine of the current life, or of the last one: it stands still then. */
  state: EngineState;
  /** What a crash cannot take back. */
  durableVote: Vote = ZERO_VOTE;
  durableIndex: number;
  /** The most that was durable since the vote was of `durableTerm`. */
  durableHigh = 0;
  durableTerm = 0;
  /** Up to where a snapshot stands for its entries, or stood for them when they were purged: nothing of them is lost in a crash. */
  covered: number;
  /** What its storage was asked to hold. */
  readonly written: WrittenLog;

  /** As of the end of the last step: the state itself is live. */
  vote: Vote;
  committed: LogId;
  applied: number;
  /** Up to where it asked for entries to be applied; null before its first step. */
  dispatched: number | null;
  role: string;
  membership: Membership<unknown>;
  /** The term of each entry of its log, by index. What it purged may be there still. */
  readonly terms: Map<number, number>;
  lastIndex: number;
  lastTerm: number;
  /** From where on the engine has cut its log, and storage has not been asked to yet. */
  #cuts: number[] = [];
  #outstanding: { lastIndex: number }[] = [];

  constructor(name: string, state: EngineState) {
    this.name = name;
    this.id = state.id;
    this.state = state;
    this.durableVote = state.vote;
    this.durableIndex = state.io.durableIndex;
    this.covered = coveredBy(state);
    this.written = new WrittenLog();
    this.vote = state.vote;
    this.committed = state.committed;
    this.applied = state.applied.index;
    this.dispatched = null;
    this.role = "";
    this.membership = effective(state).membership;
    this.terms = termsOf(state);
    this.lastIndex = state.log.last.index;
    this.lastTerm = state.log.last.term;
    this.written.restart(this.terms);
  }

  /** A later life began. */
  restart(state: EngineState): void {
    this.state = state;
    this.durableVote = state.vote;
    this.durableIndex = state.io.durableIndex;
    this.durableHigh = 0;
    this.covered = coveredBy(state);
    this.#outstanding = [];
    this.#cuts = [];
    this.committed = state.committed;
    this.applied = state.applied.index;
    this.role = "";
    this.terms.clear();
    for (const [index, term] of termsOf(state)) this.terms.set(index, term);
    this.written.restart(this.terms);
    this.endStep(state);
    this.dispatched = null;
  }

  /** What the next step is compared with. */
  endStep(state: EngineState): void {
    this.vote = state.vote;
    if (state.committed.index > this.committed.index) this.committed = state.committed;
    this.applied = state.applied.index;
    this.dispatched = state.dispatchedIndex;
    this.role = state.role.type;
    this.membership = effective(state).membership;
    this.lastIndex = state.log.last.index;
    this.lastTerm = state.log.last.term;
  }

  voteSaved(vote: Vote): void {
    this.durableVote = vote;
    if (vote.term === this.durableTerm) return;
    this.durableTerm = vote.term;
    this.durableHigh = this.durableIndex;
  }

  appending(logIds: readonly LogId[]): () => void {
    const write = { lastIndex: logIds.at(-1)?.index ?? 0 };
    this.written.append(logIds);
    this.#outstanding.push(write);
    return () => {
      this.#outstanding = this.#outstanding.filter((other) => other !== write);
      this.durableIndex = Math.max(this.durableIndex, write.lastIndex);
      this.durableHigh = Math.max(this.durableHigh, this.durableIndex);
    };
  }

  /** The engine has cut its log, and storage will. */
  cut(since: number): void {
    this.#cuts.push(since);
  }

  /** What its last life had in memory from `since` on was not durable, and a crash took it. */
  goneFrom(since: number): void {
    for (const index of this.terms.keys()) if (index >= since) this.terms.delete(index);
  }

  /** Up to here the log of the engine is what is durable. */
  get settledIndex(): number {
    return Math.min(this.durableIndex, ...this.#cuts.map((since) => since - 1));
  }

  truncating(since: number): () => void {
    this.#cuts = this.#cuts.filter((cut) => cut !== since);
    this.durableIndex = Math.min(this.durableIndex, since - 1);
    for (const write of this.#outstanding) write.lastIndex = Math.min(write.lastIndex, since - 1);
    return () => this.written.truncate(since);
  }

  purged(upto: LogId): void {
    this.durableIndex = Math.max(this.durableIndex, upto.index);
    this.covered = Math.max(this.covered, upto.index);
    this.durableHigh = Math.max(this.durableHigh, this.durableIndex);
    this.written.purge(upto.index);
  }

  /** A snapshot that came from elsewhere is durable. */
  installed({ index }: LogId): void {
    this.covered = Math.max(this.covered, index);
  }

  /** Up to where a crash now would leave it a log or a snapshot. */
  get held(): number {
    return Math.max(this.durableIndex, this.covered);
  }

  /** True when a crash now would leave this entry on the node, or a snapshot that holds it. */
  holdsDurably(logId: LogId): boolean {
    if (logId.index <= this.covered) return true;
    // Where the engine has cut its log and storage has not been asked to yet, the entries of before are what is durable.
    return logId.index <= this.settledIndex && this.state.log.termAt(logId.index) === logId.term;
  }
}

export function effective(state: EngineState): EngineState["memberships"][number] {
  return state.memberships.at(-1) as EngineState["memberships"][number];
}

/** What a life begins with was read, so it is durable. */
function coveredBy({ log, snapshot }: EngineState): number {
  return Math.max(log.purged.index, snapshot.lastLogId.index);
}

function termsOf({ log }: EngineState): Map<number, number> {
  const terms = new Map<number, number>();
  for (let { index } = log.purged; index <= log.last.index; index += 1) {
    const term = log.termAt(index);
    if (term !== undefined) terms.set(index, term);
  }
  return terms;
}
