import type { TypeConfig } from "./raft-type-config.js";

/** A command as bytes: what {@link BytesTypeConfig} replicates. */
export interface Request {
  readonly data: Uint8Array;
}

/** Why a state machine refused a committed command. */
export interface CommandError {
  /** A stable word for programs, e.g. `"malformedOperation"`. */
  readonly code: string;
  /** A sentence for people. */
  readonly message: string;
}

/**
 * What applying a {@link Request} answered. A command that the state machine refuses is an answer
 * like any other: it is the same on every node, and never stops one.
 */
export interface Response {
  /** The result; empty when `error` is set. */
  readonly result: Uint8Array;
  readonly error: CommandError | null;
}

/** Byte commands in, byte responses out. */
export type BytesTypeConfig = TypeConfig<Request, Response>;
