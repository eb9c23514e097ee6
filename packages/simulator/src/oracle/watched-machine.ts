import type { ResponseCodec, StateCapture, StateMachine } from "@seshat/storage";
import { hashValue, mixNumber } from "./hash.js";

const HASH_BYTES = 4;

/**
 * A state machine that keeps a running hash of all that was applied to it and of what it answered, and carries it in its snapshots: two
 * replicas that ever differ are told apart at the next command, whatever the state machine is.
 */
export class WatchedMachine<D, R> implements StateMachine<D, R> {
  readonly inner: StateMachine<D, R>;
  readonly responseCodec?: ResponseCodec<R>;
  readonly #applied: (index: number, hash: number) => void;
  #hash = 0;

  /** @param applied told the hash after each command. */
  constructor(inner: StateMachine<D, R>, applied: (index: number, hash: number) => void) {
    this.inner = inner;
    if (inner.responseCodec !== undefined) this.responseCodec = inner.responseCodec;
    this.#applied = applied;
  }

  apply(index: number, command: D): R {
    const response = this.inner.apply(index, command);
    this.#hash = mixNumber(mixNumber(this.#hash, index), contentHash(command));
    this.#hash = mixNumber(this.#hash, contentHash(response));
    this.#applied(index, this.#hash);
    return response;
  }

  capture(): StateCapture {
    const header = new Uint8Array(HASH_BYTES);
    new DataView(header.buffer).setUint32(0, this.#hash);
    const captured = this.inner.capture();
    return {
      async *chunks() {
        yield header;
        yield* captured.chunks();
      },
    };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const content = await splitHeader(chunks);
    await this.inner.restore(content.rest);
    this.#hash = new DataView(content.header.buffer).getUint32(0);
  }
}

function contentHash(value: unknown): number {
  return hashValue(typeof value === "object" && value !== null ? value : { value });
}

async function splitHeader(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly header: Uint8Array; readonly rest: AsyncIterable<Uint8Array> }> {
  const source = chunks[Symbol.asyncIterator]();
  const header = new Uint8Array(HASH_BYTES);
  let filled = 0;
  let left = new Uint8Array(0);
  while (filled < HASH_BYTES) {
    const next = await source.next();
    if (next.done === true) throw new Error("the snapshot is shorter than its header");
    const taken = next.value.subarray(0, HASH_BYTES - filled);
    header.set(taken, filled);
    filled += taken.length;
    left = new Uint8Array(next.value.subarray(taken.length));
  }
  return {
    header,
    rest: {
      async *[Symbol.asyncIterator]() {
        if (left.length > 0) yield left;
        for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
      },
    },
  };
}
