import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  NodeId,
  PreVoteRequest,
  PreVoteResponse,
  RaftTypeConfig,
  VoteRequest,
  VoteResponse,
} from "@seshat/common";

/**
 * A connection from this node to one peer: hands a request over and brings its answer back.
 *
 * Rules, for whoever implements it:
 * - An answer belongs to its own request. Requests may arrive late, twice, out of order or never.
 * - A promise rejects when no answer can be had, whatever the reason; it never invents one. The caller has its own
 *   deadline, so a promise may also stay pending.
 * - The receiving side hands a request to `Raft.preVote`, `Raft.vote` or `Raft.appendEntries` of the addressed node.
 */
export interface RaftNetwork<C extends RaftTypeConfig> {
  preVote(request: PreVoteRequest): Promise<PreVoteResponse>;
  vote(request: VoteRequest): Promise<VoteResponse>;
  /** Several may be on their way at once. */
  appendEntries(request: AppendEntriesRequest<C["D"], C["Node"]>): Promise<AppendEntriesResponse>;
  /** Gives the connection up. Called once, when the peer is no longer a member or this node shuts down. */
  close(): void;
}

/** Makes the connections of one node. */
export interface RaftNetworkFactory<C extends RaftTypeConfig> {
  /**
   * A connection to `target`, described by `node` in the membership. It returns at once; an address that cannot be
   * reached shows when a request is sent.
   */
  connect(target: NodeId, node: C["Node"]): RaftNetwork<C>;
}
