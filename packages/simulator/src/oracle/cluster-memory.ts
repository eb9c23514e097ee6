import type { LogEntry, LogId, NodeId, StoredMembership } from "@seshat/common";
import { equalLogIds, formatLogId } from "@seshat/common";
import { hashOfConstant } from "./canonical.js";
import { Violation } from "./violation.js";

interface KnownEntry {
  readonly payload: number;
  readonly previousTerm: number;
  /** The voters, if the entry is a membership. */
  readonly configs: string | null;
}

interface CommittedMembership {
  readonly logId: LogId;
  readonly configs: string;
}

interface CommittedEntry {
  readonly term: number;
  readonly payload: number;
  /** The term of the leader that committed it first. */
  readonly inTerm: number;
}

/** Terms stay small enough in a run that term and index fit in one number. */
const INDEX_SPAN = 2 ** 32;

/** Everything that was ever promised in a run, through crashes, purges and removed nodes. Whatever contradicts it is a violation. */
export class ClusterMemory {
  readonly #leaders = new Map<number, string>();
  readonly #votes = new Map<string, NodeId>();
  readonly #entries = new Map<number, KnownEntry>();
  readonly #committed = new Map<number, CommittedEntry>();
  /** Committed memberships, oldest first. */
  readonly #memberships: CommittedMembership[] = [];
  readonly #states = new Map<number, number>();
  /** The indexes of the commands in `#states`, rising. */
  readonly #commands: number[] = [];
  #lastCommitted = 0;

  /** The highest index that was committed anywhere. */
  get lastCommitted(): number {
    return this.#lastCommitted;
  }

  /** How many terms had a leader. */
  get leaders(): number {
    return this.#leaders.size;
  }

