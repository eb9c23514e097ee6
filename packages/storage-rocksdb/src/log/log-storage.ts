import type { LogId, RaftTypeConfig, StorageVerb, StoreIdentity, Vote } from "@seshat/common";
import {
  StorageError,
  ZERO_LOG_ID,
  ZERO_VOTE,
  checkInteger,
  formatLogId,
  formatVote,
  voteMayBecome,
} from "@seshat/common";
import type { IoCompletion, LogState, MaybePromise, RaftLogReader, RaftStorage } from "@seshat/storage";
import { messageOf } from "../errors.js";
import { COMMITTED_KEY, IDENTITY_KEY, LOG_END, LOG_START, PURGED_KEY, VOTE_KEY, logKey } from "../keys.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import type { Fill, WriteLane } from "../write-lane.js";
import { blockOf, lastBlock, readEncoded } from "./block-reader.js";
import type { EncodedEntry, StoredValues } from "./stored-values.js";
import { decodeLogId, encodeBlock, encodeLogId } from "./stored-values.js";
import { Unwritten } from "./unwritten.js";
import { decodeIdentity, decodeVote, encodeIdentity, encodeVote } from "./values.js";

/** A block holds at most this many entries, and is ended once it has this many bytes. */
const BLOCK_ENTRIES = 512;
const BLOCK_BYTES = 262_144;
/** One read ends once it has this many bytes. */
const READ_BYTES = 4_194_304;
/** An append waits for those before it to be written while more bytes than this are queued. */
const MAX_QUEUED_BYTES = 33_554_432;

interface Restored {
  readonly identity: StoreIdentity | null;
  readonly vote: Vote | null;
  readonly committed: LogId | null;
  readonly log: LogState;
}

/**
 * Vote, log and identity of one node in RocksDB. The log stands in blocks: entries that were appended together, under the index of
 * the first. Small values and the bounds of the log are kept in memory too.
 *
 * Breaking the contract of `RaftStorage` is a `StorageError`, and changes nothing.
 */
export class RocksdbLogStorage<C extends RaftTypeConfig> implements RaftStorage<C> {
  readonly #database: RocksDatabase;
  readonly #lane: WriteLane;
  readonly #codec: StoredValues<C>;
  readonly #unwritten = new Unwritten<C["Entry"]>();
  #identity: StoreIdentity | null;
  #vote: Vote | null;
  #committed: LogId | null;
  #lastPurgedLogId: LogId;
  #lastLogId: LogId;

  private constructor(database: RocksDatabase, lane: WriteLane, codec: StoredValues<C>, restored: Restored) {
    this.#database = database;
    this.#lane = lane;
    this.#codec = codec;
    this.#identity = restored.identity;
    this.#vote = restored.vote;
    this.#committed = restored.committed;
    this.#lastPurgedLogId = restored.log.lastPurgedLogId;
    this.#lastLogId = restored.log.lastLogId;
  }

