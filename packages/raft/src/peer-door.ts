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
import { NotLeaderError, QuorumNotEnoughError, StorageStalledError } from "@seshat/common";
import {
  checkAppendEntriesRequest,
  checkInstallSnapshotRequest,
  checkObject,
  checkReadIndexRequest,
  checkTimeoutNowRequest,
  checkVoteRequest,
} from "./check-message.js";
import type { RpcCaller } from "./network/raft-network.js";
import { toError } from "./runtime/failure.js";
import type { Runtime } from "./runtime/runtime.js";

/** Where the requests of peers come in: each is checked, whoever it says that it is from, before it reaches the engine. */
export class PeerDoor<C extends RaftTypeConfig> {
  readonly #id: NodeId;
  readonly #runtime: Runtime<C>;

  constructor(id: NodeId, runtime: Runtime<C>) {
    this.#id = id;
    this.#runtime = runtime;
  }

  preVote(request: RpcRequest<PreVoteRequest>): Promise<RpcResponse<PreVoteResponse>> {
    return attempt(() => {
      this.#checkSender("preVote", request);
      checkVoteRequest("preVote", request, this.#id);
      this.#checkId("preVote.candidateId", request.candidateId, request);
      this.#checkTerm("preVote.term", request.term, request);
      return this.#runtime.preVote((rpcId) => ({ type: "preVoteRequest", rpcId, request }));
    });
  }

  vote(request: RpcRequest<VoteRequest>): Promise<RpcResponse<VoteResponse>> {
    return attempt(() => {
      this.#checkSender("vote", request);
      checkVoteRequest("vote", request, this.#id);
      this.#checkId("vote.candidateId", request.candidateId, request);
      this.#checkTerm("vote.term", request.term, request);
      return this.#runtime.vote((rpcId) => ({ type: "voteRequest", rpcId, request }));
    });
  }

  appendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
  ): Promise<RpcResponse<AppendEntriesResponse>> {
    return attempt(() => {
      this.#checkAppendEntries(request);
      return this.#runtime.appendEntries(request);
    });
  }

  callAppendEntries(
    request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>,
    caller: RpcCaller<AppendEntriesResponse>,
  ): void {
    try {
      this.#checkAppendEntries(request);
    } catch (thrown) {
      caller.reject(toError(thrown));
      return;
    }
    this.#runtime.callAppendEntries(request, caller);
  }

  installSnapshot(
    request: RpcRequest<InstallSnapshotRequest<C["Node"]>>,
  ): Promise<RpcResponse<InstallSnapshotResponse>> {
    return attempt(() => {
      this.#checkSender("installSnapshot", request);
      checkInstallSnapshotRequest(request, this.#id);
      this.#checkId("installSnapshot.leaderId", request.leaderId, request);
      this.#checkTerm("installSnapshot.term", request.term, request);
      return this.#runtime.installSnapshot(request);
    });
  }

  timeoutNow(request: RpcRequest<TimeoutNowRequest>): Promise<RpcResponse<TimeoutNowResponse>> {
    return attempt(() => {
      this.#checkSender("timeoutNow", request);
      checkTimeoutNowRequest(request, this.#id);
      this.#checkId("timeoutNow.leaderId", request.leaderId, request);
      this.#checkTerm("timeoutNow.term", request.term, request);
      return this.#runtime.timeoutNow((rpcId) => ({ type: "timeoutNowRequest", rpcId, request }));
    });
  }

  async readIndex(request: RpcRequest<ReadIndexRequest>): Promise<RpcResponse<ReadIndexResponse>> {
    this.#checkSender("readIndex", request);
    checkReadIndexRequest(request);
    // Where leases are off none is ever held, and a quorum is asked all the same.
    const policy = request.lease ? "lease" : "readIndex";
    // Who was removed and was not told gets no more entries: it would wait for the index without end.
    if (!this.#runtime.passport.isMember(request.header.from)) return this.#signed({ readIndex: null });
    try {
      return this.#signed({ readIndex: await this.#runtime.read(policy, true) });
    } catch (error) {
      if (isNoLeader(error)) return this.#signed({ readIndex: null });
      throw error;
    }
  }

  #checkAppendEntries(request: RpcRequest<AppendEntriesRequest<C["D"], C["Node"]>>): void {
    this.#checkSender("appendEntries", request);
    checkAppendEntriesRequest(request, this.#id);
    this.#checkId("appendEntries.leaderId", request.leaderId, request);
    this.#checkTerm("appendEntries.term", request.term, request);
  }

  #checkSender(name: string, request: RpcRequest<unknown>): void {
    checkObject(name, request);
    this.#runtime.passport.checkRequest(request.header);
  }

  /** A request speaks for its sender, and for nobody else. */
  #checkId(field: string, id: NodeId, { header }: RpcRequest<unknown>): void {
    this.#runtime.passport.checkAuthor(field, id, header);
  }

  #checkTerm(field: string, term: number, { header }: RpcRequest<unknown>): void {
    this.#runtime.terms.check(field, term, header.from);
  }

  #signed<T>(response: T): RpcResponse<T> {
    return { ...response, header: this.#runtime.passport.response };
  }
}

/** What is refused at the door rejects, as what is refused inside does; without the turns that an async function takes. */
function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (thrown) {
    return Promise.reject(toError(thrown));
  }
}

function isNoLeader(error: unknown): boolean {
  return (
    error instanceof NotLeaderError ||
    error instanceof QuorumNotEnoughError ||
    error instanceof StorageStalledError
  );
}
