import type {
  LogId,
  RaftTypeConfig,
  StorageVerb,
  StoredMembership,
  StoreIdentity,
  Vote,
} from "@seshat/common";
import { StorageError, ZERO_LOG_ID, checkInteger, formatLogId } from "@seshat/common";
import type { IoCompletion, LogState, MaybePromise, RaftLogReader, RaftStorage } from "@seshat/storage";
import { EntryCodec } from "@seshat/common/codec";
import type { StoreCodec } from "../codec.js";
import { messageOf } from "../errors.js";
import { LOG_END, LOG_START, PURGED_KEY, logKey } from "../keys.js";
import type { Fill } from "../journal/operations.js";
import type { WriteLane } from "../lane/write-lane.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import { decodeLogId, encodeLogId } from "../records/hard-state.js";
import { BlockBuilder } from "./block-builder.js";
import { BlockReader } from "./block-reader.js";
import { HardState, readRecord } from "./hard-state.js";
import { Unwritten } from "./unwritten.js";

/** An append waits for those before it while more bytes than this wait for the database, or for the journal. */
const MAX_QUEUED_BYTES = 33_554_432;

const NOTHING: Fill = () => {};

interface Parts<C extends RaftTypeConfig> {
  readonly lane: WriteLane;
  readonly hardState: HardState;
  readonly reader: BlockReader<C>;
  readonly builder: BlockBuilder<C>;
  readonly log: LogState;
}

/**
 * Vote, log and identity of one node in RocksDB. The log stands in blocks: entries that were appended together, under the index of
 * the first. The bounds of the log are kept in memory too.
 *
 * Breaking the contract of `RaftStorage` is a `StorageError`, and changes nothing.
 */
export class RocksdbLogStorage<C extends RaftTypeConfig> implements RaftStorage<C> {
  readonly #lane: WriteLane;
  readonly #hardState: HardState;
  readonly #reader: BlockReader<C>;
  readonly #builder: BlockBuilder<C>;
  readonly #unwritten = new Unwritten<C["Entry"]>();
  #lastPurgedLogId: LogId;
  #lastLogId: LogId;

  private constructor({ lane, hardState, reader, builder, log }: Parts<C>) {
    this.#lane = lane;
    this.#hardState = hardState;
    this.#reader = reader;
    this.#builder = builder;
    this.#lastPurgedLogId = log.lastPurgedLogId;
    this.#lastLogId = log.lastLogId;
  }

  /** @throws when what the database holds does not decode. */
  static async open<C extends RaftTypeConfig>(
    database: RocksDatabase,
    lane: WriteLane,
    storeCodec: StoreCodec<C>,
  ): Promise<RocksdbLogStorage<C>> {
    const codec = new EntryCodec<C>(storeCodec);
    const reader = new BlockReader<C>(database, codec);
    const lastPurgedLogId = (await readRecord(database, PURGED_KEY, decodeLogId)) ?? ZERO_LOG_ID;
    const last = (await reader.lastBlock())?.entries().at(-1)?.logId ?? ZERO_LOG_ID;
    const lastLogId = last.index > lastPurgedLogId.index ? last : lastPurgedLogId;
    const hardState = await HardState.open(database, lane);
    const builder = new BlockBuilder<C>(codec);
    return new RocksdbLogStorage({ lane, hardState, reader, builder, log: { lastPurgedLogId, lastLogId } });
  }

  readIdentity(): StoreIdentity | null {
    return this.#hardState.readIdentity();
  }

  saveIdentity(identity: StoreIdentity): Promise<void> {
    return this.#hardState.saveIdentity(identity);
  }

  readVote(): Vote | null {
    return this.#hardState.readVote();
  }

  saveVote(vote: Vote): Promise<void> {
    return this.#hardState.saveVote(vote);
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
    this.#checkRange(since, upto);
    const { first } = this.#unwritten;
    if (first !== null && since >= first) return this.#unwritten.read(since, upto);
    return this.#readWritten(since, Math.min(upto, (first ?? upto + 1) - 1));
  }

