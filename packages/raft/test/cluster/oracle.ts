import type { EntryPayload, LogId, Membership, NodeId, StoredMembership } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP, equalLogIds, formatLogId } from "@seshat/common";
import type { EngineState } from "../../src/engine/state.js";
import type { Copy, Disk, Entry, EntryList } from "./disk.js";
import { must } from "./must.js";
import { checkCommitted, checkLeads, checkSuccession } from "./membership-rules.js";

/** What the oracle sees of a node. */
export interface ObservedNode {
  readonly id: NodeId;
  readonly disk: Disk;
  /** The disks that it lost. */
  readonly lostDisks: readonly Disk[];
  readonly state: Readonly<EngineState> | null;
  /** The last membership in its log, found without asking the engine. */
  membership(): StoredMembership<unknown>;
}

/** What a node was before a step. */
export interface Before {
  /** How far it was committed. */
  readonly committed: number;
  /** The term that it led; null when it did not lead. */
  readonly ledTerm: number | null;
}

interface CommittedEntry {
  readonly logId: LogId;
  /** The term of the leader that committed it. */
  readonly inTerm: number;
}

type Payload = EntryPayload<unknown, unknown>;

/** What happened in a run, as far as it was worth something. */
export interface Counts {
  readsServed: number;
  /** Of the reads served, those at an index that a follower asked the leader for. */
  followerReads: number;
  /** Of the reads served, those that a leader with peers answered without asking any of them. */
  leaseReads: number;
  /** Leaders that stepped down because no quorum answered. */
  quorumsLost: number;
  /** Changes of the membership that were answered as done. */
  changes: number;
  /** Transfers of the leadership that were answered as done. */
  transfers: number;
  /** Snapshots that took the place of a state. */
  installs: number;
  /** Crashes after that, before the log had moved too. */
  interruptedInstalls: number;
}

/**
 * Remembers everything that was ever promised in a run, and objects to whatever contradicts it (Raft paper figure 3).
 * Checks look only at what is new, so that a run costs what happens in it.
 */
export class Oracle {
  readonly counts: Counts = {
    readsServed: 0,
    followerReads: 0,
    leaseReads: 0,
    quorumsLost: 0,
    changes: 0,
    transfers: 0,
    installs: 0,
    interruptedInstalls: 0,
  };
  readonly #leaders = new Map<number, NodeId>();
  readonly #votes = new Map<string, NodeId>();
  readonly #entries = new Map<string, { readonly payload: Payload; readonly previous: LogId }>();
  /** By index; index 0 is the position before the first entry. */
  readonly #committed: CommittedEntry[] = [{ logId: { term: 0, index: 0 }, inTerm: 0 }];
  readonly #committedTerms = new Set<number>();
  /** The committed memberships, oldest first. */
  readonly #memberships: StoredMembership<unknown>[] = [EMPTY_STORED_MEMBERSHIP];
  readonly #hashes: number[] = [0];

  /** The highest index that is committed anywhere. */
  get committedIndex(): number {
    return this.#committed.length - 1;
  }

  /** How many terms had a leader. */
  get terms(): number {
    return this.#leaders.size;
  }

  get readsServed(): number {
    return this.counts.readsServed;
  }

  get leaseReads(): number {
    return this.counts.leaseReads;
  }

  /** The committed memberships, oldest first. */
  get memberships(): readonly StoredMembership<unknown>[] {
    return this.#memberships;
  }

  count(what: keyof Counts): void {
    this.counts[what] += 1;
  }

  isCommitted(logId: LogId): boolean {
    const found = this.#committed[logId.index];
    return found !== undefined && equalLogIds(found.logId, logId);
  }

