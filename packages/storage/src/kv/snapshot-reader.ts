import { CodecError } from "@seshat/common";
import { ByteReader, crc32 } from "@seshat/common/binary";
import { toByteString } from "./byte-string.js";
import { precedes } from "./sharded-map.js";
import {
  SNAPSHOT_FORMAT,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_MAGIC,
  SNAPSHOT_VERSION,
} from "./snapshot-format.js";

/** What comes next in the snapshot. */
type Field = "header" | "keyLength" | "key" | "valueLength" | "value" | "checksum" | "end";

/**
 * Reads a snapshot pushed to it chunk by chunk, cut anywhere. Field by field: each is taken once all of it
 * has come, so the cost does not depend on the cuts, and nothing is reserved on the word of a length.
 */
export class SnapshotReader {
  readonly #take: (key: string, value: Uint8Array) => void;
  /** What has come and is not yet taken stands in `#buffer` from `#start` to `#end`. */
  #buffer: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#buffer.buffer);
  #start = 0;
  #end = 0;
  /** What stands before here in `#buffer` is in `#crc`: many fields at a time. */
  #digested = 0;
  /** How many bytes have been taken, from the beginning of the snapshot. */
  #offset = 0;
  #crc = 0;
  #field: Field = "header";
  /** The length of `#field`. */
  #needed = SNAPSHOT_HEADER_BYTES;
  #count = 0;
  /** How many entries have been taken. */
  #taken = 0;
  #key: string | null = null;

  /**
   * @param take is given each entry, the key as `toByteString` makes it; the value stands there only until `take` returns. What it was given is worth
   *   nothing before {@link finish}.
   */
  constructor(take: (key: string, value: Uint8Array) => void) {
    this.#take = take;
  }

  /** @throws {CodecError} as soon as the bytes cannot be a snapshot. */
  push(chunk: Uint8Array): void {
    this.#store(chunk);
    while (this.#field !== "end" && this.#end - this.#start >= this.#needed) this.#takeField();
    this.#digest();
    if (this.#field === "end" && this.#end > this.#start) {
      throw this.#error(`${this.#end - this.#start} bytes too many`);
    }
  }

  /**
   * Everything was pushed.
   *
   * @throws {CodecError} when the snapshot is not complete.
   */
  finish(): void {
    if (this.#field !== "end") {
      throw this.#error(`${this.#needed} bytes expected, ${this.#end - this.#start} left`);
    }
  }

  #takeField(): void {
    switch (this.#field) {
      case "header":
        this.#takeHeader();
        break;
      case "keyLength":
        this.#expect("key", this.#takeNumber());
        break;
      case "key": {
        const key = toByteString(this.#bytes());
        if (this.#key !== null && !precedes(this.#key, key)) throw this.#error("keys that do not rise");
        this.#key = key;
        this.#expect("valueLength", 4);
        break;
      }
      case "valueLength":
        this.#expect("value", this.#takeNumber());
        break;
      case "value":
        this.#take(this.#key as string, this.#bytes());
        this.#taken += 1;
        this.#expectEntryOrChecksum();
        break;
      case "checksum": {
        this.#digest();
        const computed = this.#crc;
        const stored = this.#takeNumber();
        if (stored !== computed) throw this.#error("the checksum does not match: the snapshot is damaged");
        this.#expect("end", 0);
        break;
      }
      case "end":
        break;
      default:
        this.#field satisfies never;
    }
  }

  #takeHeader(): void {
    const header = new ByteReader(SNAPSHOT_FORMAT, this.#bytes());
    if (header.u32() !== SNAPSHOT_MAGIC) throw header.error("it does not begin like one");
    const version = header.u8();
    if (version !== SNAPSHOT_VERSION) {
      throw header.error(`version ${version} is unknown; this is version ${SNAPSHOT_VERSION}`);
    }
    this.#count = header.u64();
    this.#expectEntryOrChecksum();
  }

  #expectEntryOrChecksum(): void {
    this.#expect(this.#taken < this.#count ? "keyLength" : "checksum", 4);
  }

  #expect(field: Field, needed: number): void {
    this.#field = field;
    this.#needed = needed;
  }

  /** Takes the bytes of the field; they stand where they are until the next `#store`. */
  #bytes(): Uint8Array {
    const at = this.#skip();
    return this.#buffer.subarray(at, this.#start);
  }

  #takeNumber(): number {
    return this.#view.getUint32(this.#skip());
  }

  /** Goes on behind the field, and says where it begins. */
  #skip(): number {
    const at = this.#start;
    this.#start += this.#needed;
    this.#offset += this.#needed;
    return at;
  }

  #digest(): void {
    this.#crc = crc32(this.#buffer.subarray(this.#digested, this.#start), this.#crc);
    this.#digested = this.#start;
  }

  #store(chunk: Uint8Array): void {
    const held = this.#end - this.#start;
    if (this.#end + chunk.length > this.#buffer.length) {
      const target =
        held + chunk.length > this.#buffer.length
          ? new Uint8Array(Math.max(held + chunk.length, this.#buffer.length * 2))
          : this.#buffer;
      target.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = target;
      this.#view = new DataView(target.buffer);
      this.#start = 0;
      this.#digested = 0;
      this.#end = held;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #error(problem: string): CodecError {
    return new CodecError(SNAPSHOT_FORMAT, this.#offset, problem);
  }
}
