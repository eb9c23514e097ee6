import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  Logger,
  LogId,
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
  RaftTypeConfig,
  ReadIndexRequest,
  ReadIndexResponse,
  RpcRequest,
  RpcResponse,
  Snapshot,
  StoreIdentity,
  TimeoutNowRequest,
  TimeoutNowResponse,
  Tracer,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";
import {
  AlreadyInitializedError,
  checkInteger,
  checkNodeId,
  createMembership,
  silentLogger,
  voterIds,
} from "@seshat/common";
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import { checkObject, checkSnapshotMeta } from "./check-message.js";
import { ClientDoor } from "./client-door.js";
import type { Condition } from "./condition.js";
import { checkCondition } from "./condition.js";
import type { RaftConfig } from "./config.js";
import { checkTimeoutMs, makeRaftConfig } from "./config.js";
import type { EngineWatcher } from "./engine/engine.js";
import type { MembershipChange } from "./engine/event.js";
import { MembershipDoor } from "./membership-door.js";
import type {
  AddLearnerOptions,
  ChangeMembershipOptions,
  InitializeOptions,
  RuntimeSwitches,
  TransferLeaderOptions,
} from "./membership-options.js";
import { checkInitializeOptions, checkPairs, checkSwitches } from "./membership-options.js";
import type { RaftNetworkFactory, RpcCaller } from "./network/raft-network.js";
import { PeerDoor } from "./peer-door.js";
import type { ChangeMembershipResponse } from "./runtime/callers.js";
import type { ClientWriteResponse } from "./runtime/clients.js";
import { systemRuntime } from "./runtime/clock.js";
import { foreignContent } from "./runtime/foreign-snapshot.js";
import { claimStore } from "./runtime/identity.js";
import { Instruments } from "./runtime/instruments.js";
import { MetricsWatch } from "./runtime/metrics-watch.js";
import type { RaftMetrics } from "./runtime/metrics.js";
import { restore } from "./runtime/restore.js";
import { Runtime } from "./runtime/runtime.js";
import { strictSizeOf, visibleSizeOf } from "./runtime/size-of.js";
import type { StageLatencies } from "./runtime/stage-latency.js";
import type { OpenSessionOptions, ReadOptions, SessionWriteOptions, WriteOptions } from "./write-options.js";

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
  /** Is told of every step of the engine: for recorders, and simulators that watch a cluster. Default: nobody. */
  readonly watcher?: EngineWatcher;
  /** Check the invariants of Raft after every step and stop the node when one does not hold. Default false; for tests. */
  readonly checkInvariants?: boolean;
}

/** What an operator can ask of a node at any time while it runs; otherwise each throws or rejects with why it does not. */
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

/**
 * One node of a Raft cluster.
 *
 * After a failure of storage the node has stopped: `metrics().stopCause` says why, and so does every call.
 */
export class Raft<C extends RaftTypeConfig> {
  readonly id: NodeId;
  readonly config: RaftConfig;
  readonly trigger: RaftTrigger;
  readonly #identity: StoreIdentity;
  readonly #clock: C["AsyncRuntime"];
  readonly #runtime: Runtime<C>;
  readonly #clients: ClientDoor<C>;
  readonly #peers: PeerDoor<C>;
  readonly #members: MembershipDoor<C>;
  readonly #watch: MetricsWatch<C["Node"]>;

