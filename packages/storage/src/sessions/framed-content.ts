import { CodecError } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";

const FORMAT = "snapshot";
const LENGTH_BYTES = 8;

/** Bytes whose number is known before they are written. */
export interface Section {
  readonly size: number;
  chunks(): Iterable<Uint8Array>;
}

/** Puts a section before a content: its length as a u64 and its bytes. */
export async function* withSection(
  section: Section,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield new ByteWriter(LENGTH_BYTES).u64(section.size).finish();
  yield* section.chunks();
  yield* content;
}

/**
 * Takes the section off again.
 *
 * @param chunks what {@link withSection} wrote, cut in any way.
 * @param size the length of all of it in bytes, which no section can pass.
 * @throws {CodecError} when it ends too early.
 */
export async function takeSection(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): Promise<{ section: Uint8Array; content: AsyncIterable<Uint8Array> }> {
  const source = new Source(chunks);
  try {
    const length = new ByteReader(FORMAT, await source.take(LENGTH_BYTES)).u64();
    if (length > size - LENGTH_BYTES) {
      const problem = `a section of ${length} bytes in a content of ${size}`;
      throw new CodecError(FORMAT, LENGTH_BYTES, problem);
    }
    const section = await source.take(length);
    return { section, content: source.rest() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Takes bytes from chunks that are cut in any way. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** A copy of the next `count` bytes. */
  async take(count: number): Promise<Uint8Array> {
    const taken = new ByteWriter(Math.min(count, 65_536));
    while (taken.length < count) {
      if (this.#held.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) {
          const problem = `${count - taken.length} bytes missing`;
          throw new CodecError(FORMAT, this.#offset, problem);
        }
        this.#held = next.value;
      }
      const part = this.#held.subarray(0, count - taken.length);
      taken.raw(part);
      this.#held = this.#held.subarray(part.length);
      this.#offset += part.length;
    }
    return taken.finish();
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      if (this.#held.length > 0) yield this.#held;
      for (let next = await this.#chunks.next(); next.done !== true; next = await this.#chunks.next()) {
        yield next.value;
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