  /** The entries are kept until they are written: whoever appends one never changes it again. */
  append(entries: readonly C["Entry"][], completion: IoCompletion): MaybePromise<void> {
    this.#lane.check("append");
    this.#checkAppend(entries);
    const isFirst = this.#builder.isEmpty;
    const bytes = this.#builder.add(entries);
    const kept = [...entries];
    this.#unwritten.push(this.#lastLogId.index + 1, kept);
    this.#lastLogId = (kept.at(-1) as C["Entry"]).logId;
    this.#lane.enqueue({
      verb: "append",
      bytes,
      // All appends of one batch share their blocks: the first of them brings what the others have added too.
      fill: isFirst ? this.#putBlocks : NOTHING,
      onWritten: this.#onAppendWritten,
      onDurable: completion,
    });
    if (this.#lane.queuedBytes > MAX_QUEUED_BYTES) return this.#caughtUp();
  }

  /** @throws {StorageError} when `since` was purged. */
  async truncate(since: number): Promise<void> {
    this.#lane.check("truncate");
    checkInteger("since", since, 1);
    if (since > this.#lastLogId.index) return;
    if (since <= this.#lastPurgedLogId.index) {
      throw new StorageError("truncate", `entry ${since} was to be removed, ${this.#extent()}`);
    }
    await this.#drain("truncate");
    const lastLogId = since - 1 === this.#lastPurgedLogId.index ? this.#lastPurgedLogId : null;
    const before = lastLogId ?? (await this.#logIdAt("truncate", since - 1));
    const block = await this.#attempt("truncate", () => this.#reader.blockOf(since));
    // What stays of the block in which the log ends from now on.
    const kept = block === null || block.first >= since ? [] : block.entries(block.first, since - 1);
    await this.#write("truncate", (batch) => {
      batch.tryDeleteRange(logKey(since), LOG_END);
      this.#builder.seal();
      if (kept.length === 0) return;
      this.#builder.add(kept);
      this.#putBlocks(batch);
    });
    this.#lastLogId = before;
  }

  /** @throws {StorageError} when the log holds a different entry at `upto.index`. */
  async purge({ term, index }: LogId): Promise<void> {
    this.#lane.check("purge");
    if (index <= this.#lastPurgedLogId.index) return;
    const upto = { term, index };
    await this.#drain("purge");
    const isPastEnd = index >= this.#lastLogId.index;
    if (index <= this.#lastLogId.index) {
      const found = await this.#logIdAt("purge", index);
      if (found.term !== term) {
        throw new StorageError("purge", `the log holds ${formatLogId(found)}, and not ${formatLogId(upto)}`);
      }
    }
    // The block that holds the first entry that stays goes later, as a whole.
    const kept = isPastEnd ? null : await this.#attempt("purge", () => this.#reader.blockOf(index + 1));
    await this.#write("purge", (batch) => {
      this.#builder.seal();
      batch.tryDeleteRange(LOG_START, kept === null ? LOG_END : logKey(kept.first));
      batch.tryPut(PURGED_KEY, encodeLogId(upto));
    });
    this.#lastPurgedLogId = upto;
    if (isPastEnd) this.#lastLogId = upto;
  }

  saveCommitted(committed: LogId): void {
    this.#hardState.saveCommitted(committed);
  }

  readCommitted(): LogId | null {
    return this.#hardState.readCommitted();
  }

  /** Goes through all of the range once, and decodes nothing but memberships. @throws {StorageError} when one of the entries is not in the log. */
  async readMemberships(since: number, upto: number): Promise<readonly StoredMembership<C["Node"]>[]> {
    this.#lane.check("read log");
    if (since > upto) return [];
    this.#checkRange(since, upto);
    await this.#drain("read log");
    return this.#attempt("read log", () => this.#reader.findMemberships(since, upto));
  }

  #readWritten(since: number, upto: number): Promise<readonly C["Entry"][]> {
    return this.#attempt("read log", () => this.#reader.read(since, upto));
  }

  async #logIdAt(verb: StorageVerb, index: number): Promise<LogId> {
    if (index === this.#lastLogId.index) return this.#lastLogId;
    const block = await this.#attempt(verb, () => this.#reader.blockOf(index));
    const [entry] = block?.entries(index, index) ?? [];
    if (entry === undefined) throw new StorageError(verb, `entry ${index} is missing`);
    return entry.logId;
  }

  async #attempt<T>(verb: StorageVerb, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError(verb, messageOf(cause), { cause });
    }
  }

  readonly #putBlocks: Fill = (batch) => this.#builder.putInto(batch);

  readonly #onAppendWritten = (): void => this.#unwritten.shift();

  #write(verb: StorageVerb, fill: Fill): Promise<void> {
    return this.#lane.durableAndWritten(verb, 0, fill);
  }

  /** Ends when all entries stand in the database. */
  async #drain(verb: StorageVerb): Promise<void> {
    if (this.#unwritten.first !== null) await this.#lane.written(verb, 0, NOTHING);
  }

  /** Ends when all entries are durable and stand in the database, or never will: that is told to their completions. */
  async #caughtUp(): Promise<void> {
    await this.#lane.durableAndWritten("append", 0, NOTHING).catch(() => {});
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

  #checkRange(since: number, upto: number): void {
    const isRange = Number.isSafeInteger(since) && Number.isSafeInteger(upto);
    if (!(isRange && since > this.#lastPurgedLogId.index && upto <= this.#lastLogId.index)) {
      throw new StorageError("read log", `entries ${since} to ${upto} were asked for, ${this.#extent()}`);
    }
  }

  #extent(): string {
    const { index } = this.#lastPurgedLogId;
    const last = this.#lastLogId.index;
    const held = last === index ? "no entries" : `entries ${index + 1} to ${last}`;
    return `but the log holds ${held} and was purged up to ${index}`;
  }
}
