import type {
  AsyncRuntime,
  LogId,
  NodeId,
  RaftTypeConfig,
  RpcResponse,
  SeshatError,
  SnapshotMeta,
  StorageVerb,
} from "@seshat/common";
import { UnknownOutcomeError } from "@seshat/common";
import type { ApplyResponse, RaftStateMachine, RaftStorage } from "@seshat/storage";
import type { RaftConfig } from "../config.js";
import type {
  AnswerAppendEntriesCommand,
  Command,
  InstallSnapshotCommand,
  ReceiveSnapshotCommand,
  Refusal,
  ReplyCommand,
  SendAppendEntriesCommand,
  SendSnapshotCommand,
  SendVoteCommand,
} from "../engine/command.js";
import type { Event } from "../engine/event.js";
import { membershipOf } from "../engine/membership-state.js";
import type { InFlight } from "../engine/progress.js";
import type { EngineState } from "../engine/state.js";
import type { RaftNetworkFactory } from "../network/raft-network.js";
import { ApplyLane } from "./apply-lane.js";
import type { Callers } from "./callers.js";
import type { Clients } from "./clients.js";
import { DurabilityGate } from "./durability-gate.js";
import type { EngineObserver } from "./engine-observer.js";
import { toError } from "./failure.js";
import type { Passport } from "./identity.js";
import type { Instruments } from "./instruments.js";
import { LogCache } from "./log-cache.js";
import { LogLane } from "./log-lane.js";
import type { PendingRequests } from "./pending-requests.js";
import { refusalToError } from "./refusal.js";
import { Sender } from "./sender.js";
import { lenientSizeOf } from "./size-of.js";
import { SnapshotReceiver } from "./snapshot-receiver.js";
import type { SnapshotProgress } from "./snapshot-sender.js";
import { SnapshotSender } from "./snapshot-sender.js";
import type { StageClock } from "./stage-latency.js";
import { StallWatch } from "./stall-watch.js";
import type { TermBound } from "./term-bound.js";

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
  readonly passport: Passport;
  readonly terms: TermBound;
  readonly stages: StageClock;
  readonly clients: Clients<C["R"]>;
  readonly callers: Callers;
}

/** What an executor tells. */
export interface ExecutorEvents<C extends RaftTypeConfig> {
  /** Something happened that the engine has to know. */
  emit(event: Event): void;
  /** Every write up to `ioSeq` is durable. */
  persisted(ioSeq: number): void;
  applied(entries: readonly C["Entry"][], responses: readonly ApplyResponse<C["R"]>[]): void;
  snapshotBuilt(lastLogId: LogId): void;
  /** A snapshot was installed; or, with an error, could not be read. */
  snapshotInstalled(lastLogId: LogId, damage: Error | null): void;
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
  readonly #stages: StageClock;
  readonly #emit: (event: Event) => void;
  readonly #gate = new DurabilityGate();
  readonly #passport: Passport;
  readonly #stalls: StallWatch;
  readonly #snapshotStalls: StallWatch;
  #snapshotStalled: StorageVerb | null = null;
  readonly #logLane: LogLane<C>;
  readonly #applyLane: ApplyLane<C>;
  readonly #sender: Sender<C>;
  readonly #snapshots: SnapshotSender<C>;
  readonly #receiver: SnapshotReceiver<C>;