  /** @throws when what the database holds does not decode. */
  static async open<C extends RaftTypeConfig>(
    database: RocksDatabase,
    lane: WriteLane,
    codec: StoredValues<C>,
  ): Promise<RocksdbLogStorage<C>> {
    const read = async <T>(key: Uint8Array, decode: (bytes: Uint8Array) => T): Promise<T | null> => {
      const bytes = await database.get(key);
      return bytes === null ? null : decode(bytes);
    };
    const lastPurgedLogId = (await read(PURGED_KEY, decodeLogId)) ?? ZERO_LOG_ID;
    const block = await lastBlock(database);
    let lastLogId = lastPurgedLogId;
    if (block !== null) {
      const index = block.first + block.entries.length - 1;
      if (index > lastPurgedLogId.index) lastLogId = { term: block.entries.at(-1)?.term ?? 0, index };
    }
    return new RocksdbLogStorage(database, lane, codec, {
      identity: await read(IDENTITY_KEY, decodeIdentity),
      vote: await read(VOTE_KEY, decodeVote),
      committed: await read(COMMITTED_KEY, decodeLogId),
      log: { lastPurgedLogId, lastLogId },
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

  readLogState(): LogState {
    this.#lane.check("read log");
    return { lastPurgedLogId: this.#lastPurgedLogId, lastLogId: this.#lastLogId };
  }

  logReader(): RaftLogReader<C> {
    return this;
  }

  /** Returns about 4 MiB of entries at most. @throws {StorageError} when one of the entries is not in the log. */
  readEntries(since: number, upto: number): MaybePromise<readonly C["Entry"][]> {
    this.#lane.check("read log");
    if (since > upto) return [];
    const isRange = Number.isSafeInteger(since) && Number.isSafeInteger(upto);
    if (!(isRange && since > this.#lastPurgedLogId.index && upto <= this.#lastLogId.index)) {
      throw new StorageError("read log", `entries ${since} to ${upto} were asked for, ${this.#extent()}`);
    }
    const { first } = this.#unwritten;
    if (first !== null && since >= first) return this.#unwritten.read(since, upto);
    return this.#readWritten(since, Math.min(upto, (first ?? upto + 1) - 1));
  }

  /** The entries are kept until they are written: whoever appends one never changes it again. */
  append(entries: readonly C["Entry"][], completion: IoCompletion): MaybePromise<void> {
    this.#lane.check("append");
    this.#checkAppend(entries);
    const encoded = entries.map((entry) => this.#codec.encodeEntry(entry));
    const first = this.#lastLogId.index + 1;
    const blocks = cutIntoBlocks(first, encoded);
    const kept = [...entries];
    this.#unwritten.push(first, kept);
    this.#lastLogId = (kept.at(-1) as C["Entry"]).logId;
    this.#lane.enqueue({
      verb: "append",
      bytes: blocks.reduce((sum, [key, value]) => sum + key.length + value.length, 0),
      fill: (batch) => {
        for (const [key, value] of blocks) batch.tryPut(key, value);
      },
      onWritten: () => this.#unwritten.shift(),
      onDurable: completion,
    });
    if (this.#lane.queuedBytes > MAX_QUEUED_BYTES) return this.#unwritten.drained();
  }

  /** @throws {StorageError} when `since` was purged. */
  async truncate(since: number): Promise<void> {
    this.#lane.check("truncate");
    checkInteger("since", since, 1);
    if (since > this.#lastLogId.index) return;
    if (since <= this.#lastPurgedLogId.index) {
      throw new StorageError("truncate", `entry ${since} was to be removed, ${this.#extent()}`);
    }
    await this.#unwritten.drained();
    const lastLogId = since - 1 === this.#lastPurgedLogId.index ? this.#lastPurgedLogId : null;
    const block = await this.#attempt("truncate", () => blockOf(this.#database, since));
    const before = lastLogId ?? (await this.#logIdAt("truncate", since - 1));
    await this.#write("truncate", (batch) => {
      batch.tryDeleteRange(logKey(since), LOG_END);
      if (block === null || block.first >= since) return;
      batch.tryPut(logKey(block.first), encodeBlock(block.entries.slice(0, since - block.first)));
    });
    this.#lastLogId = before;
  }

  /** @throws {StorageError} when the log holds a different entry at `upto.index`. */
  async purge({ term, index }: LogId): Promise<void> {
    this.#lane.check("purge");
    if (index <= this.#lastPurgedLogId.index) return;
    const upto = { term, index };
    await this.#unwritten.drained();
    const isPastEnd = index >= this.#lastLogId.index;
    if (index <= this.#lastLogId.index) {
      const found = await this.#logIdAt("purge", index);
      if (found.term !== term) {
        throw new StorageError("purge", `the log holds ${formatLogId(found)}, and not ${formatLogId(upto)}`);
      }
    }
    // The block that holds the first entry that stays goes later, as a whole.
    const kept = isPastEnd ? null : await this.#attempt("purge", () => blockOf(this.#database, index + 1));
    await this.#write("purge", (batch) => {
      batch.tryDeleteRange(LOG_START, kept === null ? LOG_END : logKey(kept.first));
      batch.tryPut(PURGED_KEY, encodeLogId(upto));
    });
    this.#lastPurgedLogId = upto;
    if (isPastEnd) this.#lastLogId = upto;
  }

  /** Durable with the next write that is. */
  saveCommitted({ term, index }: LogId): void {
    const committed = { term, index };
    const value = encodeLogId(committed);
    this.#lane.enqueue({
      verb: "save committed",
      bytes: COMMITTED_KEY.length + value.length,
      fill: (batch) => batch.tryPut(COMMITTED_KEY, value),
      onWritten: null,
      onDurable: null,
    });
    this.#committed = committed;
  }

  readCommitted(): LogId | null {
    return this.#committed;
  }

  async #readWritten(since: number, upto: number): Promise<readonly C["Entry"][]> {
    return this.#attempt("read log", async () => {
      const encoded = await readEncoded(this.#database, since, upto, READ_BYTES);
      return encoded.map((entry, at) => this.#codec.decodeEntry(since + at, entry));
    });
  }

  async #logIdAt(verb: StorageVerb, index: number): Promise<LogId> {
    if (index === this.#lastLogId.index) return this.#lastLogId;
    const block = await this.#attempt(verb, () => blockOf(this.#database, index));
    const entry = block?.entries[index - block.first];
    if (entry === undefined) throw new StorageError(verb, `entry ${index} is missing`);
    return { term: entry.term, index };
  }

  async #attempt<T>(verb: StorageVerb, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError(verb, messageOf(cause), { cause });
    }
  }

  #put(verb: StorageVerb, key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#lane.durable(verb, key.length + value.length, (batch) => batch.tryPut(key, value));
  }

  #write(verb: StorageVerb, fill: Fill): Promise<void> {
    return this.#lane.durable(verb, 0, fill);
  }

  #checkAppend(entries: readonly C["Entry"][]): void {
    if (entries.length === 0) throw new StorageError("append", "there are no entries to append");
    let last = this.#lastLogId;
    for (const { logId } of entries) {
      if (logId.index !== last.index + 1 || !(logId.term >= last.term)) {
        const problem = `entry ${formatLogId(logId)} does not follow on ${formatLogId(last)}`;
        throw new StorageError("append", problem);
      }
      last = logId;
    }
  }

  #extent(): string {
    const { index } = this.#lastPurgedLogId;
    const last = this.#lastLogId.index;
    const held = last === index ? "no entries" : `entries ${index + 1} to ${last}`;
    return `but the log holds ${held} and was purged up to ${index}`;
  }
}

function cutIntoBlocks(first: number, entries: readonly EncodedEntry[]): [Uint8Array, Uint8Array][] {
  const blocks: [Uint8Array, Uint8Array][] = [];
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < entries.length; at++) {
    bytes += (entries[at] as EncodedEntry).bytes.length;
    if (at + 1 < entries.length && at + 1 - from < BLOCK_ENTRIES && bytes < BLOCK_BYTES) continue;
    blocks.push([logKey(first + from), encodeBlock(entries.slice(from, at + 1))]);
    from = at + 1;
    bytes = 0;
  }
  return blocks;
}
