import type {
  AsyncRuntime,
  BasicNode,
  BytesTypeConfig,
  Logger,
  LogId,
  NodeId,
  Request,
  Response,
  Tracer,
} from "@seshat/common";
import type { OpenRaftMemStorage } from "@seshat/storage";
import { until } from "./condition.js";
import type { RaftConfig } from "./config.js";
import type { MembershipChange } from "./engine/event.js";
import type {
  AddLearnerOptions,
  ChangeMembershipOptions,
  InitializeOptions,
  TransferLeaderOptions,
} from "./membership-options.js";
import type { RaftNetworkFactory } from "./network/raft-network.js";
import { StubNetwork } from "./network/stub-network.js";
import { Raft } from "./raft.js";
import type { ChangeMembershipResponse } from "./runtime/callers.js";
import type { ClientWriteResponse } from "./runtime/clients.js";
import type { RaftMetrics } from "./runtime/metrics.js";
import type { OpenSessionOptions, ReadOptions, SessionWriteOptions, WriteOptions } from "./write-options.js";

/** What a {@link RaftNode} is made of. */
export interface RaftNodeOptions {
  /** Names this node for ever. */
  readonly id: NodeId;
  /** Its vote, log and data: the in-memory storage over the application's state machine of bytes. */
  readonly storage: OpenRaftMemStorage<BytesTypeConfig>;
  /** How it reaches its peers. Default: `StubNetwork`, for a cluster of one. */
  readonly network?: RaftNetworkFactory<BytesTypeConfig>;
  readonly config?: Partial<RaftConfig>;
  readonly runtime?: AsyncRuntime;
  readonly logger?: Logger;
  readonly tracer?: Tracer;
  /** Check the invariants of Raft after every step. Default false; for tests. */
  readonly checkInvariants?: boolean;
}

/** A Raft node that replicates byte commands over in-memory storage: `Raft` with everything already chosen. */
export class RaftNode {
  readonly raft: Raft<BytesTypeConfig>;
  readonly storage: OpenRaftMemStorage<BytesTypeConfig>;

  private constructor(raft: Raft<BytesTypeConfig>, storage: OpenRaftMemStorage<BytesTypeConfig>) {
    this.raft = raft;
    this.storage = storage;
  }

  /** Starts a node from what `storage` holds. Errors as {@link Raft.create}. */
  static async start(options: RaftNodeOptions): Promise<RaftNode> {
    const { storage, logger } = options;
    const network = options.network ?? new StubNetwork<BytesTypeConfig>(logger);
    return new RaftNode(
      await Raft.create<BytesTypeConfig>({ ...options, stateMachine: storage.stateMachine, network }),
      storage,
    );
  }

  get id(): NodeId {
    return this.raft.id;
  }

  /** Founds a cluster. See {@link Raft.initialize}. */
  initialize(nodes: Iterable<readonly [NodeId, BasicNode]>, options?: InitializeOptions): Promise<void> {
    return this.raft.initialize(nodes, options);
  }

  /** Replicates a command given as bytes and applies it. Options and errors as {@link Raft.clientWrite}. */
  async propose(data: Uint8Array, options?: SessionWriteOptions): Promise<Response> {
    // The log keeps what it is given, and the caller may use its buffer again.
    return (await this.raft.clientWrite({ data: new Uint8Array(data) }, options)).response;
  }

  /** Replicates a command and applies it. See {@link Raft.clientWrite}. */
  clientWrite(request: Request, options?: SessionWriteOptions): Promise<ClientWriteResponse<Response>> {
    return this.raft.clientWrite(request, options);
  }

  /** Replicates several commands in one append and applies them. See {@link Raft.clientWriteMany}. */
  clientWriteMany(
    requests: readonly Request[],
    options?: WriteOptions,
  ): Promise<ClientWriteResponse<Response>[]> {
    return this.raft.clientWriteMany(requests, options);
  }

  /** Replicates a command and tells nobody what became of it. See {@link Raft.submit}. */
  submit(request: Request): void {
    this.raft.submit(request);
  }

  /** Opens a session, in which commands take effect once. See {@link Raft.openSession}. */
  openSession(options?: OpenSessionOptions): Promise<number> {
    return this.raft.openSession(options);
  }

  /** Waits until a local read is linearizable. See {@link Raft.ensureLinearizable}. */
  ensureLinearizable(options?: ReadOptions): Promise<LogId> {
    return this.raft.ensureLinearizable(options);
  }

  /** Makes a node a learner. See {@link Raft.addLearner}. */
  addLearner(
    id: NodeId,
    node: BasicNode,
    options?: AddLearnerOptions,
  ): Promise<ChangeMembershipResponse<BasicNode>> {
    return this.raft.addLearner(id, node, options);
  }

  /** Changes who belongs to the cluster. See {@link Raft.changeMembership}. */
  changeMembership(
    change: MembershipChange<BasicNode> | Iterable<NodeId>,
    options?: ChangeMembershipOptions,
  ): Promise<ChangeMembershipResponse<BasicNode>> {
    return this.raft.changeMembership(change, options);
  }

  /** Hands the leadership over. See {@link Raft.transferLeader}. */
  transferLeader(options?: TransferLeaderOptions): Promise<void> {
    return this.raft.transferLeader(options);
  }

  /** True when this node believes that it leads. */
  isLeader(): boolean {
    return this.raft.isLeader();
  }

  /** The leader as far as this node knows, or null. */
  leaderId(): NodeId | null {
    return this.raft.leaderId();
  }

  /** What this node knows of itself now. */
  metrics(): RaftMetrics<BasicNode> {
    return this.raft.metrics();
  }

  /** Takes a snapshot of everything applied so far. @returns once it is kept, with the last log id it holds. */
  triggerSnapshot(): Promise<LogId> {
    return this.raft.trigger.snapshot();
  }

  /** Waits until this node knows of a leader. @param timeoutMs default 5000. @throws {TimeoutError} */
  async waitForLeader(timeoutMs = 5000): Promise<NodeId> {
    const metrics = await this.raft.wait(until.leader(), timeoutMs);
    return metrics.currentLeader as NodeId;
  }

  /** Stops the node. See {@link Raft.shutdown}. */
  shutdown(): Promise<void> {
    return this.raft.shutdown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}