  private constructor(
    identity: StoreIdentity,
    config: RaftConfig,
    clock: C["AsyncRuntime"],
    sizeOf: (data: C["D"]) => number,
    runtime: Runtime<C>,
    instruments: Instruments,
  ) {
    this.id = identity.nodeId;
    this.config = config;
    this.#identity = identity;
    this.#clock = clock;
    this.#runtime = runtime;
    this.#clients = new ClientDoor<C>(runtime, clock, sizeOf, config.leaderLease);
    this.#peers = new PeerDoor<C>(this.id, runtime);
    this.#watch = new MetricsWatch<C["Node"]>(runtime, clock, (error) =>
      instruments.log("error", "raft.listener.failed", { error: error.message }),
    );
    this.#members = new MembershipDoor<C>({ runtime, watch: this.#watch, config, clock, instruments });
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
   * @throws {ForeignStoreError} when the storage belongs to another node or cluster.
   * @throws {StorageError} when storage cannot be read or contradicts itself.
   */
  static async create<C extends RaftTypeConfig>(options: RaftOptions<C>): Promise<Raft<C>> {
    const id = checkNodeId("id", options.id);
    const config = makeRaftConfig(options.config);
    const clock = options.runtime ?? systemRuntime;
    const instruments = new Instruments(id, options.logger ?? silentLogger, options.tracer ?? null);
    const { storage, stateMachine, network } = options;
    const identity = await claimStore(storage, id, config.clusterId, clock);
    const start = await restore(identity, storage, stateMachine, instruments, clock);
    const checkInvariants = options.checkInvariants ?? false;
    const sizeOf = options.sizeOf ?? visibleSizeOf;
    const runtime = new Runtime<C>({
      identity,
      start,
      storage,
      stateMachine,
      network,
      config,
      clock,
      instruments,
      checkInvariants,
      sizeOf,
      watcher: options.watcher ?? null,
    });
    return new Raft<C>(identity, config, clock, strictSizeOf(sizeOf), runtime, instruments);
  }

  /**
   * Founds a cluster with `nodes` as its voters. Called on one of them, once all of them run: it asks the others which stores they run on, so that
   * an erased disk is not taken for a founder later, and for their votes, so that of several foundings with a node in common one succeeds.
   * Calls on several of them at once with the same ids succeed together: one of them founds.
   *
   * @throws {AlreadyInitializedError} when this node, or one of the others, has a log or has voted; nothing was changed.
   * @throws {NotAMemberError} when this node is not among `nodes`; nothing was changed.
   * @throws {InvalidValueError} when `nodes` make no membership.
   * @throws {TimeoutError} when one of the others does not answer in time, or founds with another node: no cluster was founded. Once all
   *   had answered some may have voted for this node, and found with no other any more: call it again, here.
   * @throws {UnknownOutcomeError} when the node stopped before that was known.
   */
  async initialize(
    nodes: Iterable<readonly [NodeId, C["Node"]]>,
    options: InitializeOptions = {},
  ): Promise<void> {
    const members = checkPairs<C["Node"]>("nodes", nodes);
    const timeoutMs = checkInitializeOptions(options);
    const { configs, nodes: founders } = createMembership([members.map(([id]) => id)], members);
    const { nodeId, incarnation } = this.#identity;
    const { term, lastLogId } = this.metrics();
    // Who cannot found a cluster asks nobody: the engine refuses.
    const isNew = term === 0 && lastLogId.index === 0 && founders.has(nodeId);
    const others = isNew ? await this.#askFounders([...founders], timeoutMs) : [];
    if (others === null) return;
    const membership = createMembership(configs, founders, {
      incarnations: [[nodeId, incarnation], ...others],
    });
    await this.#runtime.change((requestId) => ({ type: "initialize", requestId, membership }));
  }

