import type { LogId, Membership, NodeId, StoredMembership, Vote } from "@seshat/common";
import type { Command } from "./command.js";
import { dispatchApply } from "./commit.js";
import type { Context, EngineConfig } from "./context.js";
import type { EngineSwitches, Event } from "./event.js";
import { holds } from "./holds.js";
import { checkState, checkTransition, summarize } from "./invariants.js";
import { quorumDeadline } from "./leadership.js";
import type { LogTrail } from "./log-trail.js";
import { mayBeNeeded, membershipOf } from "./membership-state.js";
import { onAppendEntries } from "./on-append-entries.js";
import { onAppendEntriesFailed, onAppendEntriesResponse } from "./on-append-entries-response.js";
import { onApplied } from "./on-applied.js";
import { onChangeMembership } from "./on-change-membership.js";
import { onClientWrite } from "./on-client-write.js";
import { onConfigure } from "./on-configure.js";
import { onElect } from "./on-elect.js";
import { onInitialize } from "./on-initialize.js";
import { onInstallSnapshotRequest, onSnapshotInstalled, onSnapshotReceived } from "./on-install-snapshot.js";
import { onInstallSnapshotFailed, onInstallSnapshotResponse } from "./on-install-snapshot-response.js";
import { onPersisted } from "./on-io-completed.js";
import { onPreVoteRequest, onPreVoteResponse } from "./on-pre-vote.js";
import { onReadIndex, onReadIndexAnswered } from "./on-read-index.js";
import { onStorageStalled } from "./on-storage-stalled.js";
import { onTellCommit } from "./on-tell-commit.js";
import { onTimeoutNow } from "./on-timeout-now.js";
import { onTimer } from "./on-timer.js";
import { onTimeoutNowAnswered, onTransferLeader } from "./on-transfer-leader.js";
import { onVoteRequest, onVoteResponse } from "./on-vote.js";
import { nextReadDeadline } from "./read-rounds.js";
import { hasNews, nextKeepAlive } from "./replication.js";
import { mayStand, startElectionTimer } from "./role.js";
import { noteSnapshotBuilt, purgeBehindSnapshot, purgeLog, requestSnapshot } from "./snapshot.js";
import type { EngineState, LeaderRole } from "./state.js";

/** What a node finds in its storage when it starts. */
export interface EngineStart {
  readonly id: NodeId;
  /** The store; 0 where stores are not told apart. */
  readonly incarnation: number;
  readonly vote: Vote;
  /** The log, all of it durable. */
  readonly log: LogTrail;
  /** The last committed membership and those in the log after it, oldest first; at least one. */
  readonly memberships: readonly StoredMembership<unknown>[];
  readonly snapshot: LogId;
  readonly applied: LogId;
  /** How far the log is known to be committed: at least `applied`. */
  readonly committed: LogId;
}

/** One step: what happened, what it asks for, and what the engine knows now. */
export interface EngineStep {
  readonly event: Event;
  readonly commands: readonly Command[];
  readonly state: Readonly<EngineState>;
  readonly now: number;
}

/** Who watches an engine. It changes nothing, and keeps nothing of the state, which is live. What it throws stops the node. */
export interface EngineWatcher {
  /** The engine begins, with what storage held. */
  started(state: Readonly<EngineState>): void;
  /** It took a step; what that asks for is carried out next. */
  stepped(step: EngineStep): void;
}

/** What an engine is run with. */
export interface EngineOptions {
  readonly config: EngineConfig;
  /** How the switches stand at the start. */
  readonly switches: EngineSwitches;
  readonly random: () => number;
  /** Check the invariants after every step, and throw when one does not hold. */
  readonly checkInvariants: boolean;
}

/**
 * The rules of Raft for one node: `step` takes what happened and says what to do about it. No I/O, no clock, no
 * randomness of its own: the same start and the same steps always give the same commands.
 *
 * An error thrown by `step` is a broken promise of storage, a peer or this code; the node must stop.
 */
