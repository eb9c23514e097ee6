import type { LogId, StorageVerb, StoreIdentity, Vote } from "@seshat/common";
import { StorageError, ZERO_VOTE, formatVote, voteMayBecome } from "@seshat/common";
import { COMMITTED_KEY, IDENTITY_KEY, VOTE_KEY } from "../keys.js";
import type { WriteLane } from "../lane/write-lane.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import {
  decodeIdentity,
  decodeLogId,
  decodeVote,
  encodeIdentity,
  encodeLogId,
  encodeVote,
} from "../records/hard-state.js";

/** What stands in the database when it is opened. */
interface Stored {
  readonly identity: StoreIdentity | null;
  readonly vote: Vote | null;
  readonly committed: LogId | null;
}

/** Identity, vote and the hint of what is committed: each under a key of its own, and in memory too. */
export class HardState {
  readonly #lane: WriteLane;
  #identity: StoreIdentity | null;
  #vote: Vote | null;
  #committed: LogId | null;

  private constructor(lane: WriteLane, { identity, vote, committed }: Stored) {
    this.#lane = lane;
    this.#identity = identity;
    this.#vote = vote;
    this.#committed = committed;
  }

  /** @throws when what the database holds does not decode. */
  static async open(database: RocksDatabase, lane: WriteLane): Promise<HardState> {
    return new HardState(lane, {
      identity: await readRecord(database, IDENTITY_KEY, decodeIdentity),
      vote: await readRecord(database, VOTE_KEY, decodeVote),
      committed: await readRecord(database, COMMITTED_KEY, decodeLogId),
    });
  }

  readIdentity(): StoreIdentity | null {
    this.#lane.check("read identity");
    return this.#identity;
  }

  /** @throws {StorageError} when the store has an identity already. */
  async saveIdentity({ clusterId, nodeId, incarnation }: StoreIdentity): Promise<void> {
    if (this.#identity !== null) throw new StorageError("save identity", "this store has one already");
    const identity = { clusterId, nodeId, incarnation };
    await this.#put("save identity", IDENTITY_KEY, encodeIdentity(identity));
    this.#identity = identity;
  }

  readVote(): Vote | null {
    this.#lane.check("read vote");
    return this.#vote;
  }

  /** @throws {StorageError} when a node that promised the stored vote may not promise this one. */
  async saveVote({ term, votedFor, committed }: Vote): Promise<void> {
    const vote = { term, votedFor, committed };
    const stored = this.#vote ?? ZERO_VOTE;
    if (!voteMayBecome(stored, vote)) {
      throw new StorageError("save vote", `${formatVote(vote)} may not follow ${formatVote(stored)}`);
    }
    await this.#put("save vote", VOTE_KEY, encodeVote(vote));
    this.#vote = vote;
  }

  /** Durable with the next write that is: alone it would cost as much as an entry. */
  saveCommitted({ term, index }: LogId): void {
    const committed = { term, index };
    const value = encodeLogId(committed);
    this.#lane.withNextRecord((batch) => batch.tryPut(COMMITTED_KEY, value));
    this.#committed = committed;
  }

  readCommitted(): LogId | null {
    return this.#committed;
  }

  #put(verb: StorageVerb, key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#lane.durable(verb, key.length + value.length, (batch) => batch.tryPut(key, value));
  }
}

/** The value at a key; null when there is none. */
export async function readRecord<T>(
  database: RocksDatabase,
  key: Uint8Array,
  decode: (bytes: Uint8Array) => T,
): Promise<T | null> {
  const bytes = await database.get(key);
  return bytes === null ? null : decode(bytes);
}
