import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  AsyncRuntime,
  EntryPayload,
  Logger,
  LogId,
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
  ReadIndexRequest,
  ReadIndexResponse,
  RaftTypeConfig,
  Tracer,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";
import {
  NotLeaderError,
  QuorumNotEnoughError,
  TimeoutError,
  checkInteger,
  checkNodeId,
  createMembership,
  silentLogger,
} from "@seshat/common";
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import { checkAppendEntriesRequest, checkReadIndexRequest, checkVoteRequest } from "./check-message.js";
import type { RaftConfig } from "./config.js";
import { checkTimeoutMs, makeRaftConfig } from "./config.js";
import type { RaftNetworkFactory } from "./network/raft-network.js";
import type { ClientWriteResponse } from "./runtime/clients.js";
import { systemRuntime } from "./runtime/clock.js";
import { toError } from "./runtime/failure.js";
import { guardedWrites } from "./runtime/guarded-write.js";
import { Instruments } from "./runtime/instruments.js";
import type { RaftMetrics } from "./runtime/metrics.js";
import { restore } from "./runtime/restore.js";
import { Runtime } from "./runtime/runtime.js";
import { strictSizeOf, visibleSizeOf } from "./runtime/size-of.js";
import type { OpenSessionOptions, ReadOptions, SessionWriteOptions, WriteOptions } from "./write-options.js";
import {
  DEFAULT_SESSION_EXPIRY,
  checkArray,
  checkNoSession,
  checkReadPolicy,
  checkWriteOptions,
  expectationOf,
} from "./write-options.js";

/** What a node is made of. */
export interface RaftOptions<C extends RaftTypeConfig> {
  /** Names this node for ever. */
  readonly id: NodeId;
  /** Its vote and log. Used by this node alone until `shutdown` has resolved. */
  readonly storage: RaftStorage<C>;
  /** Its data. Used by this node alone; the application may read it. */
  readonly stateMachine: RaftStateMachine<C>;
  /** How it reaches its peers; `StubNetwork` for a cluster of one. */
  readonly network: RaftNetworkFactory<C>;
  /** Defaults: `DEFAULT_RAFT_CONFIG`. */
  readonly config?: Partial<RaftConfig>;
  /**
   * What a command counts in bytes, for the bounds on what waits and on what is sent. Default: the length of a byte string,
   * or of one under `data`, and a guess otherwise.
   */
  readonly sizeOf?: (data: C["D"]) => number;
  /** Its clock, timers and randomness. Default: the machine's. */
  readonly runtime?: C["AsyncRuntime"];
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: none. */
  readonly tracer?: Tracer;
  /** Check the invariants of Raft after every step and stop the node when one does not hold. Default false; for tests. */
  readonly checkInvariants?: boolean;
}

/** What an operator can ask of a node at any time. */
export interface RaftTrigger {
  /**
   * Stands for election now. The leader, and a node that does not vote, ignore it. Voters that hear from a leader vote for
   * nobody else.
   */
  elect(): void;
  /** Takes a snapshot of everything applied so far. @returns once it is kept, with the last log id it holds. */
  snapshot(): Promise<LogId>;
  /** Purges the log up to index `upto`, inclusive, as far as the snapshot allows. */
  purgeLog(upto: number): void;
}

type Payload<C extends RaftTypeConfig> = EntryPayload<C["D"], C["Node"]>;

/** Waits for a write that nobody waits for. */
const NOBODY = { resolve(): void {}, reject(): void {} };

/**
 * One node of a Raft cluster.
 *
 * After a failure of storage the node has stopped: `metrics().stopCause` says why, and so does every call.
 */
export class Raft<C extends RaftTypeConfig> {
  readonly id: NodeId;
  readonly config: RaftConfig;
  readonly trigger: RaftTrigger;
  readonly #runtime: Runtime<C>;
  readonly #clock: AsyncRuntime;
  readonly #sizeOf: (data: C["D"]) => number;

  private constructor(
    id: NodeId,
    config: RaftConfig,
    clock: AsyncRuntime,
    sizeOf: (data: C["D"]) => number,
    runtime: Runtime<C>,
  ) {
    this.id = id;
    this.config = config;
    this.#clock = clock;
    this.#sizeOf = sizeOf;
    this.#runtime = runtime;
    this.trigger = {
      elect: () => runtime.send({ type: "elect" }),
      snapshot: async () => {
        await runtime.request((requestId) => ({ type: "takeSnapshot", requestId }));
        return this.metrics().snapshot;
      },
      purgeLog: (upto) => runtime.send({ type: "purgeLog", upto: checkInteger("upto", upto, 0) }),
    };
  }

