import { CodecError } from "@seshat/common";
import type { ByteReader } from "@seshat/common/binary";
import type { KvConfig } from "../config.js";
import { CONFIG_FIELDS, DEFAULT_KV_CONFIG } from "../config.js";
import { Db, MAX_DEADLINE } from "../store/db.js";
import type { CollectionReader } from "./collection-readers.js";
import { readerFor } from "./collection-readers.js";
import { FORMAT, MAGIC, TYPES, VERSION } from "./format.js";
import { FrameReader } from "./frame-reader.js";
import { RisingKeys } from "./rising-keys.js";

/** A key whose elements are still to come. */
interface Pending {
  readonly key: Uint8Array;
  readonly version: number;
  readonly deadline: number;
  readonly reader: CollectionReader;
  left: number;
}

/** A state on its way out of a snapshot. Worth nothing before {@link finish}. */
export class SnapshotReader {
  readonly #frames = new FrameReader((payload) => this.#takeFrame(payload));
  #db: Db | null = null;
  #seeded = false;
  #keys = 0;
  #rising: RisingKeys | null = null;
  #pending: Pending | null = null;

  /** @throws {CodecError} as soon as the bytes cannot be a snapshot. */
  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  /**
   * Everything was pushed.
   *
   * @throws {CodecError} when the snapshot is not complete.
   */
  finish(): { db: Db; seeded: boolean } {
    this.#frames.finish();
    const db = this.#db;
    if (db === null || db.size !== this.#keys || this.#pending !== null) {
      throw new CodecError(FORMAT, 0, "keys or elements are missing");
    }
    return { db, seeded: this.#seeded };
  }

  #takeFrame(payload: ByteReader): void {
    if (this.#db === null) {
      this.#db = this.#takeHead(payload);
      return;
    }
    while (payload.remaining > 0) {
      if (this.#pending === null) this.#takeKey(payload, this.#db);
      else this.#takeElement(payload, this.#db, this.#pending);
    }
  }

  #takeHead(payload: ByteReader): Db {
    if (payload.u32() !== MAGIC) throw payload.error("it does not begin like one");
    const version = payload.u8();
    if (version !== VERSION) throw payload.error(`version ${version} is unknown; this is version ${VERSION}`);
    const seeded = payload.u8();
    if (seeded > 1) throw payload.error(`${seeded} where 0 or 1 should be`);
    this.#seeded = seeded === 1;
    const db = new Db({ k0: payload.u32(), k1: payload.u32() });
    db.clock = payload.u64();
    const fields = payload.u8();
    if (fields !== CONFIG_FIELDS.length) throw payload.error(`${fields} fields of the configuration`);
    const config: Record<keyof KvConfig, number> = { ...DEFAULT_KV_CONFIG };
    for (const { name, min, max } of CONFIG_FIELDS) {
      const value = payload.u64();
      if (value < min || value > max) throw payload.error(`${name} of ${value}`);
      config[name] = value;
    }
    db.config = Object.freeze(config);
    this.#rising = new RisingKeys(db.seed);
    this.#keys = payload.u64();
    return db;
  }

  #takeKey(payload: ByteReader, db: Db): void {
    const type = TYPES[payload.u8()];
    if (type === undefined) throw payload.error("a key of an unknown type");
    const version = payload.u64();
    const deadline = payload.u64();
    if (version < 1 || version > MAX_DEADLINE || deadline > MAX_DEADLINE) {
      throw payload.error(`version ${version} and deadline ${deadline}`);
    }
    const key = payload.bytes();
    if (this.#rising?.accepts(key) !== true) throw payload.error("keys that do not rise");
    if (type === "string") {
      db.load(key, payload.bytes(), version, deadline);
      return;
    }
    const left = payload.u64();
    if (left === 0) throw payload.error(`a ${type} of nothing`);
    this.#pending = { key, version, deadline, reader: readerFor(type, db.seed), left };
  }

  #takeElement(payload: ByteReader, db: Db, pending: Pending): void {
    pending.reader.take(payload);
    pending.left -= 1;
    if (pending.left > 0) return;
    db.load(pending.key, pending.reader.collection, pending.version, pending.deadline);
    this.#pending = null;
  }
}
