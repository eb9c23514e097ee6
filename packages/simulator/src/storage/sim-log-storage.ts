import type { LogId, RaftTypeConfig, StorageVerb, StoreIdentity, Vote } from "@seshat/common";
import {
  StorageError,
  ZERO_VOTE,
  checkInteger,
  formatLogId,
  formatVote,
  voteMayBecome,
} from "@seshat/common";
import type { IoCompletion, LogState, MaybePromise, RaftLogReader, RaftStorage } from "@seshat/storage";
import type { ControlFormat, LogPosition, PurgeMark, Stamped } from "./control-file.js";
import {
  COMMITTED,
  IDENTITY,
  LOG_START,
  PURGED,
  VOTE,
  decodeControl,
  encodeControl,
  isBefore,
} from "./control-file.js";
import { DamagedFileError } from "./damaged-file-error.js";
import type { EntryCodec } from "@seshat/common/codec";
import type { EntryIndex, EntryPlace } from "./entry-index.js";
import type { RecordWriter } from "./log-format.js";
import { ENTRY_RECORD, TRUNCATE_RECORD, writeLogId, readRecord, segmentFile } from "./log-format.js";
import { LogFile } from "./log-file.js";
import { andThen } from "./maybe-promise.js";
import { recoverLog } from "./recover-log.js";
import type { StoreDisk } from "./store-disk.js";

/** What one read returns at most, unless a single entry is longer. */
const MAX_READ_BYTES = 256 * 1024;

/** What a log storage is made of. */
export interface LogStorageParts<C extends RaftTypeConfig> {
  readonly store: StoreDisk;
  readonly codec: EntryCodec<C>;
  /** A segment that has become this long is followed by another one. */
  readonly segmentBytes: number;
}

/** What the files of a log half hold. */
interface Contents {
  readonly identity: StoreIdentity | null;
  readonly vote: Vote | null;
  readonly purged: PurgeMark;
  readonly committed: LogId | null;
  readonly index: EntryIndex;
}

/**
 * The vote and the log of one node on a {@link Disk}: a log of checksummed records in segments, and files of their own for what is
 * replaced as a whole. Of the entries only their places are kept in memory.
 */
export class SimLogStorage<C extends RaftTypeConfig> implements RaftStorage<C> {
  readonly #store: StoreDisk;
  readonly #codec: EntryCodec<C>;
  readonly #log: LogFile;
  readonly #index: EntryIndex;
  #identity: StoreIdentity | null;
  #vote: Vote | null;
  #purged: PurgeMark;
  #committed: LogId | null;

  private constructor({ store, codec }: LogStorageParts<C>, log: LogFile, contents: Contents) {
    this.#store = store;
    this.#codec = codec;
    this.#log = log;
    this.#index = contents.index;
    this.#identity = contents.identity;
    this.#vote = contents.vote;
    this.#purged = contents.purged;
    this.#committed = contents.committed;
  }

  /**
   * Reads what the disk holds, and makes it durable: a process may have died and left it in memory only. Which files there are is durable
   * already.
   *
   * @throws {DamagedFileError} when it is not what was written.
   */
  static async open<C extends RaftTypeConfig>(parts: LogStorageParts<C>): Promise<SimLogStorage<C>> {
    const { store, segmentBytes } = parts;
    const identity = await readControl(store, "read identity", IDENTITY);
    const vote = await readControl(store, "read vote", VOTE);
    const mark = await readControl(store, "read log", PURGED);
    const committed = await readHint(store);
    const purged = mark?.value ?? { logId: { term: 0, index: 0 }, firstSegment: 1 };
    const durable = latest([vote, mark, committed]);
    const { index, active } = await recoverLog(store, purged, durable);
    const log = new LogFile(store, segmentBytes, active, active?.number ?? purged.firstSegment - 1);
    await log.settle();
    return new SimLogStorage(parts, log, {
      identity,
      vote: vote?.value ?? null,
      purged,
      committed: committed?.value ?? null,
      index,
    });
  }

  readIdentity(): StoreIdentity | null {
    this.#store.check("read identity");
    return this.#identity;
  }