  /**
   * Starts a node from what its storage holds: a new one waits for `initialize`, or to be made a member of a cluster;
   * one that was a member goes on where it was.
   *
   * @throws {InvalidValueError} when a setting is wrong; it names the field.
   * @throws {StorageError} when storage cannot be read or contradicts itself.
   */
  static async create<C extends RaftTypeConfig>(options: RaftOptions<C>): Promise<Raft<C>> {
    const id = checkNodeId("id", options.id);
    const config = makeRaftConfig(options.config);
    const clock = options.runtime ?? systemRuntime;
    const instruments = new Instruments(id, options.logger ?? silentLogger, options.tracer ?? null);
    const { storage, stateMachine, network } = options;
    const start = await restore(id, storage, stateMachine, instruments);
    const checkInvariants = options.checkInvariants ?? false;
    const sizeOf = options.sizeOf ?? visibleSizeOf;
    const runtime = new Runtime<C>({
      start,
      storage,
      stateMachine,
      network,
      config,
      clock,
      instruments,
      checkInvariants,
      sizeOf,
    });
    return new Raft<C>(id, config, clock, strictSizeOf(sizeOf), runtime);
  }

  /**
   * Founds a cluster with `nodes` as its voters. Called once, on one of them or, with the same nodes, on each.
   *
   * @throws {AlreadyInitializedError} when this node has a log or has voted; nothing was changed.
   * @throws {NotAMemberError} when this node is not among `nodes`; nothing was changed.
   * @throws {InvalidValueError} when `nodes` make no membership.
   */
  async initialize(nodes: Iterable<readonly [NodeId, C["Node"]]>): Promise<void> {
    const members = [...nodes];
    const membership = createMembership([members.map(([id]) => id)], members);
    await this.#runtime.request((requestId) => ({ type: "initialize", requestId, membership }));
  }

  /**
   * Replicates a command and applies it.
   *
   * @returns the response of the state machine, and where in the log the command stands.
   * @throws {NotLeaderError} when this node does not lead: not appended. It says who leads.
   * @throws {QuorumNotEnoughError} when it led, and has lost touch with the majority: not appended.
   * @throws {OverloadedError} when too much waits: not appended.
   * @throws {PreconditionFailedError} when what `options` expect does not hold: not appended.
   * @throws {TimeoutError} or the signal's reason when the caller gave up before it was appended.
   * @throws {UnknownOutcomeError} when this node stopped leading or running, or the caller gave up, after it was appended:
   *   it may be applied, now or later, or never.
   * @throws {SessionError} when the session does not allow it: this attempt had no effect.
   * @throws {InvalidValueError} when an option is none, or `sizeOf` gives no size: not appended.
   * @throws {ShutdownError} or {StoppedError} when this node does not run: not appended.
   */
  clientWrite(data: C["D"], options?: SessionWriteOptions): Promise<ClientWriteResponse<C["R"]>> {
    return options === undefined ? this.#write(data) : this.#writeWith(data, options);
  }

