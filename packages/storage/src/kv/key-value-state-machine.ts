import type { Request, Response } from "@seshat/common";
import type { ResponseCodec } from "../sessions/response-codec.js";
import type { StateCapture, StateMachine } from "../state-machine.js";
import { applyOperation } from "./apply-operation.js";
import { toByteString } from "./byte-string.js";
import { viewOperation } from "./operation-codec.js";
import { RESPONSE_CODEC } from "./response-codec.js";
import { ShardedMap } from "./sharded-map.js";
import { SnapshotReader } from "./snapshot-reader.js";
import { writeSnapshot } from "./snapshot-writer.js";

/**
 * Bytes by bytes: a state machine whose commands are what `encodeOperation` writes.
 *
 * A set answers `OK`, a del how many of its keys existed, in ASCII digits. A command that does not decode
 * answers the error `malformedOperation`. Everything that goes in or comes out is copied.
 */
export class KeyValueStateMachine implements StateMachine<Request, Response> {
  /** With it, clients of a cluster can have sessions. */
  readonly responseCodec: ResponseCodec<Response> = RESPONSE_CODEC;
  #entries = new ShardedMap();

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
    return applyOperation(this.#entries, request, viewOperation);
  }

  capture(): StateCapture {
    const captured = this.#entries.fork();
    return { chunks: () => writeSnapshot(captured) };
  }

  /** @throws {CodecError} when the bytes are no complete, undamaged snapshot: the old state stands. */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const entries = new ShardedMap();
    const reader = new SnapshotReader((key, value) => entries.set(key, value));
    for await (const chunk of chunks) reader.push(chunk);
    reader.finish();
    this.#entries = entries;
  }
}
