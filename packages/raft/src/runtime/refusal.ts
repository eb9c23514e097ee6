import type { BasicNode, Membership, NodeId, SeshatError } from "@seshat/common";
import {
  AlreadyInitializedError,
  NotAMemberError,
  NotLeaderError,
  OverloadedError,
  PreconditionFailedError,
  QuorumNotEnoughError,
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
    case "alreadyInitialized":
      return new AlreadyInitializedError(refusal.found);
    case "notAMember":
      return new NotAMemberError(self);
  }
}

/** The node as a hint to callers, if it says where it is. */
function addressOf(node: unknown): BasicNode | null {
  const hasAddress =
    typeof node === "object" && node !== null && "addr" in node && typeof node.addr === "string";
  return hasAddress ? (node as BasicNode) : null;
}
