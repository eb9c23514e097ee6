import { SeshatError } from "@seshat/common";

/**
 * Why a store cannot be opened:
 * - `locked`: another process has it open, or this one already has;
 * - `damaged`: what was synced is not there any more, or not as it was;
 * - `unknown`: the directory holds something else, or a store of another version or kind;
 * - `addon`: the native part of RocksDB cannot be loaded on this machine;
 * - `io`: the disk refuses, e.g. because it is full or may only be read.
 */
export type UnusableReason = "locked" | "damaged" | "unknown" | "addon" | "io";

/** A store cannot be opened. Nothing that was synced has been changed or removed. */
export class UnusableStoreError extends SeshatError {
  override readonly code = "unusableStore";
  readonly reason: UnusableReason;
  /** The file or directory that is to blame. */
  readonly path: string;
  /** What is wrong with it. */
  readonly problem: string;

  constructor(reason: UnusableReason, path: string, problem: string, options?: ErrorOptions) {
    super(`the store cannot be opened: ${path}: ${problem}${ADVICE[reason]}`, options);
    this.reason = reason;
    this.path = path;
    this.problem = problem;
  }
}

const ADVICE: Readonly<Record<UnusableReason, string>> = {
  locked: "",
  damaged:
    ". What this node acknowledged may be lost: do not start it on what is left; erase the directory and let the node join as a new one",
  unknown: "",
  addon: "",
  io: "",
};

export function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // The addon says what happened in the cause.
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
