import type { ByteReader } from "@seshat/common/binary";
import type { KvConfig } from "../config.js";
import { CONFIG_FIELDS, DEFAULT_KV_CONFIG } from "../config.js";
import { compareBytes } from "../commands/parse.js";
import { Db, MAX_DEADLINE } from "../store/db.js";
import { halfSipHash } from "../store/half-sip-hash.js";
import { MAGIC, TYPES, VERSION } from "./format.js";
import { FrameReader } from "./frame-reader.js";

/** A state on its way out of a snapshot. Worth nothing before {@link finish}. */
export class SnapshotReader {
  readonly #frames = new FrameReader((payload) => this.#takeFrame(payload));
  #db: Db | null = null;
  #seeded = false;
  #keys = 0;
  #lastHash = 0;
  #lastKey: Uint8Array = new Uint8Array(0);

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
    if (db === null || db.size !== this.#keys) throw this.#frames.error("keys are missing");
    return { db, seeded: this.#seeded };
  }

  #takeFrame(payload: ByteReader): void {
    if (this.#db === null) {
      this.#db = this.#takeHead(payload);
    } else {
      while (payload.remaining > 0) this.#takeKey(payload, this.#db);
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
    this.#keys = payload.u64();
    return db;
  }

  #takeKey(payload: ByteReader, db: Db): void {
    const type = TYPES[payload.u8()];
    if (type !== "string") throw payload.error("a key of an unknown type");
    const version = payload.u64();
    const deadline = payload.u64();
    if (version < 1 || version > MAX_DEADLINE || deadline > MAX_DEADLINE) {
      throw payload.error(`version ${version} and deadline ${deadline}`);
    }
    const key = payload.bytes();
    const hash = halfSipHash(key, db.seed.k0, db.seed.k1);
    if (hash < this.#lastHash || (hash === this.#lastHash && compareBytes(key, this.#lastKey) <= 0)) {
      throw payload.error("keys that do not rise");
    }
    this.#lastHash = hash;
    this.#lastKey = key;
    db.load(key, payload.bytes(), version, deadline);
  }
}
