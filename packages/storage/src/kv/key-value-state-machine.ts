import type { Request, Response } from "@seshat/common";
import { CodecError } from "@seshat/common";
import type { ResponseCodec } from "../sessions/response-codec.js";
import type { StateCapture, StateMachine } from "../state-machine.js";
import { fromByteString, toByteString } from "./byte-string.js";
import type { Operation } from "./operation.js";
import { decodeOperation } from "./operation-codec.js";
import { RESPONSE_CODEC } from "./response-codec.js";
import { ShardedMap } from "./sharded-map.js";
import { SnapshotReader } from "./snapshot-reader.js";
import { writeSnapshot } from "./snapshot-writer.js";

const EMPTY_RESULT = new Uint8Array(0);

/**
 * Bytes by bytes: a state machine whose commands are what `encodeOperation` writes.
 *
 * A set answers `OK`, a del how many of its keys existed, in ASCII digits. A command that does not decode
 * answers the error `malformedOperation`. Everything that goes in or comes out is copied.
 */
export class KeyValueStateMachine implements StateMachine<Request, Response> {
  /** With it, clients of a cluster can have sessions. */
  readonly responseCodec: ResponseCodec<Response> = RESPONSE_CODEC;
  #entries = new ShardedMap<Uint8Array>();

  /** How many keys there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** A copy of the value at `key`, or null. */
  get(key: Uint8Array): Uint8Array | null {
    return this.#entries.get(toByteString(key))?.slice() ?? null;
  }

  has(key: Uint8Array): boolean {
    return this.#entries.has(toByteString(key));
  }

  apply(_index: number, request: Request): Response {
    let operation: Operation;
    try {
      operation = decodeOperation(request.data);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return { result: EMPTY_RESULT, error: { code: "malformedOperation", message: error.message } };
    }
    return { result: fromByteString(this.#applyOperation(operation)), error: null };
  }

  capture(): StateCapture {
    const captured = this.#entries.fork();
    return { chunks: () => writeSnapshot(captured) };
  }

  /** @throws {CodecError} when the bytes are no complete, undamaged snapshot: the old state stands. */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = new SnapshotReader();
    for await (const chunk of chunks) reader.push(chunk);
    this.#entries = reader.finish();
  }

  #applyOperation(operation: Operation): string {
    switch (operation.type) {
      case "set":
        this.#entries.set(toByteString(operation.key), operation.value);
        return "OK";
      case "del": {
        let deleted = 0;
        for (const key of operation.keys) if (this.#entries.delete(toByteString(key))) deleted += 1;
        return String(deleted);
      }
      default:
        return operation satisfies never;
    }
  }
}