  /**
   * Replicates several commands and applies them: consecutive entries of one append, one response each, in order. When it
   * rejects, each of them may have been applied or not, unless the error says that nothing was appended. Errors as {@link clientWrite}.
   */
  async clientWriteMany(
    data: readonly C["D"][],
    options: WriteOptions = {},
  ): Promise<ClientWriteResponse<C["R"]>[]> {
    checkWriteOptions(options);
    checkNoSession(options);
    checkArray("data", data);
    if (data.length === 0) return [];
    return this.#guardedWrites(
      data.map((item) => ({ type: "normal", data: item })),
      options,
    );
  }

  /**
   * Replicates a command and applies it, and tells nobody what became of it: not even whether this node leads.
   *
   * @throws {InvalidValueError} when `sizeOf` gives no size.
   */
  submit(data: C["D"]): void {
    this.#runtime.write({ type: "normal", data }, { bytes: this.#sizeOf(data), ...NOBODY }, null);
  }

  /**
   * Opens a session, in which commands take effect once (Raft thesis section 6.3).
   *
   * @returns the id of the session. Errors as {@link clientWrite}.
   */
  async openSession(options: OpenSessionOptions = {}): Promise<number> {
    checkWriteOptions(options);
    checkNoSession(options);
    const expiresAfter = checkInteger(
      "options.expiresAfter",
      options.expiresAfter ?? DEFAULT_SESSION_EXPIRY,
      1,
    );
    return (await this.#guardedWrite({ type: "openSession", expiresAfter }, options)).logId.index;
  }

  /**
   * Waits until the local state machine holds everything that was committed before this call (Raft thesis
   * section 6.4): what is read from it then is linearizable. On a follower it asks the leader from where on that is so.
   *
   * @returns the log id that the state machine has reached at least.
   * @throws {NotLeaderError} when this node does not lead, and the leader does not answer or is not known.
   * @throws {QuorumNotEnoughError} when it led, and has lost touch with the majority.
   * @throws {OverloadedError} when too many requests wait.
   */
  async ensureLinearizable(options: ReadOptions = {}): Promise<LogId> {
    const policy = options.policy ?? "readIndex";
    checkReadPolicy(policy, this.config.leaderLease);
    return this.#runtime.read(policy, false);
  }

  /** True when this node believes that it leads. A belief, not a proof: read through {@link ensureLinearizable}. */
  isLeader(): boolean {
    return this.leaderId() === this.id;
  }

  /** The leader as far as this node knows, or null. */
  leaderId(): NodeId | null {
    return this.#runtime.leaderId();
  }

  /** What this node knows of itself now. */
  metrics(): RaftMetrics<C["Node"]> {
    return this.#runtime.metrics();
  }

  /**
   * Waits until `condition` holds for the metrics.
   *
   * @param what the condition in words, for the error.
   * @param condition looked at after every turn in which something happened; what it throws ends the wait.
   * @param timeoutMs the longest wait in milliseconds.
   * @throws {InvalidValueError} when `timeoutMs` is no such time.
   * @throws {TimeoutError} when it did not come true in time.
   * @throws {ShutdownError} or {StoppedError} when the node stops first.
   */
  wait(
    what: string,
    condition: (metrics: RaftMetrics<C["Node"]>) => boolean,
    timeoutMs: number,
  ): Promise<RaftMetrics<C["Node"]>> {
    return new Promise((resolve, reject) => {
      checkTimeoutMs("timeoutMs", timeoutMs);
      const settle = (): void => {
        timer.cancel();
        unwatch();
      };
      const timer = this.#clock.setTimer(timeoutMs, () => {
        settle();
        reject(new TimeoutError(what, timeoutMs));
      });
      const look = (): void => {
        try {
          const metrics = this.metrics();
          if (condition(metrics)) {
            settle();
            resolve(metrics);
          } else if (this.#runtime.stopped !== null) {
            throw this.#runtime.stopped;
          }
        } catch (error) {
          settle();
          reject(toError(error));
        }
      };
      const unwatch = this.#runtime.watch(look);
      look();
    });
  }

  /** Answers a pre-vote request of a peer; the network's receiving side calls it. */
  async preVote(request: PreVoteRequest): Promise<PreVoteResponse> {
    checkVoteRequest("preVote", request, this.id);
    return this.#runtime.preVote((rpcId) => ({ type: "preVoteRequest", rpcId, request }));
  }

  /** Answers a vote request of a peer, once what the answer says is durable; the network's receiving side calls it. */
  async vote(request: VoteRequest): Promise<VoteResponse> {
    checkVoteRequest("vote", request, this.id);
    return this.#runtime.vote((rpcId) => ({ type: "voteRequest", rpcId, request }));
  }

  /** Takes entries from a leader and answers once they are durable; the network's receiving side calls it. */
  async appendEntries(request: AppendEntriesRequest<C["D"], C["Node"]>): Promise<AppendEntriesResponse> {
    checkAppendEntriesRequest(request, this.id);
    return this.#runtime.appendEntries((rpcId) => ({ type: "appendEntriesRequest", rpcId, request }));
  }

  /** Answers a follower that wants to serve reads; the network's receiving side calls it. */
  async readIndex(request: ReadIndexRequest): Promise<ReadIndexResponse> {
    checkReadIndexRequest(request, this.id);
    // Where leases are off none is ever held, and a quorum is asked all the same.
    const policy = request.lease ? "lease" : "readIndex";
    try {
      return { readIndex: await this.#runtime.read(policy, true) };
    } catch (error) {
      if (error instanceof NotLeaderError || error instanceof QuorumNotEnoughError)
        return { readIndex: null };
      throw error;
    }
  }

  /**
   * Stops the node: settles everything that waits, with `ShutdownError` or, where a write may be in the log, `UnknownOutcomeError`.
   *
   * @returns once storage is no longer in use, so that another node can be started from it: the running calls have ended,
   *   and what was appended is durable.
   */
  shutdown(): Promise<void> {
    return this.#runtime.shutdown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #write(data: C["D"]): Promise<ClientWriteResponse<C["R"]>> {
    return new Promise((resolve, reject) => {
      this.#runtime.write({ type: "normal", data }, { bytes: this.#sizeOf(data), resolve, reject }, null);
    });
  }

  async #writeWith(data: C["D"], options: SessionWriteOptions): Promise<ClientWriteResponse<C["R"]>> {
    checkWriteOptions(options);
    const { session } = options;
    const payload: Payload<C> =
      session === undefined ? { type: "normal", data } : { type: "normal", data, session };
    return this.#guardedWrite(payload, options);
  }

  async #guardedWrite(payload: Payload<C>, options: WriteOptions): Promise<ClientWriteResponse<C["R"]>> {
    const [response] = await this.#guardedWrites([payload], options);
    return response as ClientWriteResponse<C["R"]>;
  }

  #guardedWrites(
    payloads: readonly Payload<C>[],
    options: WriteOptions,
  ): Promise<ClientWriteResponse<C["R"]>[]> {
    const sizes = payloads.map((payload) => (payload.type === "normal" ? this.#sizeOf(payload.data) : 0));
    return guardedWrites<C["R"]>(sizes, options, this.#clock, {
      start: (writers) => this.#runtime.writeMany(payloads, writers, expectationOf(options)),
      withdraw: (writers) => this.#runtime.withdraw(writers),
    });
  }
}
