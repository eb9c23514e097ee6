import type {
  AppendEntriesResponse,
  InstallSnapshotResponse,
  LogId,
  Membership,
  PreVoteResponse,
  RpcResponse,
  SeshatError,
  TimeoutNowResponse,
  UnknownOutcomeError,
  VoteResponse,
} from "@seshat/common";
import { OverloadedError } from "@seshat/common";
import { PendingRequests, RequestIds } from "./pending-requests.js";

/** A membership change that is committed, whole. */
export interface ChangeMembershipResponse<N> {
  /** Its last entry. */
  readonly logId: LogId;
  readonly membership: Membership<N>;
}

/** Everybody but the writers and readers who waits for a command of the engine. */
export class Callers {
  readonly preVotes: PendingRequests<RpcResponse<PreVoteResponse>> = new PendingRequests();
  readonly votes: PendingRequests<RpcResponse<VoteResponse>> = new PendingRequests();
  readonly appends: PendingRequests<RpcResponse<AppendEntriesResponse>> = new PendingRequests();
  readonly installs: PendingRequests<RpcResponse<InstallSnapshotResponse>> = new PendingRequests();
  readonly takeOvers: PendingRequests<RpcResponse<TimeoutNowResponse>> = new PendingRequests();
  readonly #ids = new RequestIds();
  /** Answered by a `reply` or a `snapshotReady`. What they ask for changes nothing that lasts. */
  readonly replies: PendingRequests<void> = new PendingRequests(this.#ids);
  /** Answered by a `reply`, a `membershipChanged` or an `abandonChange`: what they ask for goes into the log, or takes its place. */
  readonly changes: PendingRequests<ChangeMembershipResponse<unknown> | null> = new PendingRequests(
    this.#ids,
  );
  readonly #limit: number;

  /** @param limit how many of each kind may wait at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Why another one of a kind may not wait; null when it may. */
  tooMany(requests: PendingRequests<unknown>): OverloadedError | null {
    return requests.size < this.#limit ? null : new OverloadedError("requests", this.#limit);
  }

  /** What was asked for is done, or with an error it is not. */
  reply(requestId: number, error: Error | null): void {
    const change = this.changes.take(requestId);
    const request = this.replies.take(requestId);
    if (error === null) {
      change?.resolve(null);
      request?.resolve();
    } else {
      change?.reject(error);
      request?.reject(error);
    }
  }

  /** Nobody gets an answer any more. Whose request may have taken effect is told so. */
  rejectAll(refusal: SeshatError, unknownOutcome: UnknownOutcomeError): void {
    const { preVotes, votes, appends, installs, takeOvers, replies, changes } = this;
    for (const requests of [preVotes, votes, appends, installs, takeOvers, replies])
      requests.rejectAll(refusal);
    changes.rejectAll(unknownOutcome);
  }
}
