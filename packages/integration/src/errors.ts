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
