import type { StoredMembership, Vote } from "@seshat/common";
import { formatLogId } from "@seshat/common";
import type { ReadIndexEvent } from "../engine/event.js";
import { effectiveMembership } from "../engine/membership-state.js";
import { knownLeader } from "../engine/role.js";
import type { EngineState, Role } from "../engine/state.js";
import type { EndSpan, Instruments } from "./instruments.js";

/**
 * Tells the log and the tracer what changed from step to step: roles, terms, leaders, memberships, and how long
 * elections, commits and the confirmation of reads took.
 */
export class EngineObserver {
  readonly #instruments: Instruments;
  #seenRole: Role | null = null;
  #seenVote: Vote | null = null;
  #seenMembership: StoredMembership<unknown> | null = null;
  #role: string;
  #term: number;
  #leader: number | null;
  #membershipIndex: number;
  #election: EndSpan | null = null;
  /** By the id of their event. */
  readonly #reads = new Map<number, EndSpan>();
  readonly #commits: { readonly upto: number; readonly end: EndSpan }[] = [];

  constructor(state: Readonly<EngineState>, instruments: Instruments) {
    this.#instruments = instruments;
    this.#role = state.role.type;
    this.#term = state.vote.term;
    this.#leader = knownLeader(state);
    this.#membershipIndex = effectiveMembership(state).logId.index;
  }

  /** Writes from `firstIndex` to `lastIndex` were proposed. */
  proposed(firstIndex: number, lastIndex: number): void {
    if (!this.#instruments.traces) return;
    const end = this.#instruments.startSpan("raft.commit", {
      "raft.first_index": firstIndex,
      "raft.entries": lastIndex - firstIndex + 1,
    });
    if (end !== null) this.#commits.push({ upto: lastIndex, end });
  }

  /** Entries up to `index` are committed. */
  committed(index: number): void {
    if (this.#commits.length === 0) return;
    let done = 0;
    for (const { upto, end } of this.#commits) {
      if (upto > index) break;
      end(null);
      done++;
    }
    if (done > 0) this.#commits.splice(0, done);
  }

  /** Reads of one turn are on their way to the engine. */
  readsAsked({ requestId, policy, forwarded }: ReadIndexEvent): void {
    const end = this.#instruments.startSpan("raft.read", {
      "raft.policy": policy,
      "raft.forwarded": forwarded,
    });
    if (end !== null) this.#reads.set(requestId, end);
  }

  /** It is known from which index on they may be served. */
  readsConfirmed(requestId: number): void {
    this.#endReads(requestId, null);
  }

  /** They cannot be served here. */
  readsRefused(requestId: number, error: Error): void {
    this.#endReads(requestId, error);
  }

  #endReads(requestId: number, error: Error | null): void {
    if (this.#reads.size === 0) return;
    this.#reads.get(requestId)?.(error);
    this.#reads.delete(requestId);
  }

  /** Nobody waits for what is not committed any more. */
  abandoned(error: Error): void {
    for (const { end } of this.#commits.splice(0)) end(error);
  }

  /** The node has stopped, whatever was going on: `refusal` says why, `error` what that means for what is in the log. */
  stopped(refusal: Error, error: Error): void {
    this.abandoned(error);
    this.#election?.(refusal);
    this.#election = null;
    for (const end of this.#reads.values()) end(refusal);
    this.#reads.clear();
  }

  /** A step is over. */
  observe(state: Readonly<EngineState>): void {
    const effective = effectiveMembership(state);
    // Most steps change nothing of what is told.
    if (state.role === this.#seenRole && state.vote === this.#seenVote && effective === this.#seenMembership)
      return;
    this.#seenRole = state.role;
    this.#seenVote = state.vote;
    this.#seenMembership = effective;
    const role = state.role.type;
    const { term } = state.vote;
    const leader = knownLeader(state);
    if (role !== this.#role || term !== this.#term) {
      this.#instruments.log("info", "raft.role", {
        from: this.#role,
        to: role,
        term,
        lastLog: formatLogId(state.log.last),
      });
      this.#observeElection(role, term);
    }
    if (leader !== this.#leader) this.#instruments.log("info", "raft.leader", { leader, term });
    const membershipIndex = effective.logId.index;
    if (membershipIndex !== this.#membershipIndex) {
      const { configs } = effective.membership;
      this.#instruments.log("info", "raft.membership", {
        index: membershipIndex,
        voters: JSON.stringify(configs),
      });
    }
    this.#role = role;
    this.#term = term;
    this.#leader = leader;
    this.#membershipIndex = membershipIndex;
  }

  #observeElection(role: string, term: number): void {
    const campaigns = role === "preCandidate" || role === "candidate";
    if (campaigns && this.#election === null) {
      this.#election = this.#instruments.startSpan("raft.election", { "raft.term": term });
    } else if (!campaigns && this.#election !== null) {
      this.#election(role === "leader" ? null : new Error(`lost: ${role} in term ${term}`));
      this.#election = null;
    }
  }
}
