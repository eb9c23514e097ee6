import type { BasicNode, Membership, NodeId, SeshatError } from "@seshat/common";
import {
  AlreadyInitializedError,
  ChangeInProgressError,
  InvalidChangeError,
  LearnerLaggingError,
  LearnerNotFoundError,
  NotAMemberError,
  NotLeaderError,
  OverloadedError,
  PreconditionFailedError,
  QuorumNotEnoughError,
  SnapshotOutdatedError,
  StorageStalledError,
  TransferFailedError,
  TransferInProgressError,
} from "@seshat/common";
import type { Refusal } from "../engine/command.js";

/** The error that a caller gets for a refusal of the engine. */
export function refusalToError(refusal: Refusal, self: NodeId, membership: Membership<unknown>): SeshatError {
  switch (refusal.code) {
    case "notLeader": {
      const { leaderId } = refusal;
      return new NotLeaderError(
        leaderId,
        leaderId === null ? null : addressOf(membership.nodes.get(leaderId)),
      );
    }
    case "quorumNotEnough":
      return new QuorumNotEnoughError();
    case "overloaded":
      return new OverloadedError("entries", refusal.limit);
    case "preconditionFailed":
      return new PreconditionFailedError(refusal.found);
    case "changeInProgress":
      return new ChangeInProgressError(refusal.logId);
    case "invalidChange":
      return new InvalidChangeError(refusal.problem);
    case "learnerNotFound":
      return new LearnerNotFoundError(refusal.nodeId);
    case "learnerLagging":
      return new LearnerLaggingError(refusal.nodeId, refusal.matchIndex, refusal.lastIndex);
    case "transferInProgress":
      return new TransferInProgressError(refusal.target);
    case "transferFailed":
      return new TransferFailedError(refusal.target, refusal.reason);
    case "snapshotOutdated":
      return new SnapshotOutdatedError(refusal.snapshot, refusal.committed);
    case "storageStalled":
      return new StorageStalledError(refusal.verb);
    case "alreadyInitialized":
      return new AlreadyInitializedError(refusal.found);
    case "notAMember":
      return new NotAMemberError(self);
  }
}

/** The node as a hint to callers, if it says where it is. */
export function addressOf(node: unknown): BasicNode | null {
  const hasAddress =
    typeof node === "object" && node !== null && "addr" in node && typeof node.addr === "string";
  return hasAddress ? (node as BasicNode) : null;
}
