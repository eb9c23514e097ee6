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
    super(`the store cannot be opened: ${path}: ${problem}${adviceOn(reason, problem)}`, options);
    this.reason = reason;
    this.path = path;
    this.problem = problem;
  }
}

/** What to do. */
function adviceOn(reason: UnusableReason, problem: string): string {
  switch (reason) {
    case "locked":
      return "; end that process, or give this node a directory of its own";
    case "damaged":
      return "; what this node acknowledged may be lost: do not start it on what is left; erase the directory and let the node join as a new one";
    case "unknown":
      return "; give the node an empty directory, or the one that it had, with the version and the kind of state machine that it had";
    case "io":
      if (/no space|ENOSPC/i.test(problem))
        return "; make room on this disk, and start again: nothing is lost";
      if (/read-only|permission|EROFS|EACCES|EPERM/i.test(problem))
        return "; this process has to be able to write there";
      return "";
    case "addon":
      return "";
  }
}

export function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // The addon says what happened in the cause.
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