export class Engine {
  readonly #ctx: Context;
  readonly #checkInvariants: boolean;
  /** The earliest deadline of a leader when it was last worked out, and of which leader, with which members. */
  #known: {
    readonly role: LeaderRole | null;
    readonly membership: Membership<unknown> | null;
    readonly deadline: number;
  } = { role: null, membership: null, deadline: 0 };

  constructor(start: EngineStart, options: EngineOptions, now: number) {
    const state: EngineState = {
      id: start.id,
      incarnation: start.incarnation,
      vote: start.vote,
      role: { type: mayBeNeeded(start) ? "follower" : "learner", leaderId: null },
      log: start.log,
      memberships: [...start.memberships],
      committed: start.committed,
      dispatchedIndex: start.applied.index,
      applied: start.applied,
      io: { issued: 0, persisted: 0, outstanding: [], durableIndex: start.log.last.index },
      snapshot: {
        lastLogId: start.snapshot,
        building: false,
        requests: [],
        bytesSince: 0,
        installing: null,
        installRequest: null,
        purgeUpto: 0,
      },
      electionDeadline: now,
      quorumLost: false,
      abstainUntil: abstainUntil(start, options.config, now),
      leaderContact: Number.NEGATIVE_INFINITY,
      appendSeq: 0,
      transfer: null,
      stalled: null,
      switches: options.switches,
    };
    this.#ctx = { config: options.config, state, now, random: options.random, out: [], deadlineMoved: true };
    this.#checkInvariants = options.checkInvariants;
    startElectionTimer(this.#ctx);
    if (this.#checkInvariants) checkState(state);
  }

  /** What this node knows, for metrics and tests. Nobody else writes to it. */
  get state(): Readonly<EngineState> {
    return this.#ctx.state;
  }

  /**
   * Goes on with what the last life of this node had decided: applies what was committed, and purges what its snapshot
   * stands for. Call it once, before the first step.
   */
  resume(): Command[] {
    const ctx = this.#ctx;
    clear(ctx.out);
    dispatchApply(ctx);
    purgeBehindSnapshot(ctx);
    return ctx.out.slice();
  }

  /** Takes one event at time `now` (milliseconds, never falling) and returns what to do, in order. */
  step(event: Event, now: number): readonly Command[] {
    const ctx = this.#ctx;
    ctx.now = now;
    if (!isOrdinary(event.type)) ctx.deadlineMoved = true;
    // Kept from step to step, because an array that is filled from nothing takes several times the room that it needs.
    clear(ctx.out);
    if (this.#checkInvariants) {
      const before = summarize(ctx.state);
      dispatch(ctx, event);
      checkState(ctx.state);
      checkTransition(before, ctx.state);
    } else dispatch(ctx, event);
    return ctx.out.length === 0 ? NOTHING : ctx.out.slice();
  }

  /**
   * True when a follower is to learn that something is committed, and nothing that is on its way says so: a `tellCommit` is due once
   * nothing else happens.
   */
  hasNews(): boolean {
    const { role } = this.#ctx.state;
    return role.type === "leader" && hasNews(this.#ctx, role);
  }

  /**
   * When the next `timer` event is due, on the clock of `step`; infinity for never.
   *
   * @param before who asks wants to know of a deadline before that alone: when there is none the answer may be any time from there on.
   */
  nextDeadline(before: number = Number.POSITIVE_INFINITY): number {
    const { state } = this.#ctx;
    const transfer = state.transfer?.deadline ?? Number.POSITIVE_INFINITY;
    return state.switches.tick ? Math.min(transfer, this.#roleDeadline(before)) : transfer;
  }

  #roleDeadline(before: number): number {
    const { role, switches, electionDeadline } = this.#ctx.state;
    switch (role.type) {
      case "learner":
        return Number.POSITIVE_INFINITY;
      case "leader":
        return this.#leaderDeadline(role, before);
      default:
        // Asked after every turn: the deadline has mostly moved away, and nothing else needs to be known.
        if (electionDeadline >= before) return electionDeadline;
        return switches.elect && mayStand(this.#ctx.state) ? electionDeadline : Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Followers are only heard from and sent to again, so as long as one leader has one membership, and nobody fails to answer, its deadlines
   * move away, and an earlier one says enough.
   */
  #leaderDeadline(role: LeaderRole, before: number): number {
    const known = this.#known;
    const ctx = this.#ctx;
    const membership = membershipOf(ctx.state);
    const isKnown =
      !ctx.deadlineMoved &&
      known.role === role &&
      known.membership === membership &&
      known.deadline >= before;
    if (isKnown && !this.#checkInvariants) return known.deadline;
    const deadline = Math.min(
      nextKeepAlive(ctx, role),
      quorumDeadline(ctx, role),
      nextReadDeadline(role),
      role.restAt,
    );
    holds("a leader's deadlines move away", !isKnown || deadline >= before, () => `${deadline} < ${before}`);
    this.#known = { role, membership, deadline };
    ctx.deadlineMoved = false;
    return deadline;
  }
}

/** Most of what lanes report asks for nothing. */
const NOTHING: readonly Command[] = Object.freeze([]);

/** True for what happens with every write: no deadline of a leader is earlier for it, unless a handler says so. */
function isOrdinary(type: Event["type"]): boolean {
  return (
    type === "clientWrite" || type === "appendEntriesResponse" || type === "persisted" || type === "applied"
  );
}

/** Setting the length would be a call out of JavaScript. */
function clear(commands: Command[]): void {
  while (commands.length > 0) commands.pop();
}

/**
 * Until when a node that starts elects nobody. A lease that it promised in its last life has ended after the longest election
 * timeout (Raft thesis section 6.4.1); in term 0 it has never answered a leader, so it has promised none.
 */
function abstainUntil(start: EngineStart, config: EngineConfig, now: number): number {
  return config.leaseMs === null || start.vote.term === 0 ? now : now + config.electionTimeoutMaxMs;
}

function dispatch(ctx: Context, event: Event): void {
  switch (event.type) {
    case "clientWrite":
      return onClientWrite(ctx, event);
    case "persisted":
      return onPersisted(ctx, event);
    case "applied":
      return onApplied(ctx, event);
    case "appendEntriesRequest":
      return onAppendEntries(ctx, event);
    case "appendEntriesResponse":
      return onAppendEntriesResponse(ctx, event);
    case "appendEntriesFailed":
      return onAppendEntriesFailed(ctx, event);
    case "readIndex":
      return onReadIndex(ctx, event);
    case "readIndexAnswered":
      return onReadIndexAnswered(ctx, event);
    case "tellCommit":
      return onTellCommit(ctx);
    case "timer":
      return onTimer(ctx);
    case "preVoteRequest":
      return onPreVoteRequest(ctx, event);
    case "preVoteResponse":
      return onPreVoteResponse(ctx, event);
    case "voteRequest":
      return onVoteRequest(ctx, event);
    case "voteResponse":
      return onVoteResponse(ctx, event);
    case "initialize":
      return onInitialize(ctx, event);
    case "elect":
      return onElect(ctx);
    case "changeMembership":
      return onChangeMembership(ctx, event);
    case "transferLeader":
      return onTransferLeader(ctx, event);
    case "timeoutNowRequest":
      return onTimeoutNow(ctx, event);
    case "timeoutNowAnswered":
      return onTimeoutNowAnswered(ctx, event);
    case "installSnapshotRequest":
      return onInstallSnapshotRequest(ctx, event);
    case "snapshotReceived":
      return onSnapshotReceived(ctx, event);
    case "snapshotInstalled":
      return onSnapshotInstalled(ctx, event);
    case "installSnapshotResponse":
      return onInstallSnapshotResponse(ctx, event);
    case "installSnapshotFailed":
      return onInstallSnapshotFailed(ctx, event);
    case "configure":
      return onConfigure(ctx, event);
    case "storageStalled":
      return onStorageStalled(ctx, event);
    case "takeSnapshot":
      return requestSnapshot(ctx, event.requestId);
    case "purgeLog":
      return purgeLog(ctx, event.upto);
    case "snapshotBuilt":
      return noteSnapshotBuilt(ctx, event.lastLogId);
    default:
      return event satisfies never;
  }
}
