import type {
  AppendEntriesResponse,
  AsyncRuntime,
  LogId,
  PreVoteResponse,
  RaftTypeConfig,
  SeshatError,
  VoteResponse,
} from "@seshat/common";
import { UnknownOutcomeError } from "@seshat/common";
import type { ApplyResponse, RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { RaftConfig } from "../config.js";
import type { Command, Refusal, SendAppendEntriesCommand } from "../engine/command.js";
import type { Event } from "../engine/event.js";
import { membershipOf } from "../engine/membership-state.js";
import type { EngineState } from "../engine/state.js";
import type { RaftNetworkFactory } from "../network/raft-network.js";
import { ApplyLane } from "./apply-lane.js";
import type { Clients } from "./clients.js";
import { DurabilityGate } from "./durability-gate.js";
import type { EngineObserver } from "./engine-observer.js";
import type { Instruments } from "./instruments.js";
import { LogCache } from "./log-cache.js";
import { LogLane } from "./log-lane.js";
import { PendingRequests } from "./pending-requests.js";
import { refusalToError } from "./refusal.js";
import { Sender } from "./sender.js";
import { lenientSizeOf } from "./size-of.js";

/** Everybody but the writers and readers who waits for a command of the engine. */
export interface Callers {
  readonly preVotes: PendingRequests<PreVoteResponse>;
  readonly votes: PendingRequests<VoteResponse>;
  readonly appends: PendingRequests<AppendEntriesResponse>;
  /** Answered by a `reply` or a `snapshotReady`. */
  readonly replies: PendingRequests<void>;
}

/** Callers of whom there are none yet. */
export function noCallers(): Callers {
  return {
    preVotes: new PendingRequests(),
    votes: new PendingRequests(),
    appends: new PendingRequests(),
    replies: new PendingRequests(),
  };
}

/** What an executor works with. */
export interface ExecutorParts<C extends RaftTypeConfig> {
  readonly state: Readonly<EngineState>;
  readonly storage: RaftStorage<C>;
  readonly stateMachine: RaftStateMachine<C>;
  readonly network: RaftNetworkFactory<C>;
  readonly config: RaftConfig;
  readonly clock: AsyncRuntime;
  readonly instruments: Instruments;
  readonly sizeOf: (data: C["D"]) => number;
  readonly observer: EngineObserver;
  readonly clients: Clients<C["R"]>;
  readonly callers: Callers;
}

/** What an executor tells. */
export interface ExecutorEvents<C extends RaftTypeConfig> {
  /** Something happened that the engine has to know. */
  emit(event: Event): void;
  applied(entries: readonly C["Entry"][], responses: readonly ApplyResponse<C["R"]>[]): void;
  snapshotBuilt(lastLogId: LogId): void;
  /** Storage failed, and nothing follows. */
  failed(error: Error): void;
}

/** Carries out what the engine asks for: durable writes, applies, messages, answers. What comes of it, it tells as events. */
export class Executor<C extends RaftTypeConfig> {
  readonly #state: Readonly<EngineState>;
  readonly #observer: EngineObserver;
  readonly #clients: Clients<C["R"]>;
  readonly #callers: Callers;
  readonly #cache: LogCache;
  readonly #gate = new DurabilityGate();
  readonly #logLane: LogLane<C>;
  readonly #applyLane: ApplyLane<C>;
  readonly #sender: Sender<C>;

  constructor(parts: ExecutorParts<C>, events: ExecutorEvents<C>) {
    const { state, storage, config, clock, instruments } = parts;
    this.#state = state;
    this.#observer = parts.observer;
    this.#clients = parts.clients;
    this.#callers = parts.callers;
    this.#cache = new LogCache(config.logCacheEntries);
    const failed = (error: Error): void => events.failed(error);
    const persisted = (ioSeq: number): void => {
      this.#gate.advance(ioSeq);
      events.emit({ type: "persisted", ioSeq });
    };
    this.#logLane = new LogLane<C>(storage, { persisted, failed }, instruments);
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
        applied: (entries, responses) => events.applied(entries, responses),
        snapshotBuilt: ({ lastLogId }) => events.snapshotBuilt(lastLogId),
        failed,
      },
    );
    this.#sender = new Sender<C>({
      id: state.id,
      network: parts.network,
      reader,
      cache: this.#cache,
      runtime: clock,
      instruments,
      rpcTimeoutMs: config.electionTimeoutMinMs,
      maxPayloadBytes: config.maxPayloadBytes,
      maxInFlightBytes: config.maxInFlightBytes,
      sizeOf: lenientSizeOf(parts.sizeOf),
      describe: (id) => membershipOf(state).nodes.get(id),
      awaits: (command) => awaits(state, command),
      emit: (event) => events.emit(event),
    });
  }

  execute(command: Command): void {
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
      case "sendReadIndex":
        this.#sender.readIndex(command);
        return;
      case "snapshotReady":
        this.#callers.replies.take(command.requestId)?.resolve();
        return;
      case "reply": {
        const { requestId, refusal } = command;
        const error = refusal === null ? null : this.#refusal(refusal);
        this.#gate.after(command.afterIo, () => {
          const request = this.#callers.replies.take(requestId);
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
        this.#answer(this.#callers.preVotes, command);
        return;
      case "answerVote":
        this.#answer(this.#callers.votes, command);
        return;
      case "answerAppendEntries":
        this.#answer(this.#callers.appends, command);
        return;
      default:
        return command satisfies never;
    }
  }

  /** Starts nothing more, and reports nothing more. @returns once no call to storage is running. */
  async close(): Promise<void> {
    this.#sender.close();
    await Promise.all([this.#logLane.close(), this.#applyLane.close()]);
  }

  #answer<T>(callers: PendingRequests<T>, command: { rpcId: number; response: T; afterIo: number }): void {
    this.#gate.after(command.afterIo, () => callers.take(command.rpcId)?.resolve(command.response));
  }

  #refusal(refusal: Refusal): SeshatError {
    return refusalToError(refusal, this.#state.id, membershipOf(this.#state));
  }
}

/** True while `state` waits for the answer to `command`: it still leads, and has not begun again elsewhere or in a later term. */
function awaits({ role }: Readonly<EngineState>, { to, seq }: SendAppendEntriesCommand): boolean {
  if (role.type !== "leader") return false;
  // No two requests of a node's life have one number, in whatever term.
  return role.progress.get(to)?.inFlight.some((request) => request.seq === seq) === true;
}
