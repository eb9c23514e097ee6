import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  AsyncRuntime,
  EntryPayload,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  LogId,
  NodeId,
  PreVoteResponse,
  RaftTypeConfig,
  RpcRequest,
  RpcResponse,
  SeshatError,
  Snapshot,
  StoreIdentity,
  StoredMembership,
  TimeoutNowResponse,
  Vote,
  VoteResponse,
} from "@seshat/common";
import {
  OverloadedError,
  ShutdownError,
  StoppedError,
  UnknownOutcomeError,
  formatLogId,
} from "@seshat/common";
import type { ApplyResponse, RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { RaftConfig } from "../config.js";
import { engineConfig, engineSwitches } from "../config.js";
import type { Command } from "../engine/command.js";
import type { EngineStart, EngineWatcher } from "../engine/engine.js";
import { Engine } from "../engine/engine.js";
import type { AppliedEvent, Event, ReadPolicy, WriteExpectation } from "../engine/event.js";
import { membershipOf } from "../engine/membership-state.js";
import { mayReadAtOnce } from "../engine/read-rounds.js";
import { knownLeader, refusal } from "../engine/role.js";
import type { Role } from "../engine/state.js";
import type { RaftNetworkFactory, RpcCaller } from "../network/raft-network.js";
import type { ChangeMembershipResponse } from "./callers.js";
import { Callers } from "./callers.js";
import { CarefulCaller } from "./careful-caller.js";
import type { Writer } from "./clients.js";
import { Clients } from "./clients.js";
import { CommitNews } from "./commit-news.js";
import { EngineObserver } from "./engine-observer.js";
import { Executor } from "./executor.js";
import { toError } from "./failure.js";
import type { FoundingParts } from "./founding.js";
import { Fifo } from "./fifo.js";
import { askFounders, foundingVote } from "./founding.js";
import { Passport } from "./identity.js";
import type { Instruments } from "./instruments.js";
import type { RaftMetrics } from "./metrics.js";
import { computeMetrics } from "./metrics.js";
import type { PendingRequests } from "./pending-requests.js";
import { ReadWatch } from "./read-watch.js";
import { refusalToError } from "./refusal.js";
import { lenientSizeOf } from "./size-of.js";
import type { StageLatencies } from "./stage-latency.js";
import { StageClock } from "./stage-latency.js";
import { StepTimer } from "./step-timer.js";
import { TermBound } from "./term-bound.js";

/** So many steps in a row are taken in any case before timers and sockets get their turn ... */
const LEAST_STEPS_BEFORE_YIELD = 64;
/**
 * ... and more while they took no longer than this together, in milliseconds: a turn of the event loop costs as much as dozens of steps. A
 * clock that stands still, as virtual ones do, says nothing about it.
 */
const YIELD_AFTER_MS = 1;

/** What a runtime is made of. */
export interface RuntimeParts<C extends RaftTypeConfig> {
  readonly identity: StoreIdentity;
  readonly start: EngineStart;
  readonly storage: RaftStorage<C>;
  readonly stateMachine: RaftStateMachine<C>;
  readonly network: RaftNetworkFactory<C>;
  readonly config: RaftConfig;
  readonly clock: AsyncRuntime;
  readonly instruments: Instruments;
  readonly checkInvariants: boolean;
  /** What a command counts in bytes. */
  readonly sizeOf: (data: C["D"]) => number;
  readonly watcher: EngineWatcher | null;
}

/**
 * Runs one engine: events go into a queue, each is one step, and the commands of the step go to the executor, which answers
 * with events. Nothing but this loop touches the engine.
 */
export class Runtime<C extends RaftTypeConfig> {
  readonly #engine: Engine;
  readonly #clock: AsyncRuntime;
  readonly #instruments: Instruments;
  readonly #observer: EngineObserver;
  readonly #executor: Executor<C>;
  readonly #timer: StepTimer;
  readonly #news: CommitNews;
  readonly #clients: Clients<C["R"]>;
  readonly #readWatch: ReadWatch;
  readonly #watcher: EngineWatcher | null;
  readonly #passport: Passport;
  readonly #terms: TermBound;
  readonly #stages: StageClock;
  readonly #founding: FoundingParts<C>;
  readonly #stopSignal: AbortController = new AbortController();
  readonly #sizeOf: (data: C["D"]) => number;
  /** What the last step left, of which others are told; the connections to peers are adjusted to the memberships. */
  #seenRole: Role | undefined;
  #seenVote: Vote | undefined;
  #seenCommitted: StoredMembership<unknown> | undefined;
  #seenEffective: StoredMembership<unknown> | undefined;

  readonly #callers: Callers;
  readonly #watchers = new Set<() => void>();

  readonly #drainLater = (): void => this.#drain();
  #queue = new Fifo<Event>();
  #scheduled = false;
  /** True until the first step of a turn. */
  #isNewTurn = true;
  /** Since timers and sockets had their turn. */
  #steps = 0;
  /** When that was, on the clock of the steps. */
  #yieldedAt = Number.NEGATIVE_INFINITY;
  /** True while commands are carried out: what a lane reports then is taken up as soon as they are. */
  #isExecuting = false;
  /** The newest write that was reported meanwhile; 0 for none. */
  #persistedNow = 0;
  /** What was reported as applied meanwhile. */
  #appliedNow: AppliedEvent | null = null;
  /** Reports that wait in the queue: those that come after must not overtake them. */
  #reportsQueued = 0;
  /** Why calls are refused from now on; null while the node runs. */
  #stopped: SeshatError | null = null;
  #stopCause: Error | null = null;
  #closed: Promise<void> | null = null;

  constructor(parts: RuntimeParts<C>) {
    const { start, config, clock, instruments } = parts;
    this.#clock = clock;
    this.#watcher = parts.watcher;
    this.#instruments = instruments;
    this.#engine = new Engine(
      start,
      {
        config: engineConfig(config),
        switches: engineSwitches(config),
        random: () => clock.random(),
        checkInvariants: parts.checkInvariants,
      },
      clock.now(),
    );
    const { state } = this.#engine;
    this.#watcher?.started(state);
    this.#passport = new Passport(parts.identity, () => membershipOf(state));
    this.#terms = new TermBound(() => state.vote.term, instruments);
    this.#stages = new StageClock();
    this.#founding = {
      network: parts.network,
      passport: this.#passport,
      clock,
      rpcTimeoutMs: config.electionTimeoutMinMs,
      pauseMs: config.backoffMaxMs,
      ownVote: () => this.vote((rpcId) => ({ type: "voteRequest", rpcId, request: foundingVote(this.id) })),
      stop: this.#stopSignal.signal,
    };
    this.#sizeOf = lenientSizeOf(parts.sizeOf);
    this.#observer = new EngineObserver(this.#engine.state, instruments);
    this.#clients = new Clients({ requests: config.maxPendingRequests, bytes: config.maxPendingBytes });
    const clients = this.#clients;
    this.#readWatch = new ReadWatch(clock, Math.max(config.storageStallMs, config.electionTimeoutMaxMs), {
      get wait() {
        return clients.hasConfirmedReads;
      },
      get appliedIndex() {
        return state.applied.index;
      },
      get leads() {
        return state.role.type === "leader";
      },
      refuse: () =>
        clients.refuseConfirmedReads(refusalToError(refusal(state), state.id, membershipOf(state))),
    });
    this.#callers = new Callers(config.maxPendingRequests);
    this.#timer = new StepTimer(clock, this.#engine, () => this.#enqueue({ type: "timer" }));
    this.#news = new CommitNews(clock, config.heartbeatIntervalMs, this.#engine, () =>
      this.#enqueue({ type: "tellCommit" }),
    );
    this.#executor = new Executor<C>(
      {
        ...parts,
        state,
        observer: this.#observer,
        passport: this.#passport,
        terms: this.#terms,
        stages: this.#stages,
        clients: this.#clients,
        callers: this.#callers,
      },
      {
        emit: (event) => this.#enqueue(event),
        persisted: (ioSeq) => this.#persisted(ioSeq),
        applied: (entries, responses) => this.#applied(entries, responses),
        snapshotBuilt: (lastLogId) => this.#snapshotBuilt(lastLogId),
        snapshotInstalled: (lastLogId, damage) => this.#snapshotInstalled(lastLogId, damage),
        failed: (error) => this.#fail(error),
      },
    );
    for (const command of this.#engine.resume()) this.#executor.execute(command);
    this.#timer.adjust();
  }

  /** Appends `payload` to the log; `writer` learns what became of it. */
  write(
    payload: EntryPayload<C["D"], C["Node"]>,
    writer: Writer<C["R"]>,
    expect: WriteExpectation | null,
  ): void {
    if (this.#stopped !== null) writer.reject(this.#stopped);
    else if (this.#clients.write(payload, writer, expect)) this.#schedule();
  }

  /** Appends `payloads` to the log, one after another and in one write; each of `writers` learns what became of its own. */
  writeMany(
    payloads: readonly EntryPayload<C["D"], C["Node"]>[],
    writers: readonly Writer<C["R"]>[],
    expect: WriteExpectation | null,
  ): void {
    if (this.#stopped !== null) for (const writer of writers) writer.reject(this.#stopped);
    else if (this.#clients.writeMany(payloads, writers, expect)) this.#schedule();
  }

  /** Takes writes back that were made together. @returns false when they may be in the log already. */
  withdraw(writers: readonly Writer<C["R"]>[]): boolean {
    return this.#clients.withdraw(writers);
  }

  /**
   * Waits until a linearizable read may be served from the local state machine; with `forwarded`, for a follower, until
   * this node, as leader, knows from which index on.
   */
  read(policy: ReadPolicy, forwarded: boolean): Promise<LogId> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== null) reject(this.#stopped);
      else if (this.#clients.read({ resolve, reject }, policy, forwarded)) this.#schedule();
    });
  }

  /** Sends an event that is answered by a `reply` or a `snapshotReady`. */
  request(makeEvent: (requestId: number) => Event): Promise<void> {
    return this.#open(this.#callers.replies, makeEvent);
  }

  /** Sends an event that puts something into the log, answered by a `reply` or, for a membership change, a `membershipChanged`. */
  change(makeEvent: (requestId: number) => Event): Promise<ChangeMembershipResponse<C["Node"]> | null> {
    return this.#open(this.#callers.changes, makeEvent) as Promise<ChangeMembershipResponse<
      C["Node"]
    > | null>;
  }

  /** Has all founders, this node too, agree that it founds the cluster. @returns the stores that the others run on. */
  askFounders(
    founders: readonly (readonly [NodeId, C["Node"]])[],
    timeoutMs: number,
  ): Promise<[NodeId, number][]> {
    return askFounders(this.#founding, this.id, founders, timeoutMs);
  }

  /** Replaces the state of this node by a snapshot that somebody brings. */
  async installFullSnapshot(snapshot: Snapshot<C["SnapshotData"], C["Node"]>): Promise<void> {
    const { meta } = snapshot;
    const refusal = this.#stopped ?? this.#callers.tooMany(this.#callers.changes);
    if (refusal !== null) return Promise.reject(refusal);
    // From here on the place of the snapshot is taken until the engine has answered.
    if (!this.#executor.receiver.offer(snapshot)) return Promise.reject(new OverloadedError("snapshots", 1));
    await this.change((requestId) => ({ type: "snapshotReceived", meta, requestId }));
  }

  /** Sends an event that nobody waits for. */
  send(event: Event): void {
    if (this.#stopped !== null) throw this.#stopped;
    this.#enqueue(event);
  }

  preVote(makeEvent: (rpcId: number) => Event): Promise<RpcResponse<PreVoteResponse>> {
    return this.#open(this.#callers.preVotes, makeEvent);
  }

  vote(makeEvent: (rpcId: number) => Event): Promise<RpcResponse<VoteResponse>> {
    return this.#open(this.#callers.votes, makeEvent);
  }

  appendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
  ): Promise<RpcResponse<AppendEntriesResponse>> {
    return this.#open(this.#callers.appends, (rpcId) => ({ type: "appendEntriesRequest", rpcId, request }));
  }

  callAppendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
    caller: RpcCaller<AppendEntriesResponse>,
  ): void {
    const { appends } = this.#callers;
    const refusal = this.#stopped ?? this.#callers.tooMany(appends);
    if (refusal !== null) caller.reject(refusal);
    else {
      const rpcId = appends.enter(new CarefulCaller(caller, this.#instruments));
      this.#enqueue({ type: "appendEntriesRequest", rpcId, request });
    }
  }

  installSnapshot(request: InstallSnapshotRequest<C["Node"]>): Promise<RpcResponse<InstallSnapshotResponse>> {
    const { receiver } = this.#executor;
    if (receiver.full)
      return Promise.reject(new OverloadedError("parts of snapshots", this.#callers.installs.size));
    const { term, leaderId, meta } = request;
    return this.#open(this.#callers.installs, (rpcId) => {
      receiver.hold(rpcId, request);
      return { type: "installSnapshotRequest", rpcId, term, leaderId, meta };
    });
  }

  timeoutNow(makeEvent: (rpcId: number) => Event): Promise<RpcResponse<TimeoutNowResponse>> {
    return this.#open(this.#callers.takeOvers, makeEvent);
  }

  get id(): NodeId {
    return this.#engine.state.id;
  }

  /** Who this node is to its peers, and who they are to it. */
  get passport(): Passport {
    return this.#passport;
  }

  /** Which terms of its peers it believes. */
  get terms(): TermBound {
    return this.#terms;
  }

  /** How long the writes took that this node proposed. */
  latencies(): StageLatencies {
    return this.#stages.read();
  }

  /** Why calls are refused; null while the node runs. */
  get stopped(): SeshatError | null {
    return this.#stopped;
  }

  /** The leader as far as this node knows; null when it knows of none, or has stopped. Cheaper than `metrics`. */
  leaderId(): NodeId | null {
    return this.#stopped === null ? knownLeader(this.#engine.state) : null;
  }

  /** True when what is read of the state machine now is linearizable. Costs next to nothing. */
  mayReadAtOnce(): boolean {
    return this.#stopped === null && mayReadAtOnce(this.#engine.state);
  }

  metrics(): RaftMetrics<C["Node"]> {
    return computeMetrics(this.#engine.state, {
      now: this.#clock.now(),
      stopped: this.#stopped !== null,
      stopCause: this.#stopCause,
      snapshotStalled: this.#executor.snapshotStalled,
      refusedTerms: this.#terms.refused,
      snapshotProgress: (id) => this.#executor.snapshotProgress(id),
    });
  }

  /** Calls `watcher`, which must not throw, after every turn in which something happened, and when the node stops. @returns how to end that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Settles everything that waits and starts nothing more. @returns once no call to storage is running. */
  shutdown(): Promise<void> {
    if (this.#stopped === null) this.#stop(new ShutdownError(), null);
    return this.#closed as Promise<void>;
  }

  #open<T>(requests: PendingRequests<T>, makeEvent: (id: number) => Event): Promise<T> {
    if (this.#stopped !== null) return Promise.reject(this.#stopped);
    const tooMany = this.#callers.tooMany(requests);
    if (tooMany !== null) return Promise.reject(tooMany);
    return requests.open((id) => this.#enqueue(makeEvent(id)));
  }

  #enqueue(event: Event): void {
    if (this.#stopped !== null) return;
    this.#queue.push(event);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#owesYield()) {
      this.#steps = 0;
      this.#yieldedAt = this.#stages.now;
      this.#clock.yield(this.#drainLater);
    } else {
      this.#clock.soon(this.#drainLater);
    }
  }

  /** True when timers and sockets are to have their turn before the next step. */
  #owesYield(): boolean {
    if (this.#steps < LEAST_STEPS_BEFORE_YIELD) return false;
    const tookMs = this.#stages.now - this.#yieldedAt;
    return tookMs <= 0 || tookMs >= YIELD_AFTER_MS;
  }

  /** Takes everything that waits, up to the next yield. What lanes answer at once is taken in the same turn. */
  #drain(): void {
    if (this.#stopped !== null) return;
    if (this.#clients.hasNew) this.#collect();
    this.#isNewTurn = true;
    try {
      while (this.#queue.length > 0 && !this.#owesYield() && this.#stopped === null) {
        const event = this.#queue.shift() as Event;
        if (event.type === "persisted" || event.type === "applied") this.#reportsQueued -= 1;
        this.#step(event);
        this.#takeReports();
      }
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
    if (this.#stopped !== null) return;
    this.#scheduled = false;
    // A state machine or a logger may have written or read during the steps.
    if (this.#queue.length > 0 || this.#clients.hasNew) this.#schedule();
    this.#news.look();
    this.#timer.adjust();
    if (this.#watchers.size > 0) for (const watcher of this.#watchers) watcher();
  }

  /** Takes what clients have asked for since the last turn. */
  #collect(): void {
    for (const event of this.#clients.collectWrites()) this.#queue.push(event);
    for (const event of this.#clients.collectReads()) {
      this.#observer.readsAsked(event);
      this.#queue.push(event);
    }
  }

  /** Takes up what lanes reported while the commands of the step before were carried out. */
  #takeReports(): void {
    while (this.#stopped === null) {
      const ioSeq = this.#persistedNow;
      const applied = this.#appliedNow;
      if (ioSeq > 0) {
        this.#persistedNow = 0;
        this.#step({ type: "persisted", ioSeq });
      } else if (applied !== null) {
        this.#appliedNow = null;
        this.#step(applied);
      } else return;
    }
  }

  #step(event: Event): void {
    this.#steps += 1;
    const { state } = this.#engine;
    const { type } = event;
    // Read anew for each step: a state machine may have worked for longer than a lease lasts since the one before. What lanes report at once,
    // though, is of the moment in which it was asked for, unless somebody measures how long it took.
    if (this.#isNewTurn || !this.#isOfTheMoment(type)) this.#stages.now = this.#clock.now();
    const { now } = this.#stages;
    this.#isNewTurn = false;
    if (type === "clientWrite") this.#clients.decideWrites();
    else if (type === "applied") this.#stages.reached("applied", event.logId.index);
    const commands = this.#engine.step(event, now);
    this.#watcher?.stepped({ event, commands, state, now });
    // Before the lanes go on: what they do at once is not part of it.
    if (type === "persisted") this.#stages.reached("appended", state.io.durableIndex);
    this.#isExecuting = true;
    for (let i = 0; i < commands.length; i++) {
      // A lane may fail, or the application shut the node down, in the middle of a step.
      if (this.#stopped !== null) return;
      this.#executor.execute(commands[i] as Command);
    }
    this.#isExecuting = false;
    if (type === "applied") this.#executor.applied(state.applied.index);
    this.#clients.releaseReads(state.applied.index);
    if (this.#clients.hasConfirmedReads) this.#readWatch.begin();
    this.#executor.stepped();
    const committed = state.memberships[0];
    const effective = state.memberships[state.memberships.length - 1];
    const { role, vote } = state;
    // Most steps change nothing of what is told, or of who is to be told anything.
    if (
      role !== this.#seenRole ||
      vote !== this.#seenVote ||
      committed !== this.#seenCommitted ||
      effective !== this.#seenEffective
    )
      this.#changed(role, vote, committed, effective);
  }

  #changed(
    role: Role,
    vote: Vote,
    committed: StoredMembership<unknown> | undefined,
    effective: StoredMembership<unknown> | undefined,
  ): void {
    this.#observer.observe(this.#engine.state);
    this.#seenRole = role;
    this.#seenVote = vote;
    // Followers come with a membership that is appended, and go with one that is committed.
    const isSame = committed === this.#seenCommitted && effective === this.#seenEffective;
    this.#seenCommitted = committed;
    this.#seenEffective = effective;
    if (!isSame) this.#executor.membershipChanged();
  }

  /** True for a report of a lane that decides nothing by the time. */
  #isOfTheMoment(type: Event["type"]): boolean {
    if (type === "persisted") return !this.#stages.follows("appended");
    return type === "applied" && !this.#stages.follows("applied");
  }

  #applied(entries: readonly C["Entry"][], responses: readonly ApplyResponse<C["R"]>[]): void {
    this.#clients.applied(entries, responses);
    const { logId } = entries[entries.length - 1] as C["Entry"];
    const event: AppliedEvent = { type: "applied", logId, bytes: this.#measure(entries) };
    if (!this.#isExecuting || this.#reportsQueued > 0) this.#queueReport(event);
    else if (this.#appliedNow === null) this.#appliedNow = event;
    else this.#appliedNow = { type: "applied", logId, bytes: this.#appliedNow.bytes + event.bytes };
  }

  /** Every write up to `ioSeq` is durable. */
  #persisted(ioSeq: number): void {
    if (!this.#isExecuting || this.#reportsQueued > 0) this.#queueReport({ type: "persisted", ioSeq });
    else this.#persistedNow = ioSeq;
  }

  #queueReport(event: Event): void {
    if (this.#stopped !== null) return;
    this.#reportsQueued += 1;
    this.#enqueue(event);
  }

  /** What the commands count in bytes; measured only where the snapshot policy asks. */
  #measure(entries: readonly C["Entry"][]): number {
    if (this.#engine.state.switches.snapshotAfterBytes === null) return 0;
    let bytes = 0;
    for (const { payload } of entries) if (payload.type === "normal") bytes += this.#sizeOf(payload.data);
    return bytes;
  }

  #snapshotInstalled(lastLogId: LogId, damage: Error | null): void {
    const fields = { lastLog: formatLogId(lastLogId), error: damage?.message ?? null };
    this.#instruments.log(damage === null ? "info" : "error", "raft.snapshot.installed", fields);
  }

  #snapshotBuilt(lastLogId: LogId): void {
    this.#instruments.log("info", "raft.snapshot.built", { lastLog: formatLogId(lastLogId) });
    this.#enqueue({ type: "snapshotBuilt", lastLogId });
  }

  #fail(cause: Error): void {
    if (this.#stopped !== null) return;
    this.#instruments.log("error", "raft.stopped", { error: cause.message });
    if (this.#stopped === null) this.#stop(new StoppedError(cause), cause);
  }

  #stop(refusal: SeshatError, cause: Error | null): void {
    this.#stopped = refusal;
    this.#stopCause = cause;
    this.#queue = new Fifo();
    this.#timer.cancel();
    this.#news.close();
    this.#readWatch.close();
    this.#stopSignal.abort(refusal);
    const unknownOutcome = new UnknownOutcomeError("this node stopped before it was done", {
      cause: cause ?? refusal,
    });
    this.#observer.stopped(refusal, unknownOutcome);
    this.#clients.settleAll(refusal, unknownOutcome);
    this.#callers.rejectAll(refusal, unknownOutcome);
    this.#closed = this.#executor.close();
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}
