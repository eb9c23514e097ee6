import type { BasicNode, NodeId } from "../node.js";
import { SeshatError } from "./seshat-error.js";

/** This node is not the leader. The write was not appended and is safe to send again, elsewhere. */
export class NotLeaderError extends SeshatError {
  override readonly code = "notLeader";
  /** The leader as far as this node knows, or null. */
  readonly leaderId: NodeId | null;
  /** How the membership describes that leader, or null. */
  readonly leaderNode: BasicNode | null;

  constructor(leaderId: NodeId | null, leaderNode: BasicNode | null) {
    super(
      leaderId === null
        ? "this node is not the leader, and knows of none yet: try again after an election"
        : `this node is not the leader: ask node ${leaderId}${leaderNode === null ? "" : ` at ${leaderNode.addr}`}`,
    );
    this.leaderId = leaderId;
    this.leaderNode = leaderNode;
  }
}

/**
 * This node led, and no quorum answers it any more, so it stepped down. The write was not appended and is safe to send
 * again; the read was not served.
 */
export class QuorumNotEnoughError extends SeshatError {
  override readonly code = "quorumNotEnough";

  constructor() {
    super(
      "this node has lost touch with the majority, and no leader is known: try again, here or on another node",
    );
  }
}

/** The leader is handing over to another node. The write was not appended: send it again in a moment, to the new leader. */
export class TransferInProgressError extends SeshatError {
  override readonly code = "transferInProgress";
  /** Who is to lead. */
  readonly target: NodeId;

  constructor(target: NodeId) {
    super(`this node is handing the leadership over to node ${target}: try again in a moment`);
    this.target = target;
  }
}

/** The leadership was not handed over to the node that was asked for. */
export class TransferFailedError extends SeshatError {
  override readonly code = "transferFailed";
  readonly target: NodeId;
  /** Why: `timeout` when the target did not take over in time, and this node leads on unless it was deposed meanwhile. */
  readonly reason: "timeout" | "otherLeader" | "notAVoter";

  constructor(target: NodeId, reason: "timeout" | "otherLeader" | "notAVoter") {
    super(`node ${target} did not become the leader: ${TRANSFER_REASON[reason]}`);
    this.target = target;
    this.reason = reason;
  }
}

const TRANSFER_REASON: Readonly<Record<TransferFailedError["reason"], string>> = {
  timeout: "it did not take over in time",
  otherLeader: "another node was elected",
  notAVoter: "it does not vote",
};
