import type { StorageVerb } from "@seshat/common";
import { BLOCK_BYTES, encodeBlock, encodeFooter, encodeSnapshotHeader } from "./snapshot-format.js";
import { DiskSnapshotData } from "./disk-snapshot-data.js";
import type { StoreDisk } from "./store-disk.js";

/** Writes the file of one snapshot, a block at a time. */
export class SnapshotWriter {
  readonly #store: StoreDisk;
  readonly #verb: StorageVerb;
  readonly #file: string;
  readonly #meta: Uint8Array;
  readonly #header: { readonly bytes: Uint8Array; readonly checksum: number };
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #blockLength = 0;
  #blocks = 0;
  #size = 0;
  #length = 0;

  constructor(store: StoreDisk, verb: StorageVerb, file: string, meta: Uint8Array) {
    this.#store = store;
    this.#verb = verb;
    this.#file = file;
    this.#meta = meta;
    this.#header = encodeSnapshotHeader(meta);
  }

  get file(): string {
    return this.#file;
  }

  /** How much content was written, in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Begins the file. */
  async begin(): Promise<void> {
    await this.#store.change(this.#verb, () => this.#append(this.#header.bytes));
  }

  async write(content: Uint8Array): Promise<void> {
    await this.#store.change(this.#verb, () => this.#write(content));
  }

  /** Makes the file durable, if not its name. @returns the content. */
  async finish(): Promise<DiskSnapshotData> {
    return this.#store.change(this.#verb, () => this.#finish());
  }

  async #write(content: Uint8Array): Promise<void> {
    let rest = content;
    while (rest.length > 0) {
      const part = rest.subarray(0, BLOCK_BYTES - this.#blockLength);
      this.#block.set(part, this.#blockLength);
      this.#blockLength += part.length;
      rest = rest.subarray(part.length);
      if (this.#blockLength === BLOCK_BYTES) await this.#flush();
    }
    this.#size += content.length;
  }

  async #finish(): Promise<DiskSnapshotData> {
    if (this.#blockLength > 0) await this.#flush();
    await this.#append(encodeFooter(this.#size, this.#header.checksum));
    await this.#store.sync(this.#verb, this.#file, this.#length);
    const open = await this.#store.disk.open(this.#file);
    const header = {
      meta: this.#meta,
      checksum: this.#header.checksum,
      length: this.#header.bytes.length,
    };
    return new DiskSnapshotData(this.#file, open, header, this.#size);
  }

  async #flush(): Promise<void> {
    const content = this.#block.subarray(0, this.#blockLength);
    await this.#append(encodeBlock(content, this.#blocks, this.#header.checksum));
    this.#blocks += 1;
    this.#blockLength = 0;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#store.write(this.#verb, this.#file, this.#length, bytes);
    this.#length += bytes.length;
  }
}