  /** B1: at most one leader a term, ever. */
  leads(store: string, term: number): void {
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== store)
      throw new Violation("B1 election safety", `${known} and ${store} both led term ${term}`);
    this.#leaders.set(term, store);
  }

  /** B11: who speaks as the leader of a term is the one that was elected in it. */
  checkLeads(store: string, term: number, what: string): void {
    const leader = this.#leaders.get(term);
    if (leader === store) return;
    throw new Violation(
      "B11 only its leader speaks for a term",
      `${store} sends ${what} of term ${term}, which ${leader ?? "nobody"} leads`,
    );
  }

  /** A3: one vote a term, restarts included. */
  votes(store: string, term: number, candidate: NodeId): void {
    const key = `${store}/${term}`;
    const known = this.#votes.get(key);
    if (known !== undefined && known !== candidate) {
      throw new Violation(
        "A3 one vote a term",
        `${store} voted for ${known} and ${candidate} in term ${term}`,
      );
    }
    this.#votes.set(key, candidate);
  }

  /** B2: an entry is the same wherever it is, and so is the one before it: then the whole prefix is. */
  appends(store: string, { logId, payload }: LogEntry<unknown, unknown>, previousTerm: number): void {
    const key = logId.term * INDEX_SPAN + logId.index;
    const hash = hashOfConstant(payload);
    const known = this.#entries.get(key);
    const configs = payload.type === "membership" ? JSON.stringify(payload.membership.configs) : null;
    if (known === undefined) this.#entries.set(key, { payload: hash, previousTerm, configs });
    else if (known.payload !== hash || known.previousTerm !== previousTerm) {
      throw new Violation(
        "B2 log matching",
        `${store} has another entry ${formatLogId(logId)}, or another one before it`,
      );
    }
  }

  /** A13: what a storage gives is what was appended under its term and index. */
  reads(store: string, { logId, payload }: LogEntry<unknown, unknown>): void {
    const known = this.#entries.get(logId.term * INDEX_SPAN + logId.index);
    if (known === undefined || known.payload === hashOfConstant(payload)) return;
    throw new Violation(
      "A13 what was durable is read back",
      `the storage of ${store} gives another entry ${formatLogId(logId)} than was appended`,
    );
  }

  /** B3, B7: what was committed at an index stays so, everywhere and for ever. */
  commits(store: string, logId: LogId, inTerm: number): void {
    const known = this.#committed.get(logId.index);
    if (known === undefined) {
      const { payload = 0, configs = null } = this.#entries.get(logId.term * INDEX_SPAN + logId.index) ?? {};
      this.#committed.set(logId.index, { term: logId.term, payload, inTerm });
      if (configs !== null) this.#memberships.push({ logId, configs });
      this.#lastCommitted = Math.max(this.#lastCommitted, logId.index);
    } else if (known.term !== logId.term) {
      throw new Violation(
        "B7 committed is immutable",
        `${store} commits ${formatLogId(logId)}, but ${known.term}-${logId.index} was committed`,
      );
    }
  }

  /** B4: whoever leads a term has what was committed in the terms before. */
  checkComplete(store: string, term: number, has: (logId: LogId) => boolean): void {
    for (let index = this.#lastCommitted; index > 0; index -= 1) {
      const known = this.#committed.get(index);
      if (known === undefined || known.inTerm >= term) continue;
      if (!has({ term: known.term, index })) {
        throw new Violation(
          "B4 leader completeness",
          `${store} leads term ${term} without ${known.term}-${index}`,
        );
      }
      return;
    }
  }

  /** True when this entry was committed. */
  isCommitted({ term, index }: LogId): boolean {
    return this.#committed.get(index)?.term === term;
  }

  /** The newest entry up to index `upto` that was committed in a term up to `inTerm`; undefined when there is none. */
  committedUpto(upto: number, inTerm: number): LogId | undefined {
    for (let index = Math.min(upto, this.#lastCommitted); index > 0; index -= 1) {
      const known = this.#committed.get(index);
      if (known !== undefined && known.inTerm <= inTerm) return { term: known.term, index };
    }
    return undefined;
  }

  /** B12: the membership that a node goes by after the committed entry at `index` is the last one up to there. */
  checkMembership(store: string, index: number, { logId, membership }: StoredMembership<unknown>): void {
    const known = this.#memberships.findLast((other) => other.logId.index <= index);
    if (known === undefined) return;
    if (equalLogIds(known.logId, logId) && known.configs === JSON.stringify(membership.configs)) return;
    throw new Violation(
      "B12 a snapshot stands for its entries",
      `${store} goes by the membership of ${formatLogId(logId)} at ${index}, where that of ${formatLogId(known.logId)} was in force: ${known.configs}`,
    );
  }

  /** B12: what a snapshot up to `lastIndex` holds is the state after the last command up to there, which is at `index`. */
  checkSnapshot(store: string, lastIndex: number, index: number): void {
    const expected = this.#commands.findLast((other) => other <= lastIndex);
    if (expected === undefined || expected === index) return;
    throw new Violation(
      "B12 a snapshot stands for its entries",
      `${store} has a snapshot up to ${lastIndex} with the commands up to ${index}, and not up to ${expected}`,
    );
  }

  /** B12: the state of a snapshot is the one that applying its commands leaves. */
  restores(store: string, index: number, hash: number): void {
    const known = this.#states.get(index) ?? (index === 0 ? 0 : undefined);
    if (known === undefined || known === hash) return;
    throw new Violation(
      "B12 a snapshot stands for its entries",
      `${store} restores another state at ${index} than others had`,
    );
  }

  /** B5: at one index all state machines are equal. */
  applies(store: string, index: number, hash: number): void {
    const known = this.#states.get(index);
    if (known === undefined) {
      this.#states.set(index, hash);
      if (index > (this.#commands.at(-1) ?? 0)) this.#commands.push(index);
    } else if (known !== hash) {
      throw new Violation(
        "B5 state machine safety",
        `${store} has another state at ${index} than others had`,
      );
    }
  }
}
