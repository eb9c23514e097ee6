import type { LogId } from "../log-id.js";
import { formatLogId } from "../log-id.js";
import type { NodeId } from "../node.js";
import { SeshatError } from "./seshat-error.js";

/** `initialize` was called on a node that already has a log, a vote or a membership. Nothing was changed. */
export class AlreadyInitializedError extends SeshatError {
  override readonly code = "alreadyInitialized";
  /** What the node has, e.g. `"a vote"`. */
  readonly found: string;

  constructor(found: string) {
    super(
      `this node is already initialized (it has ${found}): initialize is for a new cluster, once; to change its members use a membership change`,
    );
    this.found = found;
  }
}

/** `initialize` was called with a membership in which this node is no voter. Nothing was changed. */
export class NotAMemberError extends SeshatError {
  override readonly code = "notAMember";
  readonly nodeId: NodeId;

  constructor(nodeId: NodeId) {
    super(
      `node ${nodeId} is not a voter of the membership given to initialize: add it there, or call initialize on one of the voters`,
    );
    this.nodeId = nodeId;
  }
}

/** Another change of the membership is not finished. This one did nothing: try again once that one is. */
export class ChangeInProgressError extends SeshatError {
  override readonly code = "changeInProgress";
  /** The entry of the unfinished change; null while it waits for the leader's first commit. */
  readonly membershipLogId: LogId | null;

  constructor(membershipLogId: LogId | null) {
    super(
      `another membership change is not finished${membershipLogId === null ? "" : ` (entry ${formatLogId(membershipLogId)})`}: try again later`,
    );
    this.membershipLogId = membershipLogId;
  }
}

/** A change of the membership makes no sense. Nothing was changed. */
export class InvalidChangeError extends SeshatError {
  override readonly code = "invalidChange";
  /** Why. */
  readonly problem: string;

  constructor(problem: string) {
    super(`the membership cannot be changed so: ${problem}`);
    this.problem = problem;
  }
}

/** A change of the membership names a node that is no member. Nothing was changed. */
export class LearnerNotFoundError extends SeshatError {
  override readonly code = "learnerNotFound";
  readonly nodeId: NodeId;

  constructor(nodeId: NodeId) {
    super(`node ${nodeId} is not a member: add it as a learner first`);
    this.nodeId = nodeId;
  }
}

/**
 * A learner cannot become a voter yet: it does not answer, or is too far behind. Or a voter does not, and those that remain beside it could
 * decide nothing. Nothing was changed.
 */
export class LearnerLaggingError extends SeshatError {
  override readonly code = "learnerLagging";
  readonly nodeId: NodeId;
  /** Its log equals the leader's up to here. */
  readonly matchIndex: number;
  /** The end of the leader's log. */
  readonly lastIndex: number;

  constructor(nodeId: NodeId, matchIndex: number, lastIndex: number) {
    super(
      `node ${nodeId} cannot be counted on as a voter: it has the log up to ${matchIndex} of ${lastIndex}, or did not answer lately; wait until it has caught up, or allow it to lag`,
    );
    this.nodeId = nodeId;
    this.matchIndex = matchIndex;
    this.lastIndex = lastIndex;
  }
}
