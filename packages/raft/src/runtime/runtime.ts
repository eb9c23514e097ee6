import type {
  AppendEntriesResponse,
  AsyncRuntime,
  EntryPayload,
  LogId,
  NodeId,
  PreVoteResponse,
  RaftTypeConfig,
  SeshatError,
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
import type { EngineStart } from "../engine/engine.js";
import { Engine } from "../engine/engine.js";
import type { Event, ReadPolicy, WriteExpectation } from "../engine/event.js";
import { knownLeader } from "../engine/role.js";
import type { RaftNetworkFactory } from "../network/raft-network.js";
import type { Writer } from "./clients.js";
import { Clients } from "./clients.js";
import { EngineObserver } from "./engine-observer.js";
import { Executor, noCallers } from "./executor.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import type { RaftMetrics } from "./metrics.js";
import { computeMetrics } from "./metrics.js";
import type { PendingRequests } from "./pending-requests.js";
import { StepTimer } from "./step-timer.js";

/** Steps in a row before timers and sockets get their turn. */
const STEPS_BEFORE_YIELD = 64;

/** What a runtime is made of. */
export interface RuntimeParts<C extends RaftTypeConfig> {
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
  readonly #clients: Clients<C["R"]>;
  readonly #maxPending: number;

  readonly #callers = noCallers();
  readonly #watchers = new Set<() => void>();

  #queue: Event[] = [];
  #scheduled = false;
  #steps = 0;
  /** Why calls are refused from now on; null while the node runs. */
  #stopped: SeshatError | null = null;
  #stopCause: Error | null = null;
  #closed: Promise<void> | null = null;

  constructor(parts: RuntimeParts<C>) {
    const { start, config, clock, instruments } = parts;
    this.#clock = clock;
    this.#instruments = instruments;
    this.#engine = new Engine(
      start,
      { config: engineConfig(config), random: () => clock.random(), checkInvariants: parts.checkInvariants },
      clock.now(),
    );
    this.#observer = new EngineObserver(this.#engine.state, instruments);
    this.#clients = new Clients({ requests: config.maxPendingRequests, bytes: config.maxPendingBytes });
    this.#maxPending = config.maxPendingRequests;
    this.#timer = new StepTimer(
      clock,
      () => this.#engine.nextDeadline(),
      () => this.#enqueue({ type: "timer" }),
    );
    this.#executor = new Executor<C>(
      {
        ...parts,
        state: this.#engine.state,
        observer: this.#observer,
        clients: this.#clients,
        callers: this.#callers,
      },
      {
        emit: (event) => this.#enqueue(event),
        applied: (entries, responses) => this.#applied(entries, responses),
        snapshotBuilt: (lastLogId) => this.#snapshotBuilt(lastLogId),
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

  /** Sends an event that nobody waits for. */
  send(event: Event): void {
    if (this.#stopped !== null) throw this.#stopped;
    this.#enqueue(event);
  }

  preVote(makeEvent: (rpcId: number) => Event): Promise<PreVoteResponse> {
    return this.#open(this.#callers.preVotes, makeEvent);
  }

  vote(makeEvent: (rpcId: number) => Event): Promise<VoteResponse> {
    return this.#open(this.#callers.votes, makeEvent);
  }

  appendEntries(makeEvent: (rpcId: number) => Event): Promise<AppendEntriesResponse> {
    return this.#open(this.#callers.appends, makeEvent);
  }

  /** Why calls are refused; null while the node runs. */
  get stopped(): SeshatError | null {
    return this.#stopped;
  }

  /** The leader as far as this node knows; null when it knows of none, or has stopped. Cheaper than `metrics`. */
  leaderId(): NodeId | null {
    return this.#stopped === null ? knownLeader(this.#engine.state) : null;
  }

  metrics(): RaftMetrics<C["Node"]> {
    return computeMetrics(this.#engine.state, this.#stopped !== null, this.#stopCause);
  }

  /** Calls `watcher` after every turn in which something happened, and when the node stops. @returns how to end that. */
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
    if (requests.size >= this.#maxPending)
      return Promise.reject(new OverloadedError("requests", this.#maxPending));
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
    if (this.#steps >= STEPS_BEFORE_YIELD) {
      this.#steps = 0;
      this.#clock.yield(() => this.#drain());
    } else {
      this.#clock.soon(() => this.#drain());
    }
  }

  /** Takes everything that waits, up to the next yield. What lanes answer at once is taken in the same turn. */
  #drain(): void {
    if (this.#stopped !== null) return;
    if (this.#clients.hasNew)
      this.#queue.push(...this.#clients.collectWrites(), ...this.#clients.collectReads());
    let taken = 0;
    try {
      while (taken < this.#queue.length && this.#steps < STEPS_BEFORE_YIELD && this.#stopped === null) {
        this.#steps += 1;
        this.#step(this.#queue[taken++] as Event);
      }
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
    if (this.#stopped !== null) return;
    this.#queue.splice(0, taken);
    this.#scheduled = false;
    // A state machine or a logger may have written or read during the steps.
    if (this.#queue.length > 0 || this.#clients.hasNew) this.#schedule();
    this.#timer.adjust();
    for (const watcher of this.#watchers) watcher();
  }

  #step(event: Event): void {
    const { state } = this.#engine;
    // Read anew for each step: a state machine may have worked for longer than a lease lasts since the one before.
    const now = this.#clock.now();
    if (event.type === "clientWrite") this.#clients.decideWrites();
    for (const command of this.#engine.step(event, now)) {
      // A lane may fail, or the application shut the node down, in the middle of a step.
      if (this.#stopped !== null) return;
      this.#executor.execute(command);
    }
    this.#observer.observe(state);
    this.#clients.releaseReads(state.applied.index);
  }

  #applied(entries: readonly C["Entry"][], responses: readonly ApplyResponse<C["R"]>[]): void {
    for (let i = 0; i < entries.length; i++) this.#clients.applied(entries[i] as C["Entry"], responses[i]);
    this.#enqueue({ type: "applied", logId: (entries.at(-1) as C["Entry"]).logId });
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
    this.#queue = [];
    this.#timer.cancel();
    const unknownOutcome = new UnknownOutcomeError("this node stopped before the write was applied", {
      cause: cause ?? refusal,
    });
    this.#observer.stopped(unknownOutcome);
    this.#clients.settleAll(refusal, unknownOutcome);
    const { preVotes, votes, appends, replies } = this.#callers;
    for (const requests of [preVotes, votes, appends, replies]) requests.rejectAll(refusal);
    this.#closed = this.#executor.close();
    for (const watcher of this.#watchers) watcher();
  }
}

function engineConfig(config: RaftConfig): ConstructorParameters<typeof Engine>[1]["config"] {
  const { snapshotPolicy } = config;
  return {
    electionTimeoutMinMs: config.electionTimeoutMinMs,
    electionTimeoutMaxMs: config.electionTimeoutMaxMs,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    preVote: config.preVote,
    leaseMs: config.leaderLease ? config.electionTimeoutMinMs - config.maxClockDriftMs : null,
    maxPayloadEntries: config.maxPayloadEntries,
    maxInFlightAppends: config.maxInFlightAppends,
    maxUncommittedEntries: config.maxUncommittedEntries,
    backoffMinMs: config.backoffMinMs,
    backoffMaxMs: config.backoffMaxMs,
    snapshotAfterEntries: snapshotPolicy.type === "logsSinceLast" ? snapshotPolicy.entries : null,
    logsToKeep: config.maxInSnapshotLogToKeep,
  };
}
