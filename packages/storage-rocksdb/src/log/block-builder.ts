import type { RaftTypeConfig } from "@seshat/common";
import { ByteWriter } from "@seshat/common/binary";
import type { EntryCodec } from "@seshat/common/codec";
import type { Operations } from "../journal/operations.js";
import { logKey } from "../keys.js";
import { BLOCK_VERSION } from "./blocks.js";

/** A block holds at most this many entries, and is ended once it has this many bytes. */
const BLOCK_ENTRIES = 512;
const BLOCK_BYTES = 262_144;
/** A last block that is smaller is written once more, with what comes next. */
const OPEN_BLOCK_BYTES = 1024;
/** Memory that is kept for the next batch. */
const KEPT_BYTES = 1_048_576;

interface Block {
  readonly first: number;
  /** Where it begins in what was written. */
  readonly at: number;
}

/**
 * Puts what is appended into blocks, as it comes, until a batch takes them. A record of RocksDB costs more than an entry does: so whatever
 * goes into one batch shares blocks, and entries that come one by one share a block with those before.
 */
export class BlockBuilder<C extends RaftTypeConfig> {
  readonly #codec: EntryCodec<C>;
  #writer = new ByteWriter(4096);
  #blocks: Block[] = [];
  /** How many entries the last block has. */
  #entries = 0;
  /** The last block in the database, while it is small enough to grow. */
  #open: { readonly first: number; readonly bytes: Uint8Array; readonly entries: number } | null = null;

  constructor(codec: EntryCodec<C>) {
    this.#codec = codec;
  }

  /** True when there is nothing to take. */
  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /**
   * Adds entries, which follow on those before.
   *
   * @returns about how many bytes they take.
   * @throws what the codec throws, and has added nothing then.
   */
  add(entries: readonly C["Entry"][]): number {
    const before = { length: this.#writer.length, blocks: this.#blocks.length, entries: this.#entries };
    try {
      for (const entry of entries) {
        this.#makeRoom(entry.logId.index);
        this.#codec.writeSized(this.#writer, entry);
        this.#entries += 1;
      }
    } catch (thrown) {
      this.#writer.cut(before.length);
      this.#blocks.length = before.blocks;
      this.#entries = before.entries;
      throw thrown;
    }
    return this.#writer.length - before.length;
  }

  /** Puts the blocks that are to be written now into what is to be a record, which copies them. */
  putInto(batch: Pick<Operations, "tryPut">): void {
    const bytes = this.#writer.written();
    const blocks = this.#blocks;
    let last = bytes;
    for (const [position, { first, at }] of blocks.entries()) {
      last = bytes.subarray(at, blocks[position + 1]?.at ?? bytes.length);
      batch.tryPut(logKey(first), last);
    }
    const { first } = blocks.at(-1) as Block;
    this.#open =
      last.length < OPEN_BLOCK_BYTES ? { first, bytes: last.slice(), entries: this.#entries } : null;
    this.#blocks = [];
    if (bytes.length > KEPT_BYTES) this.#writer = new ByteWriter(4096);
    else this.#writer.cut(0);
  }

  /** What comes next begins a block: the last one in the database is no longer what was written. */
  seal(): void {
    this.#open = null;
  }

  #makeRoom(index: number): void {
    const last = this.#blocks.at(-1);
    const open = this.#open;
    if (last === undefined && open !== null) {
      this.#blocks.push({ first: open.first, at: 0 });
      this.#writer.raw(open.bytes);
      this.#entries = open.entries;
    } else if (
      last === undefined ||
      this.#entries >= BLOCK_ENTRIES ||
      this.#writer.length - last.at >= BLOCK_BYTES
    ) {
      this.#blocks.push({ first: index, at: this.#writer.length });
      this.#writer.u8(BLOCK_VERSION);
      this.#entries = 0;
    }
  }
}
