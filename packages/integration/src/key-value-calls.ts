import type { Request, Response } from "@seshat/common";
import type { ClientWriteResponse } from "@seshat/raft";
import type { KeyValueStateMachine, Operation, OperationLimits } from "@seshat/storage";
import { checkOperation, encodeOperation } from "@seshat/storage";
import { CommandRefusedError } from "./errors.js";

/** What the key-value clusters have in common: how their calls become commands and answers. */

const NO_VALUE = new Uint8Array(0);
const DECODER = new TextDecoder();

/** The command that carries out an operation. @throws {OperationTooLargeError} when it passes a limit. */
export function requestOf(operation: Operation, limits: OperationLimits): Request {
  checkOperation(operation, limits);
  return { data: encodeOperation(operation) };
}

/** An operation on the key that is read, so that reads and writes have the same limits. */
export function readingKey(key: Uint8Array): Operation {
  return { type: "set", key, value: NO_VALUE };
}

/** An operation on the keys that are read, as {@link readingKey}. */
export function readingKeys(keys: readonly Uint8Array[]): Operation {
  return { type: "del", keys };
}

/** What was written. @throws {CommandRefusedError} when the state machine refused it. */
export function accepted(written: ClientWriteResponse<Response>): ClientWriteResponse<Response> {
  if (written.response.error !== null) throw new CommandRefusedError(written.response.error);
  return written;
}

/** How many keys a del removed. */
export function countOf({ response }: ClientWriteResponse<Response>): number {
  return Number(DECODER.decode(response.result));
}

/** How many of `keys` are there; one given twice counts twice. */
export function countPresent(stateMachine: KeyValueStateMachine, keys: readonly Uint8Array[]): number {
  return keys.filter((key) => stateMachine.has(key)).length;
}