  constructor(parts: ExecutorParts<C>, events: ExecutorEvents<C>) {
    const { state, storage, stateMachine, config, clock, instruments, passport } = parts;
    this.#state = state;
    this.#stages = parts.stages;
    this.#passport = passport;
    this.#emit = (event) => events.emit(event);
    this.#observer = parts.observer;
    this.#clients = parts.clients;
    this.#callers = parts.callers;
    this.#cache = new LogCache(config.logCacheEntries);
    const failed = (error: Error): void => events.failed(error);
    const persisted = (ioSeq: number): void => {
      this.#gate.advance(ioSeq);
      events.persisted(ioSeq);
    };
    this.#stalls = new StallWatch(clock, config.storageStallMs, (verb) => {
      instruments.log("warn", verb === null ? "raft.storage.resumed" : "raft.storage.stalled", { verb });
      events.emit({ type: "storageStalled", verb });
    });
    const stalls = this.#stalls;
    this.#snapshotStalls = new StallWatch(clock, config.snapshotTimeoutMs, (verb) => {
      this.#snapshotStalled = verb;
      instruments.log("warn", verb === null ? "raft.snapshot.resumed" : "raft.snapshot.stalled", { verb });
    });
    const snapshotStalls = this.#snapshotStalls;
    const readable = (ioSeq: number): void => this.#cache.readable(ioSeq);
    this.#logLane = new LogLane<C>(storage, { persisted, readable, failed }, instruments, stalls);
    const reader = storage.logReader();
    this.#applyLane = new ApplyLane<C>(
      {
        stateMachine,
        reader,
        cache: this.#cache,
        runtime: clock,
        instruments,
        stalls,
        snapshotStalls,
        maxApplyEntries: config.maxApplyEntries,
      },
      {
        applied: (entries, responses) => events.applied(entries, responses),
        snapshotBuilt: ({ lastLogId }) => events.snapshotBuilt(lastLogId),
        snapshotInstalled: (meta, damage) => this.#snapshotInstalled(meta, damage, events),
        failed,
      },
    );
    this.#sender = new Sender<C>({
      id: state.id,
      passport,
      terms: parts.terms,
      stalls,
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
    this.#snapshots = new SnapshotSender<C>({
      id: state.id,
      runtime: clock,
      instruments,
      chunkBytes: config.snapshotChunkBytes,
      timeoutMs: config.snapshotTimeoutMs,
      pauseMs: config.heartbeatIntervalMs,
      newestIndex: () => state.snapshot.lastLogId.index,
      logExtent: () => ({ last: state.log.last.index, committed: state.committed.index }),
      readSnapshot: () => stateMachine.readCurrentSnapshot(),
      call: (to, request) => this.#sender.installSnapshot(to, request),
      awaits: (command) => awaitsSnapshot(state, command),
      emit: (event) => events.emit(event),
    });
    this.#receiver = new SnapshotReceiver<C>(
      {
        stateMachine,
        runtime: clock,
        instruments,
        stalls: snapshotStalls,
        maxBytes: config.maxSnapshotBytes,
        timeoutMs: config.snapshotTimeoutMs,
      },
      { received: (meta) => events.emit({ type: "snapshotReceived", meta, requestId: null }), failed },
    );
  }

  /** Takes the parts of a snapshot from a leader. */
  get receiver(): SnapshotReceiver<C> {
    return this.#receiver;
  }

  /** What hangs in the building, receiving or installing of a snapshot; null when nothing does. */
  get snapshotStalled(): StorageVerb | null {
    return this.#snapshotStalled;
  }

  /** How far the snapshot is that is on its way to a follower; null when none is. */
  snapshotProgress(to: NodeId): SnapshotProgress | null {
    return this.#snapshots.progress(to);
  }

  /** Everything up to index `upto` is applied here: entries that the followers which keep up have as well are read no more. */
  applied(upto: number): void {
    const { role } = this.#state;
    let needed = upto;
    if (role.type === "leader") {
      for (const { mode, matchIndex } of role.progress.values())
        if (mode === "pipeline" && matchIndex < needed) needed = matchIndex;
    }
    this.#cache.release(needed);
  }

  /** The engine took a step: what it waits for no more is given up. */
  stepped(): void {
    this.#snapshots.review();
  }

  /** The membership, or where its members are, changed: who is not to be told anything any more is given up. */
  membershipChanged(): void {
    const { role } = this.#state;
    const members = membershipOf(this.#state).nodes;
    const isNeeded = (id: NodeId): boolean =>
      members.has(id) || (role.type === "leader" && role.progress.has(id));
    for (const id of this.#sender.retain(isNeeded)) this.#reportLost(id);
    this.#snapshots.retain(isNeeded);
    this.#passport.retain(isNeeded);
  }

  execute(command: Command): void {
    // The most frequent first: they are compared one after another.
    switch (command.type) {
      case "append":
        this.#cache.append(command.entries, command.ioSeq);
        this.#logLane.submit(command);
        return;
      case "sendAppendEntries":
        this.#sender.appendEntries(command, this.#stages.now);
        return;
      case "answerAppendEntries":
        this.#answerAppend(command);
        return;
      case "apply":
      case "buildSnapshot":
        this.#applyLane.submit(command);
        return;
      case "saveCommitted":
        this.#observer.committed(command.committed.index);
        this.#stages.reached("committed", command.committed.index);
        this.#logLane.submit(command);
        return;
      case "acceptWrites": {
        const lastIndex = this.#clients.acceptWrites(command.firstIndex);
        this.#observer.proposed(command.firstIndex, lastIndex);
        this.#stages.proposed(lastIndex);
        return;
      }
      case "truncate":
        this.#cache.truncate(command.since);
        this.#logLane.submit(command);
        return;
      case "saveVote":
      case "purge":
        this.#logLane.submit(command);
        return;
      case "installSnapshot":
        this.#install(command);
        return;
      case "dropSnapshot":
        this.#receiver.clear();
        return;
      case "refuseWrites":
        this.#clients.refuseWrites(this.#refusal(command.refusal));
        return;
      case "abandonWrites": {
        const error = new UnknownOutcomeError("this node lost the leadership before the write was applied");
        this.#observer.abandoned(error);
        this.#stages.abandoned();
        this.#clients.abandonWrites(command.since, error);
        return;
      }
      case "readReady":
        this.#observer.readsConfirmed(command.requestId);
        this.#clients.confirmReads(command.requestId, command.readIndex);
        return;
      case "refuseReads": {
        const error = this.#refusal(command.refusal);
        this.#observer.readsRefused(command.requestId, error);
        this.#clients.refuseReads(command.requestId, error);
        return;
      }
      case "sendReadIndex":
        this.#sender.readIndex(command);
        return;
      case "snapshotReady":
        this.#callers.replies.take(command.requestId)?.resolve();
        return;
      case "membershipChanged": {
        const { requestId, logId, membership } = command;
        this.#callers.changes.take(requestId)?.resolve({ logId, membership });
        return;
      }
      case "abandonChange":
        this.#callers.changes
          .take(command.requestId)
          ?.reject(new UnknownOutcomeError("this node lost the leadership before the change was committed"));
        return;
      case "reply":
        this.#reply(command);
        return;
      case "sendPreVote":
        this.#sender.preVote(command);
        return;
      case "sendVote":
        this.#askForVote(command);
        return;
      case "sendSnapshot":
        this.#snapshots.send(command);
        return;
      case "sendTimeoutNow":
        this.#sender.timeoutNow(command);
        return;
      case "receiveSnapshot":
        this.#receive(command);
        return;
      case "answerInstallSnapshot":
        this.#receiver.forget(command.rpcId);
        this.#answer(this.#callers.installs, command);
        return;
      case "answerTimeoutNow":
        this.#answer(this.#callers.takeOvers, command);
        return;
      case "answerPreVote":
        this.#answer(this.#callers.preVotes, command);
        return;
      case "answerVote":
        this.#answer(this.#callers.votes, command);
        return;
      default:
        return command satisfies never;
    }
  }

  // What waits for a write to be durable is made in methods of its own: `execute` would set aside memory for it with every command.

  #install({ afterIo }: InstallSnapshotCommand): void {
    this.#gate.after(afterIo, () =>
      this.#applyLane.submit({ type: "install", snapshot: this.#receiver.complete }),
    );
  }

  #reply({ requestId, refusal, afterIo }: ReplyCommand): void {
    const error = refusal === null ? null : this.#refusal(refusal);
    this.#gate.after(afterIo, () => this.#callers.reply(requestId, error));
  }

  #askForVote(command: SendVoteCommand): void {
    this.#gate.after(command.afterIo, () => this.#sender.vote(command));
  }

  /** Starts nothing more, and reports nothing more. @returns once no call to storage is running. */
  async close(): Promise<void> {
    this.#stalls.close();
    this.#snapshotStalls.close();
    this.#sender.close();
    await Promise.all([
      this.#snapshots.close(),
      this.#logLane.close(),
      this.#applyLane.close(),
      this.#receiver.close(),
    ]);
  }

  /**
   * Whatever waited to be sent to a peer that was given up is answered as lost, so that the engine begins again. All of it: the answer to
   * what was sent first may have come already, and speaks for nothing after it.
   */
  #reportLost(id: NodeId): void {
    const { role, vote } = this.#state;
    const inFlight = role.type === "leader" ? role.progress.get(id)?.inFlight : undefined;
    for (const { seq } of inFlight ?? [])
      this.#emit({ type: "appendEntriesFailed", from: id, requestTerm: vote.term, seq });
  }

  #receive({ rpcId, term, afterIo }: ReceiveSnapshotCommand): void {
    const { installs } = this.#callers;
    this.#receiver.take(rpcId).then(
      (nextOffset) =>
        this.#gate.after(afterIo, () =>
          installs.take(rpcId)?.resolve(this.#signed({ type: "progress", term, nextOffset })),
        ),
      (thrown: unknown) => installs.take(rpcId)?.reject(toError(thrown)),
    );
  }

  #snapshotInstalled(meta: SnapshotMeta<C["Node"]>, damage: Error | null, events: ExecutorEvents<C>): void {
    this.#receiver.clear();
    const { lastLogId, lastMembership } = meta;
    const { installRequest } = this.#state.snapshot;
    if (damage !== null && installRequest !== null) this.#callers.reply(installRequest, damage);
    events.snapshotInstalled(lastLogId, damage);
    events.emit({ type: "snapshotInstalled", lastLogId, lastMembership, installed: damage === null });
  }

  #answer<T>(
    callers: PendingRequests<RpcResponse<T>>,
    command: { rpcId: number; response: T; afterIo: number },
  ): void {
    const { rpcId, response, afterIo } = command;
    if (this.#gate.isOpen(afterIo)) callers.take(rpcId)?.resolve(this.#signed(response));
    else this.#gate.after(afterIo, () => callers.take(rpcId)?.resolve(this.#signed(response)));
  }

  /** The same for the most frequent answer, which mostly need not wait. */
  #answerAppend(command: AnswerAppendEntriesCommand): void {
    if (!this.#gate.isOpen(command.afterIo)) {
      this.#answer(this.#callers.appends, command);
      return;
    }
    const { response } = command;
    const header = this.#passport.response;
    this.#callers.appends
      .take(command.rpcId)
      ?.resolve(
        response.type === "success"
          ? { type: "success", term: response.term, matchIndex: response.matchIndex, header }
          : { ...response, header },
      );
  }

  /** What a peer is answered, with who answers. */
  #signed<T>(response: T): RpcResponse<T> {
    return { ...response, header: this.#passport.response };
  }

  #refusal(refusal: Refusal): SeshatError {
    return refusalToError(refusal, this.#state.id, membershipOf(this.#state));
  }
}

/** True while `state` waits for the answer to `command`: it still leads, and has not begun again elsewhere or in a later term. */
function awaits({ role }: Readonly<EngineState>, { to, seq }: SendAppendEntriesCommand): boolean {
  if (role.type !== "leader") return false;
  // No two requests of a node's life have one number, in whatever term.
  const inFlight = role.progress.get(to)?.inFlight;
  if (inFlight === undefined) return false;
  // It is among the newest.
  for (let i = inFlight.length - 1; i >= 0; i--) {
    const other = (inFlight[i] as InFlight).seq;
    if (other <= seq) return other === seq;
  }
  return false;
}

/** True while `state` waits for the outcome of `command`: it still leads, and the follower was not helped otherwise. */
function awaitsSnapshot(
  { role, vote }: Readonly<EngineState>,
  { to, seq, term }: SendSnapshotCommand,
): boolean {
  return role.type === "leader" && vote.term === term && role.progress.get(to)?.snapshotSeq === seq;
}
