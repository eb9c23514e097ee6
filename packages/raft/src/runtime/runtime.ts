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
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { RaftConfig } from "../config.js";
import type { Command } from "../engine/command.js";
import type { EngineStart } from "../engine/engine.js";
import { Engine } from "../engine/engine.js";
import type { Event } from "../engine/event.js";
import { membershipOf } from "../engine/membership-state.js";
import type { RaftNetworkFactory } from "../network/raft-network.js";
import { ApplyLane } from "./apply-lane.js";
import type { ClientWriteResponse } from "./clients.js";
import { Clients } from "./clients.js";
import { DurabilityGate } from "./durability-gate.js";
import { EngineObserver } from "./engine-observer.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import { LogCache } from "./log-cache.js";
import { LogLane } from "./log-lane.js";
import type { RaftMetrics } from "./metrics.js";
import { computeMetrics } from "./metrics.js";
import type { PendingRequest } from "./pending-requests.js";
import { PendingRequests } from "./pending-requests.js";
import { refusalToError } from "./refusal.js";
import { Sender } from "./sender.js";
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
}

/**
 * Runs one engine: events go into a queue, each is one step, and the commands of the step go to the lanes, which answer
 * with events. Nothing but this loop touches the engine.
 */
export class Runtime<C extends RaftTypeConfig> {
  readonly #engine: Engine;
  readonly #clock: AsyncRuntime;
  readonly #instruments: Instruments;
  readonly #observer: EngineObserver;
  readonly #logLane: LogLane<C>;
  readonly #applyLane: ApplyLane<C>;
  readonly #sender: Sender<C>;
  readonly #cache: LogCache;
  readonly #gate = new DurabilityGate();
  readonly #timer: StepTimer;
  readonly #clients: Clients<C["R"]>;
  readonly #maxPending: number;

  readonly #preVotes = new PendingRequests<PreVoteResponse>();
  readonly #votes = new PendingRequests<VoteResponse>();
  readonly #appends = new PendingRequests<AppendEntriesResponse>();
  readonly #replies = new PendingRequests<void>();
  readonly #watchers = new Set<() => void>();

  #queue: Event[] = [];
  #scheduled = false;
  #steps = 0;
  /** Why calls are refused from now on; null while the node runs. */
  #stopped: SeshatError | null = null;
  #stopCause: Error | null = null;
  #closed: Promise<void> | null = null;

