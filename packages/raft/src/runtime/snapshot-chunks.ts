import type { SnapshotData } from "@seshat/common";

const NOTHING = new Uint8Array(0);

/** Cuts the content of a snapshot into parts of one size, however its source cuts it, and reads each of them once. */
export class SnapshotChunks {
  readonly #data: SnapshotData;
  readonly #chunkBytes: number;
  #source: AsyncIterator<Uint8Array> | null = null;
  /** What was read and not given out yet. */
  #rest: Uint8Array = NOTHING;
  /** Where `#rest` begins. */
  #position = 0;
  #last: { readonly offset: number; readonly chunk: Uint8Array } = { offset: -1, chunk: NOTHING };

  constructor(data: SnapshotData, chunkBytes: number) {
    this.#data = data;
    this.#chunkBytes = chunkBytes;
  }

  /** The part that begins at `offset`; empty at the end. Asked for again at once, it is the same. */
  async at(offset: number): Promise<Uint8Array> {
    if (offset === this.#last.offset) return this.#last.chunk;
    const size = Math.min(this.#chunkBytes, this.#data.size - offset);
    if (size <= 0) return NOTHING;
    if (this.#source === null || offset !== this.#position) await this.#seek(offset);
    this.#letGo();
    const chunk = (await this.#whole(size)) ?? (await this.#joined(offset, size));
    this.#position = offset + size;
    this.#last = { offset, chunk };
    return chunk;
  }

  /** A part of a piece of the source goes on as it is: memory that is copied is memory that has to be collected. Null where it is in several pieces. */
  async #whole(size: number): Promise<Uint8Array | null> {
    if (this.#rest.length === 0 && !(await this.#readOn())) return null;
    if (this.#rest.length < size) return null;
    const chunk = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return chunk;
  }

  async #joined(offset: number, size: number): Promise<Uint8Array> {
    const chunk = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      if (this.#rest.length === 0 && !(await this.#readOn())) {
        throw new Error(`its content ends at byte ${offset + filled} of ${this.#data.size}`);
      }
      const taken = this.#rest.subarray(0, size - filled);
      chunk.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return chunk;
  }

  /** Nobody needs the last part any more. Whoever still holds it, as a network within the process may, finds it empty, which says nothing. */
  #letGo(): void {
    const { buffer, byteLength } = this.#last.chunk;
    this.#last = { offset: -1, chunk: NOTHING };
    const isWhole = byteLength > 0 && buffer.byteLength === byteLength;
    if (this.#data.givesChunksAway === true && isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0);
  }

  /** Nothing more is read: lets the source go. */
  async close(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    this.#rest = NOTHING;
    await source?.return?.();
  }

  async #seek(offset: number): Promise<void> {
    await this.close();
    this.#source = this.#data.read(offset)[Symbol.asyncIterator]();
    this.#position = offset;
  }

  async #readOn(): Promise<boolean> {
    const next = await this.#source?.next();
    if (next === undefined || next.done === true) return false;
    this.#rest = next.value;
    return true;
  }
}
