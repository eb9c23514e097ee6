import type { LogId, SessionCommand } from "@seshat/common";
import { InvalidValueError, checkInteger } from "@seshat/common";
import { checkLogId, checkObject, checkSession } from "./check-message.js";
import { checkTimeoutMs } from "./config.js";
import type { ReadPolicy, WriteExpectation } from "./engine/event.js";
import type { Patience } from "./runtime/patience.js";

/** How a write is made. Everything may be left out. */
export interface WriteOptions extends Patience {
  /** Append only while this node leads this term; otherwise `PreconditionFailedError`. */
  readonly leaderTerm?: number;
  /** Append only while the membership in force is the one of this entry; otherwise `PreconditionFailedError`. */
  readonly membershipLogId?: LogId;
}

/** How a write is made that takes effect once, however often it is sent. */
export interface SessionWriteOptions extends WriteOptions {
  /** The session, and which of its commands this is. The same command has the same number wherever and whenever it is sent. */
  readonly session?: SessionCommand;
}

/** How a session is opened. */
export interface OpenSessionOptions extends Patience {
  /** The session ends once this many entries were applied since it was last used, at least 1. Default 100,000. */
  readonly expiresAfter?: number;
}

/** How a linearizable read is confirmed. */
export interface ReadOptions extends Patience {
  /**
   * `readIndex` asks a quorum. `lease` goes by the leader's lease where it holds one, and needs `config.leaderLease`; it
   * trusts that no clock drifts more than `config.maxClockDriftMs`. Default `readIndex`.
   */
  readonly policy?: ReadPolicy;
}

export const DEFAULT_SESSION_EXPIRY = 100_000;

/** @throws {InvalidValueError} that names the field. */
export function checkWriteOptions(options: SessionWriteOptions): void {
  checkPatience(options);
  if (options.leaderTerm !== undefined) checkInteger("options.leaderTerm", options.leaderTerm, 1);
  if (options.membershipLogId !== undefined) checkLogId("options.membershipLogId", options.membershipLogId);
  checkSession("options.session", options.session);
}

/** @throws {InvalidValueError} when there is a session where it would not count. */
export function checkNoSession(options: SessionWriteOptions): void {
  if (options.session === undefined) return;
  throw new InvalidValueError("options.session", options.session, "left out: it numbers single commands");
}

/** @throws {InvalidValueError} that names the field. */
export function checkPatience(options: Patience): void {
  checkObject("options", options);
  checkSignal("options.signal", options.signal);
  if (options.timeoutMs !== undefined) checkTimeoutMs("options.timeoutMs", options.timeoutMs);
}

function checkSignal(field: string, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  checkObject(field, signal);
  if (typeof signal.aborted !== "boolean" || typeof signal.addEventListener !== "function")
    throw new InvalidValueError(field, signal, "an AbortSignal");
}

/** @throws {InvalidValueError} when it is none. */
export function checkArray(field: string, value: unknown): void {
  if (!Array.isArray(value)) throw new InvalidValueError(field, value, "an array of commands");
}

/** What the options expect of the leader; null when they expect nothing. */
export function expectationOf({ leaderTerm, membershipLogId }: WriteExpectation): WriteExpectation | null {
  if (leaderTerm === undefined && membershipLogId === undefined) return null;
  return {
    ...(leaderTerm === undefined ? {} : { leaderTerm }),
    ...(membershipLogId === undefined ? {} : { membershipLogId }),
  };
}

/** @throws {InvalidValueError} when the policy is none, or needs leases where they are off. */
export function checkReadPolicy(policy: ReadPolicy, leaderLease: boolean): void {
  if (policy !== "readIndex" && policy !== "lease") {
    throw new InvalidValueError("options.policy", policy, '"readIndex" or "lease"');
  }
  if (policy === "lease" && !leaderLease) {
    throw new InvalidValueError(
      "options.policy",
      policy,
      '"readIndex" unless config.leaderLease is true on every node',
    );
  }
}
