import type { SnapshotData } from "@seshat/common";
import { InvalidValueError, checkInteger } from "@seshat/common";
import type { OpenFile } from "../disk/disk.js";
import { DamagedFileError } from "./damaged-file-error.js";
import type { SnapshotHeader } from "./snapshot-format.js";
import {
  BLOCK_BYTES,
  FOOTER_BYTES,
  LEAD_BYTES,
  blockOffset,
  blocksBytes,
  decodeBlock,
  decodeFooter,
  decodeSnapshotHeader,
  snapshotHeaderBytes,
} from "./snapshot-format.js";
import type { StoreDisk } from "./store-disk.js";
import { asStorageError } from "./store-disk.js";

/** The content of a snapshot on disk. It is read a block at a time and checked, also once a newer snapshot has taken its place. */
export class DiskSnapshotData implements SnapshotData {
  /** What the file is called, or was when it had a name. */
  file: string;
  readonly header: SnapshotHeader;
  readonly size: number;
  readonly #open: OpenFile;

  constructor(file: string, open: OpenFile, header: SnapshotHeader, size: number) {
    this.file = file;
    this.#open = open;
    this.header = header;
    this.size = size;
  }

  /**
   * Opens a file that was finished.
   *
   * @throws {DamagedFileError} when it is not what was written, as far as its beginning and its end say.
   */
  static async open({ disk }: StoreDisk, file: string): Promise<DiskSnapshotData> {
    const damaged = (offset: number, problem: string): DamagedFileError =>
      new DamagedFileError("read snapshot", file, offset, problem);
    const length = (await disk.size(file)) ?? 0;
    const headerBytes = snapshotHeaderBytes(await disk.read(file, 0, LEAD_BYTES));
    const header = decodeSnapshotHeader(await disk.read(file, 0, Math.min(length, headerBytes)));
    if (header === null) throw damaged(0, "it has no header");
    const end = length - FOOTER_BYTES;
    const size = end < 0 ? null : decodeFooter(await disk.read(file, end, FOOTER_BYTES), header.checksum);
    if (size === null) throw damaged(Math.max(0, end), "it has no footer");
    if (header.length + blocksBytes(size) !== end) {
      throw damaged(header.length, `${end - header.length} bytes hold a content of ${size}`);
    }
    return new DiskSnapshotData(file, await disk.open(file), header, size);
  }

  read(offset: number): AsyncIterable<Uint8Array> {
    checkInteger("offset", offset, 0);
    if (offset > this.size)
      throw new InvalidValueError("offset", offset, `an integer from 0 to ${this.size}`);
    return this.#read(offset);
  }

  async *#read(offset: number): AsyncGenerator<Uint8Array> {
    let at = offset;
    while (at < this.size) {
      const number = Math.floor(at / BLOCK_BYTES);
      const content = await this.#readBlock(number);
      yield content.slice(at - number * BLOCK_BYTES);
      at = number * BLOCK_BYTES + content.length;
    }
  }

  async #readBlock(number: number): Promise<Uint8Array> {
    const { length, checksum } = this.header;
    const offset = length + blockOffset(number);
    const content = Math.min(BLOCK_BYTES, this.size - number * BLOCK_BYTES);
    let bytes: Uint8Array;
    try {
      bytes = await this.#open.read(offset, blocksBytes(content));
    } catch (thrown) {
      throw asStorageError("read snapshot", thrown);
    }
    const block = decodeBlock(bytes, number, checksum);
    if (block?.length === content) return block;
    throw new DamagedFileError("read snapshot", this.file, offset, "a block that cannot be read");
  }
}
