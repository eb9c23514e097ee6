import type { CommandError, NodeId } from "@seshat/common";
import { SeshatError } from "@seshat/common";

/** The cluster is being restarted. The call did nothing: make it again once `restart()` has resolved. */
export class RestartingError extends SeshatError {
  override readonly code = "restarting";

  constructor() {
    super("the node is being restarted: the call did nothing, make it again when the restart is done");
  }
}

/** The state machine refused a command that was committed. Nothing has changed. */
export class CommandRefusedError extends SeshatError {
  override readonly code = "commandRefused";
  /** Why, as the state machine said it. */
  readonly refusal: CommandError;

  constructor(refusal: CommandError) {
    super(`the state machine refused the command: ${refusal.message}`);
    this.refusal = refusal;
  }
}

/** The node does not run: it was killed, and not started again. The call did nothing. */
export class NodeDownError extends SeshatError {
  override readonly code = "nodeDown";
  readonly nodeId: NodeId;

  constructor(nodeId: NodeId) {
    super(`node ${nodeId} is down: restart it first`);
    this.nodeId = nodeId;
  }
}

/** There is such a node, and it votes already. Nothing was changed. */
export class NodeExistsError extends SeshatError {
  override readonly code = "nodeExists";
  readonly nodeId: NodeId;

  constructor(nodeId: NodeId) {
    super(`node ${nodeId} is a voter already: choose another number, or remove it first`);
    this.nodeId = nodeId;
  }
}

/** The node is the only one that votes: without it there would be no cluster. Nothing was changed. */
export class LastVoterError extends SeshatError {
  override readonly code = "lastVoter";
  readonly nodeId: NodeId;

  constructor(nodeId: NodeId) {
    super(`node ${nodeId} is the last voter, and cannot be removed: add another node first`);
    this.nodeId = nodeId;
  }
}

/** What became of a node whose addition failed half-way, in words. */
const LEFT: Readonly<Record<NodeNotAddedError["left"], string>> = {
  learner: "it runs and is a learner now",
  unknown: "it runs, and it is not known what it will be",
};

/** The addition of a node failed half-way. The node is there: add it again to go on, or remove it to undo what was done. */
export class NodeNotAddedError extends SeshatError {
  override readonly code = "nodeNotAdded";
  readonly nodeId: NodeId;
  /** What it is now. */
  readonly left: "learner" | "unknown";

  constructor(nodeId: NodeId, left: "learner" | "unknown", cause: Error) {
    super(
      `node ${nodeId} did not become a voter (${cause.message}); ${LEFT[left]}: add it again to go on, or remove it`,
      { cause },
    );
    this.nodeId = nodeId;
    this.left = left;
  }
}

/** It is not known whether the node is removed, now or later. The node runs on: remove it again to make sure. */
export class NodeNotRemovedError extends SeshatError {
  override readonly code = "nodeNotRemoved";
  readonly nodeId: NodeId;

  constructor(nodeId: NodeId, cause: Error) {
    super(
      `it is not known whether node ${nodeId} is removed (${cause.message}); it runs on: when a majority of those before and of those after can be reached, remove it again`,
      { cause },
    );
    this.nodeId = nodeId;
  }
}