  /** @returns the stores of the others; null when one of them founded the very cluster meanwhile, with this node. */
  async #askFounders(
    founders: readonly (readonly [NodeId, C["Node"]])[],
    timeoutMs: number,
  ): Promise<[NodeId, number][] | null> {
    const deadline = this.#clock.now() + timeoutMs;
    try {
      return await this.#runtime.askFounders(founders, timeoutMs);
    } catch (error) {
      const { votedFor } = this.metrics().vote;
      if (!(error instanceof AlreadyInitializedError) || votedFor === null || votedFor === this.id)
        throw error;
      const wanted = founders.map(([id]) => id).join();
      const holds = ({ membership }: RaftMetrics<unknown>): boolean =>
        membership.membership.configs.length > 0;
      const { membership } = await this.#watch.until(
        { what: `the founding entry of node ${votedFor}`, holds },
        Math.max(1, deadline - this.#clock.now()),
      );
      if (voterIds(membership.membership).join() !== wanted) throw error;
      return null;
    }
  }

  /**
   * Replicates a command and applies it.
   *
   * @returns the response of the state machine, and where in the log the command stands.
   * @throws {NotLeaderError} when this node does not lead: not appended. It says who leads.
   * @throws {QuorumNotEnoughError} when it led, and has lost touch with the majority: not appended.
   * @throws {TransferInProgressError} when it is handing the leadership over: not appended.
   * @throws {StorageStalledError} when its storage hangs: not appended.
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
    return options === undefined ? this.#clients.write(data) : this.#clients.writeWith(data, options);
  }

  /**
   * Replicates several commands and applies them: consecutive entries of one append, one response each, in order. When it
   * rejects, each of them may have been applied or not, unless the error says that nothing was appended. Errors as {@link clientWrite}.
   */
  clientWriteMany(
    data: readonly C["D"][],
    options: WriteOptions = {},
  ): Promise<ClientWriteResponse<C["R"]>[]> {
    return this.#clients.writeMany(data, options);
  }

  /**
   * Replicates a command and applies it, and tells nobody what became of it: not even whether this node leads.
   *
   * @throws {InvalidValueError} when `sizeOf` gives no size.
   */
  submit(data: C["D"]): void {
    this.#clients.submit(data);
  }

  /**
   * Opens a session, in which commands take effect once (Raft thesis section 6.3).
   *
   * @returns the id of the session. Errors as {@link clientWrite}.
   */
  openSession(options: OpenSessionOptions = {}): Promise<number> {
    return this.#clients.openSession(options);
  }

  /**
   * Waits until the local state machine holds everything that was committed before this call (Raft thesis
   * section 6.4): what is read from it then is linearizable. On a follower it asks the leader from where on that is so.
   *
   * @returns the log id that the state machine has reached at least.
   * @throws {NotLeaderError} when this node does not lead, and the leader does not answer or is not known; or it gets nothing to apply for
   *   longer than `storageStallMs` and the longest election timeout, because it was removed, say, or is cut off.
   * @throws {QuorumNotEnoughError} when it led, and has lost touch with the majority.
   * @throws {StorageStalledError} when its storage hangs.
   * @throws {OverloadedError} when too many requests wait.
   * @throws {TimeoutError} or the signal's reason when the caller gave up.
   */
  ensureLinearizable(options: ReadOptions = {}): Promise<LogId> {
    return this.#clients.read(options);
  }

  /**
   * True when a read of the state machine needs to wait for nothing: this node is the only voter, leads, and has applied everything that is
   * committed. What is read before anything is awaited is linearizable; whoever is told false calls {@link ensureLinearizable}. Costs next to
   * nothing, so that it can be asked before each read.
   */
  mayReadAtOnce(): boolean {
    return this.#runtime.mayReadAtOnce();
  }

  /**
   * Makes a node a learner: it gets the log, and does not vote. A member stays what it is.
   *
   * @returns once that is committed and, with `blocking`, once the learner has caught up: then it may become a voter.
   * @throws {TimeoutError} or the signal's reason when `blocking`, and it does not catch up in time (60 seconds by default): it is a
   *   learner all the same. So it is after a {NotLeaderError} with `blocking` when this node stops leading meanwhile; to call it
   *   again, on the leader, does no harm.
   * @throws {LearnerNotFoundError} when it is removed again meanwhile. Other errors as {@link changeMembership}.
   */
  addLearner(
    id: NodeId,
    node: C["Node"],
    options: AddLearnerOptions = {},
  ): Promise<ChangeMembershipResponse<C["Node"]>> {
    return this.#members.addLearner(id, node, options);
  }

  /**
   * Changes who belongs to the cluster, from any set of voters to any other (Raft paper section 6): a set of ids stands for the
   * voters to be. A leader that is not among them hands over once the change is committed.
   *
   * @returns once all of it is committed, with the last entry of it.
   * @throws {NotLeaderError}, {QuorumNotEnoughError}, {TransferInProgressError} or {StorageStalledError} as {@link clientWrite}.
   * @throws {ChangeInProgressError} when another change is not finished.
   * @throws {LearnerNotFoundError} when one of the voters to be is no member.
   * @throws {LearnerLaggingError} when one that is to become a voter does not answer, or is far behind; or so many of those that stay that the
   *   voters to be could decide nothing; unless that is allowed.
   * @throws {InvalidChangeError} when no voter would be left, or a voter would be no member.
   * @throws {PreconditionFailedError} when what `options` expect does not hold.
   * @throws {InvalidValueError} when the change or an option is none.
   * @throws {ShutdownError} or {StoppedError} when this node does not run. After all of these nothing was changed.
   * @throws {UnknownOutcomeError} when this node stopped leading or running, or the caller gave up: it may be done, now or later, or
   *   never, but not by halves.
   */
  changeMembership(
    change: MembershipChange<C["Node"]> | Iterable<NodeId>,
    options: ChangeMembershipOptions = {},
  ): Promise<ChangeMembershipResponse<C["Node"]>> {
    return this.#members.change(change, options);
  }

  /**
   * Hands the leadership over (Raft thesis section 3.10). Writes are refused meanwhile.
   *
   * @returns once the other node leads.
   * @throws {TransferFailedError} when it did not take over in time, and this node serves again; when another one was elected; or when it
   *   does not vote.
   * @throws {ChangeInProgressError} when this node is being removed: it hands over by itself then.
   * @throws {TransferInProgressError} when another transfer is under way.
   * @throws {InvalidChangeError} when no target is given and no other voter answers.
   * @throws {NotLeaderError}, {QuorumNotEnoughError} or {StorageStalledError} as {@link clientWrite}.
   */
  transferLeader(options: TransferLeaderOptions = {}): Promise<void> {
    return this.#members.transferLeader(options);
  }

  /**
   * Replaces the state of this node by a snapshot that was brought by hand, and the log by what follows on it. For repairs: a follower
   * gets its snapshots from the leader.
   *
   * @returns once it is installed and durable.
   * @throws {SnapshotOutdatedError} when as much is committed here already, or the snapshot contradicts it.
   * @throws {CodecError} when its content is damaged: nothing was changed.
   * @throws {OverloadedError} when another one is being installed.
   * @throws {InvalidValueError} when it is no snapshot.
   * @throws {UnknownOutcomeError} when the node stopped before it was known.
   */
  async installFullSnapshot(snapshot: Snapshot<C["SnapshotData"], C["Node"]>): Promise<void> {
    checkObject("snapshot", snapshot);
    checkSnapshotMeta("snapshot.meta", snapshot.meta);
    this.#runtime.terms.check("snapshot.meta.lastLogId.term", snapshot.meta.lastLogId.term, this.id);
    checkObject("snapshot.data", snapshot.data);
    const data = foreignContent("snapshot.data", snapshot.data);
    return this.#runtime.installFullSnapshot({ meta: snapshot.meta, data });
  }

  /**
   * Turns parts of this node on or off, or changes when it takes snapshots, from its next step on until it stops. A node that
   * starts again starts as `config` says.
   *
   * @throws {InvalidValueError} that names the switch.
   * @throws {ShutdownError} or {StoppedError} when the node does not run.
   */
  configure(switches: RuntimeSwitches): void {
    this.#runtime.send({ type: "configure", switches: checkSwitches(switches) });
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

  /** How long the writes took from stage to stage that this node proposed since it started. */
  latencies(): StageLatencies {
    return this.#runtime.latencies();
  }

  /**
   * Waits until `condition` holds for the metrics; `until` has those that are wanted most often.
   *
   * @param timeoutMs the longest wait in milliseconds.
   * @throws {InvalidValueError} when `timeoutMs` is no such time, or `condition` none.
   * @throws {TimeoutError} when it did not come true in time.
   * @throws {ShutdownError} or {StoppedError} when the node stops first; and what `condition.holds` throws.
   */
  async wait(condition: Condition, timeoutMs: number): Promise<RaftMetrics<C["Node"]>> {
    checkCondition(condition);
    checkTimeoutMs("timeoutMs", timeoutMs);
    return this.#watch.until(condition, timeoutMs);
  }

  /**
   * Calls `listener` each time that another leader is known, or none (null), as when the node stops. What it throws is logged as
   * `raft.listener.failed` and changes nothing else; it goes on being called.
   *
   * @returns how to end that.
   */
  onLeaderChange(listener: (leaderId: NodeId | null) => void): () => void {
    return this.#watch.onLeaderChange(listener);
  }

  /** Ends when the node has stopped, by itself or because it was told to: `metrics().stopCause` says which. Costs less than to follow `changes`. */
  whenStopped(): Promise<void> {
    return this.#watch.whenStopped();
  }

  /**
   * The value that `select` takes out of the metrics, now and each time that it is another one: `for await (const term of
   * raft.changes((metrics) => metrics.term))`. A slow reader gets the newest value next, not all between. It ends when the node stops,
   * after the last value, and when its reader does: `break`, or `return()`, which ends a wait at once too. What `select` or `isSame` throws
   * goes to the reader and ends it.
   *
   * @param isSame when two values count as the same. Default `Object.is`, for which every new object is another one.
   */
  changes<T>(
    select: (metrics: RaftMetrics<C["Node"]>) => T,
    isSame: (a: T, b: T) => boolean = Object.is,
  ): AsyncGenerator<T, void, undefined> {
    return this.#watch.changes(select, isSame);
  }

  /** Answers a pre-vote request of a peer; the network's receiving side calls it, and those that follow. */
  preVote(request: RpcRequest<PreVoteRequest>): Promise<RpcResponse<PreVoteResponse>> {
    return this.#peers.preVote(request);
  }

  /** Answers a vote request of a peer, once what the answer says is durable. */
  vote(request: RpcRequest<VoteRequest>): Promise<RpcResponse<VoteResponse>> {
    return this.#peers.vote(request);
  }

  /** Takes entries from a leader and answers once they are durable. */
  appendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
  ): Promise<RpcResponse<AppendEntriesResponse>> {
    return this.#peers.appendEntries(request);
  }

  /** The same without a promise: what comes of it goes to `caller`, within this call when the request is refused, and later otherwise. */
  callAppendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
    caller: RpcCaller<AppendEntriesResponse>,
  ): void {
    this.#peers.callAppendEntries(request, caller);
  }

  /** Takes a part of a snapshot from a leader, and says what it wants next. */
  installSnapshot(
    request: RpcRequest<InstallSnapshotRequest<C["Node"]>>,
  ): Promise<RpcResponse<InstallSnapshotResponse>> {
    return this.#peers.installSnapshot(request);
  }

  /** Takes the leadership over from the leader that asks. */
  timeoutNow(request: RpcRequest<TimeoutNowRequest>): Promise<RpcResponse<TimeoutNowResponse>> {
    return this.#peers.timeoutNow(request);
  }

  /** Answers a follower that wants to serve reads. */
  readIndex(request: RpcRequest<ReadIndexRequest>): Promise<RpcResponse<ReadIndexResponse>> {
    return this.#peers.readIndex(request);
  }

  /**
   * Stops the node: settles everything that waits, with `ShutdownError` or, where something may be in the log, `UnknownOutcomeError`.
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
}
