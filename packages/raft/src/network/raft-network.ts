import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
  RaftTypeConfig,
  ReadIndexRequest,
  ReadIndexResponse,
  RpcRequest,
  RpcResponse,
  TimeoutNowRequest,
  TimeoutNowResponse,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";

/** Who made a request, and is told what came of it: at most one of the two is called, and once. */
export interface RpcCaller<T> {
  resolve(response: RpcResponse<T>): void;
  /** No answer can be had. */
  reject(error: Error): void;
}

/**
 * A connection from this node to one peer: hands a request over and brings its answer back.
 *
 * Rules, for whoever implements it:
 * - An answer belongs to its own request. Requests may arrive late, twice, out of order or never.
 * - A promise rejects when no answer can be had, whatever the reason; it never invents one. The caller has its own
 *   deadline, so a promise may also stay pending.
 * - The receiving side hands a request to the method of the same name of the addressed node's `Raft`, header and all.
 */
export interface RaftNetwork<C extends RaftTypeConfig> {
  preVote(request: RpcRequest<PreVoteRequest>): Promise<RpcResponse<PreVoteResponse>>;
  vote(request: RpcRequest<VoteRequest>): Promise<RpcResponse<VoteResponse>>;
  /**
   * Several may be on their way at once. One without entries is a heartbeat and must not wait behind those with: on a
   * slow link give it a way of its own.
   */
  appendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
  ): Promise<RpcResponse<AppendEntriesResponse>>;
  /**
   * Brings one part of a snapshot; the next is sent when this one is answered. It must not hold up the other calls, which
   * are small and urgent.
   */
  installSnapshot(
    request: RpcRequest<InstallSnapshotRequest<C["Node"]>>,
  ): Promise<RpcResponse<InstallSnapshotResponse>>;
  /** Asks a voter to take the leadership over. */
  timeoutNow(request: RpcRequest<TimeoutNowRequest>): Promise<RpcResponse<TimeoutNowResponse>>;
  /** Asks a leader for a read index. */
  readIndex(request: RpcRequest<ReadIndexRequest>): Promise<RpcResponse<ReadIndexResponse>>;
  /** Gives the connection up. Called once: when the peer is no longer a member, has moved, or this node shuts down. */
  close(): void;
}

/**
 * A connection that needs no promise of its own for each request with entries, which are the most frequent by far: what comes of it goes to
 * `caller`, never within the call. A node then uses this in place of `appendEntries`, which works all the same. The receiving side may
 * hand the request to either method of the addressed `Raft`.
 */
export interface CallbackRaftNetwork<C extends RaftTypeConfig> extends RaftNetwork<C> {
  callAppendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
    caller: RpcCaller<AppendEntriesResponse>,
  ): void;
}

/** Makes the connections of one node. */
export interface RaftNetworkFactory<C extends RaftTypeConfig> {
  /**
   * A connection to `target`, described by `node` in the membership. It returns at once; an address that cannot be
   * reached shows when a request is sent.
   */
  connect(target: NodeId, node: C["Node"]): RaftNetwork<C>;
}