  /** True when `id` has led a term after `term`. */
  led(id: NodeId, term: number): boolean {
    return [...this.#leaders].some(([each, leader]) => each > term && leader === id);
  }

  /**
   * A node adds entries to its log. Log Matching: two entries with one log id are one entry, and so are those before them. New ones come
   * from the leader of their term.
   *
   * @param membership the last one in the log before them.
   */
  appended(
    id: NodeId,
    log: EntryList,
    membership: StoredMembership<unknown>,
    entries: readonly Entry[],
  ): void {
    let before = log.last;
    let inForce = membership;
    for (const { logId, payload } of entries) {
      const key = formatLogId(logId);
      const known = this.#entries.get(key);
      if (known === undefined) {
        this.#entries.set(key, { payload, previous: before });
        const leader = this.#leaders.get(logId.term);
        must(
          logId.term === 0 || leader === id,
          `node ${id} makes entry ${key}, and ${leader} leads that term`,
        );
        if (payload.type === "membership") checkSuccession(inForce, logId, payload.membership, this);
      } else {
        must(samePayload(known.payload, payload), `Log Matching: two entries ${key}`);
        must(
          equalLogIds(known.previous, before),
          `Log Matching: ${key} follows ${formatLogId(known.previous)} and ${formatLogId(before)}`,
        );
      }
      before = logId;
      if (payload.type === "membership") inForce = { logId, membership: payload.membership };
    }
  }

  /** True when something of this term is committed. */
  hasCommittedIn(term: number): boolean {
    return this.#committedTerms.has(term);
  }

  /** One vote a term, crashes or not: who lost its disk is somebody else. */
  voted(voter: NodeId, { incarnation }: Disk, term: number, candidate: NodeId): void {
    const key = `${term}:${voter}:${incarnation}`;
    const earlier = this.#votes.get(key) ?? candidate;
    must(earlier === candidate, `node ${voter} voted for ${earlier} and ${candidate} in term ${term}`);
    this.#votes.set(key, candidate);
  }

  /** Looks at a node after a step, or a start. */
  observe(node: ObservedNode, before: Before, nodes: readonly ObservedNode[]): void {
    const { state } = node;
    if (state === null) return;
    const { term } = state.vote;
    const committedBefore = before.committed;
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
      checkLeads(node, state.committed);
    }
    // Who commits its own removal leads no longer after that.
    const leads = state.role.type === "leader" || before.ledTerm === term;
    const added = this.#committed.length;
    for (let index = committedBefore + 1; index <= state.committed.index; index++) {
      this.#observeCommit(node.id, index, state, leads);
    }
    if (leads && state.committed.index > committedBefore) {
      must(state.committed.term === term, `figure 8: term ${term} committed ${formatLogId(state.committed)}`);
      checkCommitted(state.committed, node.membership(), nodes);
    }
    for (const entry of this.#committed.slice(added)) {
      for (const other of nodes) if (other.state !== null) checkLeaderHas(other.id, other.state, entry);
    }
  }

  #observeCommit(id: NodeId, index: number, { log, vote }: Readonly<EngineState>, leads: boolean): void {
    const known = this.#committed[index];
    const foundTerm = log.termAt(index);
    if (foundTerm === undefined) {
      // A snapshot stands for it.
      must(known !== undefined, `node ${id} has a snapshot beyond what is committed: ${index}`);
      return;
    }
    const logId = { term: foundTerm, index };
    if (known !== undefined) {
      must(
        equalLogIds(known.logId, logId),
        `State Machine Safety: ${formatLogId(known.logId)} and ${formatLogId(logId)} are both committed`,
      );
      return;
    }
    must(leads, `node ${id} committed ${formatLogId(logId)} before any leader`);
    this.#committed.push({ logId, inTerm: vote.term });
    this.#committedTerms.add(logId.term);
    const payload = this.#entries.get(formatLogId(logId))?.payload;
    must(payload !== undefined, `node ${id} committed ${formatLogId(logId)}, which nobody made`);
    if (payload?.type === "membership") this.#memberships.push({ logId, membership: payload.membership });
  }

  /** The state machine of some node applied `logId`, and is then described by `hash`. */
  applied(logId: LogId, hash: number): void {
    must(this.isCommitted(logId), `${formatLogId(logId)} was applied, but is not committed`);
    const known = (this.#hashes[logId.index] ??= hash);
    must(known === hash, `State Machine Safety: two states after ${formatLogId(logId)}`);
  }

  /** A snapshot was built, or takes the place of a state: it is the state after its last entry, with the membership in force there. */
  checkCopy({ meta, machine }: Copy): void {
    const { lastLogId, lastMembership } = meta;
    must(this.isCommitted(lastLogId), `a snapshot up to ${formatLogId(lastLogId)}, which is not committed`);
    must(
      this.#hashes[lastLogId.index] === machine.hash && equalLogIds(machine.applied, lastLogId),
      `a snapshot up to ${formatLogId(lastLogId)} of another state`,
    );
    const inForce = this.#memberships.findLast(({ logId }) => logId.index <= lastLogId.index);
    must(
      inForce?.membership === lastMembership.membership,
      `a snapshot up to ${formatLogId(lastLogId)} with the membership of ${formatLogId(lastMembership.logId)}`,
    );
  }

  /** Somebody is told that the membership was changed, whole. */
  changed(logId: LogId, membership: Membership<unknown>): void {
    must(
      this.#memberships.some((each) => equalLogIds(each.logId, logId) && each.membership === membership),
      `a change is said to be done at ${formatLogId(logId)}, which is not committed`,
    );
    this.count("changes");
  }

  /** A read that came when `floor` was committed may be served at `readIndex`. */
  readReady(readIndex: LogId, floor: number): void {
    this.count("readsServed");
    must(readIndex.index >= floor, `a read at ${readIndex.index} misses what was committed up to ${floor}`);
    must(this.isCommitted(readIndex), "a read index that is not committed");
  }
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
