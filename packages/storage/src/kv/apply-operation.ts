import type { Request, Response } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { fromByteString, toByteString } from "./byte-string.js";
import type { Operation } from "./operation.js";
import { decodeOperation } from "./operation-codec.js";

const EMPTY_RESULT = new Uint8Array(0);

/** Values by key, the keys as `toByteString` makes them. */
export interface KeyValueMap {
  set(key: string, value: Uint8Array): void;
  /** @returns true when the key was there. */
  delete(key: string): boolean;
}

/**
 * Carries a command of the key-value state machine out on `entries`. What does not decode has no effect but its answer.
 *
 * @param decode `viewOperation` where `entries` keeps no value longer than the request: it is given parts of that.
 */
export function applyOperation(
  entries: KeyValueMap,
  request: Request,
  decode: (bytes: Uint8Array) => Operation = decodeOperation,
): Response {
  let operation: Operation;
  try {
    operation = decode(request.data);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { result: EMPTY_RESULT, error: { code: "malformedOperation", message: error.message } };
  }
  return { result: fromByteString(carryOut(entries, operation)), error: null };
}

function carryOut(entries: KeyValueMap, operation: Operation): string {
  switch (operation.type) {
    case "set":
      entries.set(toByteString(operation.key), operation.value);
      return "OK";
    case "del": {
      let deleted = 0;
      for (const key of operation.keys) if (entries.delete(toByteString(key))) deleted += 1;
      return String(deleted);
    }
    default:
      return operation satisfies never;
  }
}
