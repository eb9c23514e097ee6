import type { AppendEntriesRequest, AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { MaybePromise, RaftLogReader } from "@seshat/storage";
import { checkAppendEntriesResponse, checkVoteResponse } from "../check-message.js";
import type { SendAppendEntriesCommand, SendPreVoteCommand, SendVoteCommand } from "../engine/command.js";
import type { Event } from "../engine/event.js";
import type { RaftNetwork, RaftNetworkFactory } from "../network/raft-network.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";
import type { LogCache } from "./log-cache.js";
import { isPending } from "./maybe-promise.js";

/** What the sender works with. */
export interface SenderParts<C extends RaftTypeConfig> {
  readonly id: NodeId;
  readonly network: RaftNetworkFactory<C>;
  readonly reader: RaftLogReader<C>;
  readonly cache: LogCache;
  readonly runtime: AsyncRuntime;
  readonly instruments: Instruments;
  /** How long an answer may take before the request counts as lost. */
  readonly rpcTimeoutMs: number;
  /** How the membership in force describes a peer. */
  describe(id: NodeId): C["Node"] | undefined;
  /** True while this node leads `term`: what it reads from its log is what it meant to send. */
  leads(term: number): boolean;
  emit(event: Event): void;
}

/** Sends requests to peers and turns every answer, or the lack of one, into an event. */
export class Sender<C extends RaftTypeConfig> {
  readonly #parts: SenderParts<C>;
  readonly #connections = new Map<NodeId, RaftNetwork<C>>();

  constructor(parts: SenderParts<C>) {
    this.#parts = parts;
  }

  preVote(command: SendPreVoteCommand): void {
    const { to, request } = command;
    this.#call(to, "preVote", (peer) => peer.preVote(request), checkVoteResponse).then(
      (response) =>
        this.#parts.emit({ type: "preVoteResponse", from: to, requestTerm: request.term, response }),
      () => {},
    );
  }

  vote(command: SendVoteCommand): void {
    const { to, request } = command;
    this.#call(to, "vote", (peer) => peer.vote(request), checkVoteResponse).then(
      (response) => this.#parts.emit({ type: "voteResponse", from: to, requestTerm: request.term, response }),
      () => {},
    );
  }

  appendEntries(command: SendAppendEntriesCommand): void {
    const { to, seq, term } = command;
    const failed = (): void =>
      this.#parts.emit({ type: "appendEntriesFailed", from: to, requestTerm: term, seq });
    const send = (entries: readonly C["Entry"][]): void => {
      if (!this.#parts.leads(term)) return;
      const request = {
        term,
        leaderId: this.#parts.id,
        prevLogId: command.prevLogId,
        entries,
        leaderCommit: command.leaderCommit,
      } as AppendEntriesRequest<C["D"], C["Node"]>;
      this.#call(to, "appendEntries", (peer) => peer.appendEntries(request), checkAppendEntriesResponse).then(
        (response) =>
          this.#parts.emit({ type: "appendEntriesResponse", from: to, requestTerm: term, seq, response }),
        failed,
      );
    };
    const unread = (thrown: unknown): void => {
      // The entries may have been purged in the meantime: the next attempt starts from what is left.
      this.#parts.instruments.log("warn", "raft.read.failed", { peer: to, error: toError(thrown).message });
      failed();
    };
    try {
      const entries = this.#read(command.prevLogId.index + 1, command.upto);
      if (isPending(entries)) entries.then(send, unread);
      else send(entries);
    } catch (thrown) {
      unread(thrown);
    }
  }

  /** Gives up the connections to nodes for which `isMember` is false. */
  retain(isMember: (id: NodeId) => boolean): void {
    for (const [id, connection] of this.#connections) {
      if (isMember(id)) continue;
      this.#connections.delete(id);
      connection.close();
    }
  }

  #read(since: number, upto: number): MaybePromise<readonly C["Entry"][]> {
    if (since > upto) return [];
    return this.#parts.cache.slice(since, upto) ?? this.#parts.reader.readEntries(since, upto);
  }

  /** Makes one call with a deadline. The promise rejects when there is no answer that makes sense; that is logged here. */
  #call<T>(
    to: NodeId,
    rpc: string,
    call: (peer: RaftNetwork<C>) => Promise<T>,
    check: (response: T) => void,
  ): Promise<T> {
    const { runtime, rpcTimeoutMs, instruments } = this.#parts;
    return new Promise<T>((resolve, reject) => {
      const fail = (thrown: unknown): void => {
        timer.cancel();
        const error = toError(thrown);
        instruments.log("debug", "raft.rpc.failed", { peer: to, rpc, error: error.message });
        reject(error);
      };
      const timer = runtime.setTimer(rpcTimeoutMs, () =>
        fail(new UnreachableError(to, `no answer within ${rpcTimeoutMs} ms`)),
      );
      try {
        call(this.#connection(to))
          .then((response) => {
            check(response);
            timer.cancel();
            resolve(response);
          })
          .catch(fail);
      } catch (thrown) {
        fail(thrown);
      }
    });
  }

  #connection(to: NodeId): RaftNetwork<C> {
    const existing = this.#connections.get(to);
    if (existing !== undefined) return existing;
    const node = this.#parts.describe(to);
    if (node === undefined) throw new UnreachableError(to, "it is not a member");
    const connection = this.#parts.network.connect(to, node);
    this.#connections.set(to, connection);
    return connection;
  }
}
