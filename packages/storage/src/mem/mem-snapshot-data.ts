import type { SnapshotData } from "@seshat/common";
import { CodecError, InvalidValueError, checkInteger } from "@seshat/common";

/**
 * The content of a snapshot in memory, which never changes. It shares no memory with those that write or read it: chunks are copied
 * on their way in, except by {@link MemSnapshotData.of}, and on their way out.
 */
export class MemSnapshotData implements SnapshotData {
  readonly #chunks: readonly Uint8Array[];
  readonly size: number;

  private constructor(chunks: readonly Uint8Array[], size: number) {
    this.#chunks = chunks;
    this.size = size;
  }

  /** A content of chunks, in order, whose bytes nobody else holds: they are not copied. */
  static of(chunks: readonly Uint8Array[]): MemSnapshotData {
    return new MemSnapshotData(
      [...chunks],
      chunks.reduce((size, chunk) => size + chunk.length, 0),
    );
  }

  /**
   * Copies a content, chunk by chunk as it comes.
   *
   * @param chunks the content from its start, cut in any way.
   * @param pause awaited after each chunk.
   */
  static async collect(
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    pause: () => Promise<void> = () => Promise.resolve(),
  ): Promise<MemSnapshotData> {
    const copies: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of chunks) {
      copies.push(new Uint8Array(chunk));
      size += chunk.length;
      await pause();
    }
    return new MemSnapshotData(copies, size);
  }

  /**
   * Copies the content of a snapshot, wherever it is kept. One that is in memory already never changes, and is shared.
   *
   * @param pause awaited after each chunk.
   * @throws {CodecError} when it is shorter or longer than its size says.
   */
  static async copyOf(source: SnapshotData, pause?: () => Promise<void>): Promise<MemSnapshotData> {
    if (source instanceof MemSnapshotData) return source;
    const copy = await MemSnapshotData.collect(upToOneChunkPast(source.size, source.read(0)), pause);
    if (copy.size !== source.size) {
      const found = copy.size > source.size ? "more" : `only ${copy.size}`;
      throw new CodecError(
        "snapshot",
        Math.min(copy.size, source.size),
        `${source.size} bytes expected, ${found} found`,
      );
    }
    return copy;
  }

  read(offset: number): AsyncIterable<Uint8Array> {
    checkInteger("offset", offset, 0);
    if (offset > this.size)
      throw new InvalidValueError("offset", offset, `an integer from 0 to ${this.size}`);
    return this.#read(offset);
  }

  async *#read(offset: number): AsyncGenerator<Uint8Array> {
    let start = 0;
    for (const chunk of this.#chunks) {
      const end = start + chunk.length;
      if (end > offset) yield chunk.slice(Math.max(offset - start, 0));
      start = end;
    }
  }
}

/** Stops a source that goes on past the size it promised, so that memory stays bounded by the promise. */
async function* upToOneChunkPast(
  size: number,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    yield chunk;
    length += chunk.length;
    if (length > size) return;
  }
}