  constructor(parts: RuntimeParts<C>) {
    const { start, config, clock, storage, instruments } = parts;
    this.#clock = clock;
    this.#instruments = instruments;
    this.#engine = new Engine(
      start,
      { config: engineConfig(config), random: () => clock.random(), checkInvariants: parts.checkInvariants },
      clock.now(),
    );
    this.#observer = new EngineObserver(this.#engine.state, instruments);
    this.#cache = new LogCache(config.logCacheEntries);
    this.#clients = new Clients(config.maxPendingRequests);
    this.#maxPending = config.maxPendingRequests;
    this.#timer = new StepTimer(
      clock,
      () => this.#engine.nextDeadline(),
      () => this.#enqueue({ type: "timer" }),
    );
    const failed = (error: Error): void => this.#fail(error);
    this.#logLane = new LogLane<C>(
      storage,
      { persisted: (ioSeq) => this.#persisted(ioSeq), failed },
      instruments,
    );
    const reader = storage.logReader();
    this.#applyLane = new ApplyLane<C>(
      {
        stateMachine: parts.stateMachine,
        reader,
        cache: this.#cache,
        runtime: clock,
        instruments,
        maxApplyEntries: config.maxApplyEntries,
      },
      {
        applied: (entries, responses) => this.#applied(entries, responses),
        snapshotBuilt: (meta) => this.#snapshotBuilt(meta.lastLogId),
        failed,
      },
    );
    this.#sender = new Sender<C>({
      id: start.id,
      network: parts.network,
      reader,
      cache: this.#cache,
      runtime: clock,
      instruments,
      rpcTimeoutMs: config.electionTimeoutMinMs,
      describe: (id: NodeId) => membershipOf(this.#engine.state).nodes.get(id),
      leads: (term) =>
        this.#stopped === null &&
        this.#engine.state.role.type === "leader" &&
        this.#engine.state.vote.term === term,
      emit: (event) => this.#enqueue(event),
    });
    for (const command of this.#engine.resume()) this.#execute(command);
    this.#timer.adjust();
  }

  /** Appends `payload` to the log; `writer` learns what became of it. */
  write(payload: EntryPayload<C["D"], C["Node"]>, writer: PendingRequest<ClientWriteResponse<C["R"]>>): void {
    if (this.#stopped !== null) writer.reject(this.#stopped);
    else if (this.#clients.write(payload, writer)) this.#schedule();
  }

  /** Waits until a linearizable read may be served from the local state machine. */
  read(): Promise<LogId> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== null) reject(this.#stopped);
      else if (this.#clients.read({ resolve, reject })) this.#schedule();
    });
  }

  /** Sends an event that is answered by a `reply` or a `snapshotReady`. */
  request(makeEvent: (requestId: number) => Event): Promise<void> {
    return this.#open(this.#replies, makeEvent);
  }

  /** Sends an event that nobody waits for. */
  send(event: Event): void {
    if (this.#stopped !== null) throw this.#stopped;
    this.#enqueue(event);
  }

  preVote(makeEvent: (rpcId: number) => Event): Promise<PreVoteResponse> {
    return this.#open(this.#preVotes, makeEvent);
  }

  vote(makeEvent: (rpcId: number) => Event): Promise<VoteResponse> {
    return this.#open(this.#votes, makeEvent);
  }

  appendEntries(makeEvent: (rpcId: number) => Event): Promise<AppendEntriesResponse> {
    return this.#open(this.#appends, makeEvent);
  }

  /** Why calls are refused; null while the node runs. */
  get stopped(): SeshatError | null {
    return this.#stopped;
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
    const writes = this.#clients.collectWrites();
    if (writes !== null) this.#queue.push(writes);
    const reads = this.#clients.collectReads();
    if (reads !== null) this.#queue.push(reads);
    const now = this.#clock.now();
    let taken = 0;
    try {
      while (taken < this.#queue.length && this.#steps < STEPS_BEFORE_YIELD && this.#stopped === null) {
        this.#steps += 1;
        this.#step(this.#queue[taken++] as Event, now);
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

  #step(event: Event, now: number): void {
    const { state } = this.#engine;
    if (event.type === "clientWrite") this.#clients.decideWrites();
    for (const command of this.#engine.step(event, now)) {
      // A lane may fail, or the application shut the node down, in the middle of a step.
      if (this.#stopped !== null) return;
      this.#execute(command);
    }
    this.#observer.observe(state);
    this.#clients.releaseReads(state.applied.index);
  }

  #execute(command: Command): void {
    switch (command.type) {
      case "append":
        this.#cache.append(command.entries);
        this.#logLane.submit(command);
        return;
      case "truncate":
        this.#cache.truncate(command.since);
        this.#logLane.submit(command);
        return;
      case "saveVote":
      case "purge":
        this.#logLane.submit(command);
        return;
      case "saveCommitted":
        this.#observer.committed(command.committed.index);
        this.#logLane.submit(command);
        return;
      case "apply":
      case "buildSnapshot":
        this.#applyLane.submit(command);
        return;
      case "acceptWrites":
        this.#observer.proposed(command.firstIndex, this.#clients.acceptWrites(command.firstIndex));
        return;
      case "refuseWrites":
        this.#clients.refuseWrites(this.#refusal(command.refusal));
        return;
      case "abandonWrites": {
        const error = new UnknownOutcomeError("this node lost the leadership before the write was committed");
        this.#observer.abandoned(error);
        this.#clients.abandonWrites(command.since, error);
        return;
      }
      case "readReady":
        this.#clients.confirmReads(command.requestId, command.readIndex);
        return;
      case "refuseReads":
        this.#clients.refuseReads(command.requestId, this.#refusal(command.refusal));
        return;
      case "snapshotReady":
        this.#replies.take(command.requestId)?.resolve();
        return;
      case "reply": {
        const { requestId, refusal } = command;
        const error = refusal === null ? null : this.#refusal(refusal);
        this.#gate.after(command.afterIo, () => {
          const request = this.#replies.take(requestId);
          if (error === null) request?.resolve();
          else request?.reject(error);
        });
        return;
      }
      case "sendPreVote":
        this.#sender.preVote(command);
        return;
      case "sendVote":
        this.#gate.after(command.afterIo, () => this.#sender.vote(command));
        return;
      case "sendAppendEntries":
        this.#sender.appendEntries(command);
        return;
      case "answerPreVote":
        this.#gate.after(command.afterIo, () =>
          this.#preVotes.take(command.rpcId)?.resolve(command.response),
        );
        return;
      case "answerVote":
        this.#gate.after(command.afterIo, () => this.#votes.take(command.rpcId)?.resolve(command.response));
        return;
      case "answerAppendEntries":
        this.#gate.after(command.afterIo, () => this.#appends.take(command.rpcId)?.resolve(command.response));
        return;
      default:
        return command satisfies never;
    }
  }

  #refusal(refusal: Parameters<typeof refusalToError>[0]): SeshatError {
    return refusalToError(refusal, this.#engine.state.id, membershipOf(this.#engine.state));
  }

  #persisted(ioSeq: number): void {
    this.#gate.advance(ioSeq);
    this.#enqueue({ type: "persisted", ioSeq });
  }

  #applied(entries: readonly C["Entry"][], responses: readonly (C["R"] | undefined)[]): void {
    for (let i = 0; i < entries.length; i++)
      this.#clients.applied((entries[i] as C["Entry"]).logId, responses[i]);
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
    for (const requests of [this.#preVotes, this.#votes, this.#appends, this.#replies])
      requests.rejectAll(refusal);
    this.#sender.retain(() => false);
    this.#closed = Promise.all([this.#logLane.close(), this.#applyLane.close()]).then(() => {});
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
    maxPayloadEntries: config.maxPayloadEntries,
    maxInFlightAppends: config.maxInFlightAppends,
    backoffMinMs: config.backoffMinMs,
    backoffMaxMs: config.backoffMaxMs,
    snapshotAfterEntries: snapshotPolicy.type === "logsSinceLast" ? snapshotPolicy.entries : null,
    logsToKeep: config.maxInSnapshotLogToKeep,
  };
}