  /** @throws {StorageError} when the store has another identity already. */
  async saveIdentity({ clusterId, nodeId, incarnation }: StoreIdentity): Promise<void> {
    if (this.#identity !== null) throw new StorageError("save identity", "this store has one already");
    const identity = { clusterId, nodeId, incarnation };
    await this.#store.change("save identity", () =>
      this.#store.replace("save identity", IDENTITY.file, encodeControl(IDENTITY, identity)),
    );
    this.#identity = identity;
  }

  readVote(): Vote | null {
    this.#store.check("read vote");
    return this.#vote;
  }

  /** @throws {StorageError} when a node that promised the stored vote may not promise this one. */
  async saveVote({ term, votedFor, committed }: Vote): Promise<void> {
    const vote = { term, votedFor, committed };
    const stored = this.#vote ?? ZERO_VOTE;
    if (!voteMayBecome(stored, vote)) {
      throw new StorageError("save vote", `${formatVote(vote)} may not follow ${formatVote(stored)}`);
    }
    await this.#store.change("save vote", async () => {
      await this.#log.sync();
      await this.#replaceStamped("save vote", VOTE, vote);
    });
    this.#vote = vote;
  }

  readLogState(): LogState {
    this.#store.check("read log");
    return { lastPurgedLogId: this.#index.before, lastLogId: this.#index.lastLogId };
  }

  logReader(): RaftLogReader<C> {
    return this;
  }

  /** Returns entries that stand side by side in one segment, up to 256 KiB of them. */
  readEntries(since: number, upto: number): MaybePromise<readonly C["Entry"][]> {
    this.#store.check("read log");
    if (since > upto) return [];
    const first = this.#index.get(since);
    if (first === undefined || this.#index.get(upto) === undefined) {
      const { before, lastLogId } = this.#index;
      const held = `the log holds those after ${before.index} up to ${lastLogId.index}`;
      throw new StorageError("read log", `asked for entries ${since} to ${upto}, but ${held}`);
    }
    const isWritten = this.#log.isWritten(first);
    const places = [first];
    let end = first.offset + first.length;
    for (let index = since + 1; index <= upto; index++) {
      const place = this.#index.get(index) as EntryPlace;
      const fits = place.offset + place.length - first.offset <= MAX_READ_BYTES;
      if (place.segment !== first.segment || place.offset !== end || !fits) break;
      if (this.#log.isWritten(place) !== isWritten) break;
      places.push(place);
      end += place.length;
    }
    return andThen(this.#readBytes(first, end - first.offset), (bytes) =>
      places.map((place, i) => this.#decode(bytes.subarray(place.offset - first.offset), place, since + i)),
    );
  }

  append(entries: readonly C["Entry"][], completion: IoCompletion): MaybePromise<void> {
    this.#store.check("append");
    this.#checkFollows(entries);
    return this.#store.change("append", () =>
      andThen(this.#log.begin(this.#index.lastLogId), (writer) => {
        const places = entries.map((entry) => this.#place(writer, entry));
        this.#log.add(writer);
        for (const place of places) this.#index.push(place);
        this.#log.whenDurable(completion);
      }),
    );
  }

  /** @throws {StorageError} when `since` was purged. */
  async truncate(since: number): Promise<void> {
    checkInteger("since", since, 0);
    this.#store.check("truncate");
    const { before, lastLogId } = this.#index;
    if (since <= before.index) {
      throw new StorageError(
        "truncate",
        `it begins at entry ${since}, but the log was purged up to ${before.index}`,
      );
    }
    if (since > lastLogId.index) return;
    const last = this.#index.logIdAt(since - 1) as LogId;
    await this.#store.change("truncate", async () => {
      const writer = await this.#log.begin(lastLogId);
      writer.write(TRUNCATE_RECORD, (payload) => writeLogId(payload, last));
      this.#log.add(writer);
      this.#index.endWith(last);
      await this.#log.sync();
    });
  }

  /** @throws {StorageError} when the log holds a different entry at `upto.index`. */
  async purge({ term, index }: LogId): Promise<void> {
    const upto = { term: checkInteger("upto.term", term, 0), index: checkInteger("upto.index", index, 0) };
    this.#store.check("purge");
    if (upto.index <= this.#index.before.index) return;
    const held = this.#index.logIdAt(upto.index);
    if (held !== undefined && held.term !== upto.term) {
      throw new StorageError(
        "purge",
        `it ends at ${formatLogId(upto)}, but the log holds ${formatLogId(held)}`,
      );
    }
    await this.#store.change("purge", async () => {
      await this.#log.sync();
      const next = this.#index.get(upto.index + 1);
      const purged = { logId: upto, firstSegment: next?.segment ?? this.#log.number + 1 };
      await this.#replaceStamped("purge", PURGED, purged);
      const { firstSegment } = this.#purged;
      this.#purged = purged;
      if (next === undefined) this.#index.endWith(this.#index.before);
      this.#index.beginAfter(upto);
      await this.#log.drop(firstSegment, purged.firstSegment);
    });
  }

  /** Not synced: a hint that is lost costs a little time. */
  saveCommitted({ term, index }: LogId): MaybePromise<void> {
    const value = { term, index };
    const bytes = encodeControl(COMMITTED, { value, durable: this.#log.durable });
    return andThen(
      this.#store.change("save committed", () =>
        this.#store.write("save committed", COMMITTED.file, 0, bytes),
      ),
      () => {
        this.#committed = value;
      },
    );
  }

  readCommitted(): LogId | null {
    this.#store.check("read log");
    return this.#committed;
  }

  #place(writer: RecordWriter, entry: C["Entry"]): EntryPlace {
    const { offset, length } = writer.write(ENTRY_RECORD, (payload) =>
      this.#codec.writeEntry(payload, entry),
    );
    return { term: entry.logId.term, segment: writer.segment, offset, length };
  }

  #checkFollows(entries: readonly C["Entry"][]): void {
    if (entries.length === 0) throw new StorageError("append", "there are no entries to append");
    let last = this.#index.lastLogId;
    for (const { logId } of entries) {
      if (logId.index !== last.index + 1 || !(logId.term >= last.term)) {
        const problem = `entry ${formatLogId(logId)} does not follow on ${formatLogId(last)}`;
        throw new StorageError("append", problem);
      }
      last = logId;
    }
  }

  async #replaceStamped<T>(verb: StorageVerb, format: ControlFormat<Stamped<T>>, value: T): Promise<void> {
    const bytes = encodeControl(format, { value, durable: this.#log.durable });
    await this.#store.replace(verb, format.file, bytes);
  }

  #readBytes(place: EntryPlace, length: number): MaybePromise<Uint8Array> {
    const fail = (thrown: unknown): never => {
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      throw new StorageError("read log", problem, { cause: thrown });
    };
    try {
      const bytes = this.#log.read(place, length);
      return bytes instanceof Promise ? bytes.catch(fail) : bytes;
    } catch (thrown) {
      return fail(thrown);
    }
  }

  #decode(bytes: Uint8Array, place: EntryPlace, index: number): C["Entry"] {
    const { segment, offset, term } = place;
    const damaged = (problem: string, options?: ErrorOptions): DamagedFileError =>
      new DamagedFileError("read log", segmentFile(segment), offset, problem, options);
    const record = readRecord(bytes, place, null);
    if (record === null || record.length !== place.length) throw damaged(`entry ${index} cannot be read`);
    try {
      const entry = this.#codec.readEntry(record.payload);
      if (entry.logId.index === index && entry.logId.term === term) return entry;
    } catch (cause) {
      throw damaged(`entry ${index}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    throw damaged(`another entry than ${index}`);
  }
}

async function readControl<T>(
  store: StoreDisk,
  verb: StorageVerb,
  format: ControlFormat<T>,
): Promise<T | null> {
  const bytes = await store.readWhole(format.file);
  if (bytes === null) return null;
  return decodeControl(verb, format, bytes);
}

/** The hint is written in place and not synced, so a crash may well have torn it. */
async function readHint(store: StoreDisk): Promise<Stamped<LogId> | null> {
  const bytes = await store.readWhole(COMMITTED.file);
  if (bytes === null) return null;
  try {
    return decodeControl("read log", COMMITTED, bytes);
  } catch (thrown) {
    if (!(thrown instanceof DamagedFileError)) throw thrown;
    await store.disk.remove(COMMITTED.file);
    return null;
  }
}

/** How far the log was durable for certain, as far as the files beside it say. */
function latest(stamps: readonly (Stamped<unknown> | null)[]): LogPosition {
  let durable = LOG_START;
  for (const stamp of stamps) {
    if (stamp !== null && isBefore(durable, stamp.durable)) durable = stamp.durable;
  }
  return durable;
}
