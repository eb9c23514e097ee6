import type { NodeId } from "../node.js";
import { SeshatError } from "./seshat-error.js";
import { MAX_CODE_LENGTH, cut } from "./wire-text.js";

/** The peer could not be reached: nothing is known of what it did, and nothing was promised by it. */
export class UnreachableError extends SeshatError {
  override readonly code = "unreachable";
  readonly target: NodeId;
  /** What went wrong on the way. */
  readonly why: string;

  constructor(target: NodeId, why: string, options?: ErrorOptions) {
    super(`node ${target} is unreachable: ${why}`, options);
    this.target = target;
    this.why = why;
  }
}

/** A message was not meant for this node, or its sender is not who the membership says. It was refused, and had no effect. */
export class ForeignNodeError extends SeshatError {
  override readonly code = "foreignNode";
  /** Why, e.g. that the sender belongs to another cluster. */
  readonly problem: string;

  constructor(problem: string) {
    super(`the message was refused: ${problem}`);
    this.problem = problem;
  }
}

/**
 * The other side failed in a way that this one has no class for: with an error of an application, of another version, or one
 * that came damaged. What it did before is as unknown as after an `UnknownOutcomeError`.
 */
export class RemoteError extends SeshatError {
  override readonly code = "remote";
  /** The code that the other side gave, at most 64 UTF-16 units of it. Whatever it is, it promises nothing. */
  readonly remoteCode: string;

  /** @param message what the other side said; at most 4096 UTF-16 units of it are kept. */
  constructor(remoteCode: string, message: string, options?: ErrorOptions) {
    super(cut(message), options);
    this.remoteCode = cut(remoteCode, MAX_CODE_LENGTH);
  }
}
