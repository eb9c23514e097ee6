import type { EntryPayload, LogId, Membership, NodeId } from "@seshat/common";
import { equalLogIds, formatLogId } from "@seshat/common";
import type { EngineState } from "../../src/engine/state.js";
import type { Disk, Entry, EntryList } from "./disk.js";

/** What the oracle sees of a node. */
export interface ObservedNode {
  readonly id: NodeId;
  readonly disk: Disk;
  readonly state: Readonly<EngineState> | null;
  /** The last membership in its log, found without asking the engine. */
  membership(): Membership<unknown>;
}

interface CommittedEntry {
  readonly logId: LogId;
  /** The term of the leader that committed it. */
  readonly inTerm: number;
}

type Payload = EntryPayload<unknown, unknown>;

/**
 * Remembers everything that was ever promised in a run, and objects to whatever contradicts it (Raft paper figure 3).
 * Checks look only at what is new, so that a run costs what happens in it.
 */
export class Oracle {
  readonly #leaders = new Map<number, NodeId>();
  readonly #votes = new Map<string, NodeId>();
  readonly #entries = new Map<string, { readonly payload: Payload; readonly previous: LogId }>();
  /** By index; index 0 is the position before the first entry. */
  readonly #committed: CommittedEntry[] = [{ logId: { term: 0, index: 0 }, inTerm: 0 }];
  readonly #hashes: number[] = [0];
  #readsServed = 0;
  #followerReads = 0;
  #leaseReads = 0;
  #quorumsLost = 0;

  /** The highest index that is committed anywhere. */
  get committedIndex(): number {
    return this.#committed.length - 1;
  }

  /** How many terms had a leader. */
  get terms(): number {
    return this.#leaders.size;
  }

  get readsServed(): number {
    return this.#readsServed;
  }

  /** Of the reads served, those at an index that a follower asked the leader for. */
  get followerReads(): number {
    return this.#followerReads;
  }

  /** Of the reads served, those that a leader with peers answered without asking any of them. */
  get leaseReads(): number {
    return this.#leaseReads;
  }

  /** How often a leader stepped down because no quorum answered. */
  get quorumsLost(): number {
    return this.#quorumsLost;
  }

  followerReadReady(): void {
    this.#followerReads += 1;
  }

  leaseReadReady(): void {
    this.#leaseReads += 1;
  }

  quorumLost(): void {
    this.#quorumsLost += 1;
  }

  /** The last committed entry up to which a log holds what is committed. */
  sharedWith(log: EntryList): number {
    let index = Math.min(log.last.index, this.committedIndex);
    while (index > log.purged.index && !log.has((this.#committed[index] as CommittedEntry).logId)) index--;
    return index;
  }

  /** Log Matching: two entries with one log id are one entry, and so are those before them. */
  appended(previous: LogId, entries: readonly Entry[]): void {
    let before = previous;
    for (const { logId, payload } of entries) {
      const key = formatLogId(logId);
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, { payload, previous: before });
      else {
        must(samePayload(known.payload, payload), `Log Matching: two entries ${key}`);
        must(
          equalLogIds(known.previous, before),
          `Log Matching: ${key} follows ${formatLogId(known.previous)} and ${formatLogId(before)}`,
        );
      }
      before = logId;
    }
  }

  /** One vote a term, crashes or not. */
  voted(voter: NodeId, term: number, candidate: NodeId): void {
    const key = `${term}:${voter}`;
    const earlier = this.#votes.get(key) ?? candidate;
    must(earlier === candidate, `node ${voter} voted for ${earlier} and ${candidate} in term ${term}`);
    this.#votes.set(key, candidate);
  }

  /** Looks at a node after a step, or a start, that found it committed up to `committedBefore`. */
  observe(node: ObservedNode, committedBefore: number, nodes: readonly ObservedNode[]): void {
    const { state } = node;
    if (state === null) return;
    const { term } = state.vote;
    if (state.role.type === "leader") {
      const leader = this.#leaders.get(term);
      must(
        leader === undefined || leader === node.id,
        `Election Safety: ${leader} and ${node.id} lead term ${term}`,
      );
      if (leader === undefined) {
        this.#leaders.set(term, node.id);
        for (const entry of this.#committed) checkLeaderHas(node.id, state, entry);
      }
    }
    const added = this.#committed.length;
    for (let index = committedBefore + 1; index <= state.committed.index; index++) {
      const logId = state.log.at(index);
      const known = this.#committed[index];
      if (known === undefined) {
        must(
          state.role.type === "leader",
          `node ${node.id} committed ${formatLogId(logId)} before any leader`,
        );
        this.#committed.push({ logId, inTerm: term });
      } else {
        must(
          equalLogIds(known.logId, logId),
          `State Machine Safety: ${formatLogId(known.logId)} and ${formatLogId(logId)} are both committed`,
        );
      }
    }
    if (state.role.type === "leader" && state.committed.index > committedBefore) {
      must(state.committed.term === term, `figure 8: term ${term} committed ${formatLogId(state.committed)}`);
      checkQuorumHolds(state.committed, node.membership(), nodes);
    }
    for (const entry of this.#committed.slice(added)) {
      for (const other of nodes) if (other.state !== null) checkLeaderHas(other.id, other.state, entry);
    }
  }

  /** The state machine of some node applied `logId`, and is then described by `hash`. */
  applied(logId: LogId, hash: number): void {
    const committed = this.#committed[logId.index];
    must(
      committed !== undefined && equalLogIds(committed.logId, logId),
      `${formatLogId(logId)} was applied, but is not committed`,
    );
    const known = (this.#hashes[logId.index] ??= hash);
    must(known === hash, `State Machine Safety: two states after ${formatLogId(logId)}`);
  }

  /** A read that came when `floor` was committed may be served at `readIndex`. */
  readReady(readIndex: LogId, floor: number): void {
    this.#readsServed += 1;
    must(readIndex.index >= floor, `a read at ${readIndex.index} misses what was committed up to ${floor}`);
    const committed = this.#committed[readIndex.index];
    must(
      committed !== undefined && equalLogIds(committed.logId, readIndex),
      "a read index that is not committed",
    );
  }
}

/** Throws when a promise is broken. */
export function must(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

function samePayload(a: Payload, b: Payload): boolean {
  if (a === b) return true;
  return a.type === "membership" && b.type === "membership" && a.membership === b.membership;
}

/** Leader Completeness: what was committed in a term is in the log of the leader of every later one. */
function checkLeaderHas(id: NodeId, state: Readonly<EngineState>, entry: CommittedEntry): void {
  if (state.role.type !== "leader" || state.vote.term <= entry.inTerm) return;
  must(
    entry.logId.index < state.log.purged.index || state.log.has(entry.logId),
    `Leader Completeness: ${id} leads term ${state.vote.term} without ${formatLogId(entry.logId)}, committed in term ${entry.inTerm}`,
  );
}

/** What a leader commits is on the disks of a majority of every set of voters. */
function checkQuorumHolds(
  committed: LogId,
  membership: Membership<unknown>,
  nodes: readonly ObservedNode[],
): void {
  for (const config of membership.configs) {
    const holders = nodes.filter(
      ({ id, disk }) =>
        config.includes(id) && (disk.log.purged.index > committed.index || disk.log.has(committed)),
    );
    must(
      holders.length * 2 > config.length,
      `${formatLogId(committed)} is committed, but durable on ${holders.map(({ id }) => id).join()} of ${config.join()}`,
    );
  }
}
