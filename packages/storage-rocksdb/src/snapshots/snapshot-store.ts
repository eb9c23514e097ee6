import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { RaftTypeConfig, Snapshot, SnapshotMeta, StorageVerb } from "@seshat/common";
import { CodecError } from "@seshat/common";
import type { SnapshotSink } from "@seshat/storage";
import type { StoreIo } from "../io/store-io.js";
import type { StateRecords } from "../records/state-records.js";
import { ReceivedSnapshot } from "./received-snapshot.js";
import { asError, discardQuietly } from "./snapshot-errors.js";
import type { FileSnapshot } from "./snapshot-file.js";
import { SnapshotFileWriter, openSnapshotFile } from "./snapshot-file.js";

type Pause = () => Promise<void>;

const NAME = /^snapshot-(\d{16})-(\d{10})$/;
const UNFINISHED = /^unfinished-\d+$/;

/**
 * The snapshots of a node, as files of a directory: the current one under a name that says its last index, and what is being written
 * under a name that makes it go at the next start. A file becomes the current snapshot by one rename.
 */
export class SnapshotStore<C extends RaftTypeConfig> {
  readonly #dir: string;
  readonly #io: StoreIo;
  readonly #records: StateRecords<C>;
  #current: FileSnapshot<C> | null;
  /** The name of the current one's file. */
  #currentName: string | null;
  #sequence: number;
  #files = 0;
  readonly #received: ReceivedSnapshot<C>;
  readonly #keeping = new Mutex();

  private constructor(
    dir: string,
    io: StoreIo,
    records: StateRecords<C>,
    current: FileSnapshot<C> | null,
    names: readonly string[],
  ) {
    this.#dir = dir;
    this.#io = io;
    this.#records = records;
    this.#received = new ReceivedSnapshot<C>(records);
    this.#current = current;
    this.#currentName = names.at(-1) ?? null;
    this.#sequence = Math.max(0, ...names.map((name) => Number(NAME.exec(name)?.[2])));
  }

  /**
   * Finds the current snapshot, and removes what a crash left beside it.
   *
   * @throws {UnusableStoreError} when it is damaged: the log behind it may be gone.
   */
  static async open<C extends RaftTypeConfig>(
    dir: string,
    io: StoreIo,
    records: StateRecords<C>,
  ): Promise<SnapshotStore<C>> {
    const files = await readdir(dir);
    const names = files.filter((name) => NAME.test(name)).sort();
    const newest = names.at(-1);
    const current = newest === undefined ? null : await openSnapshotFile(io, join(dir, newest), records);
    const leftovers = [...names.slice(0, -1), ...files.filter((name) => UNFINISHED.test(name))];
    for (const name of leftovers) await io.unlink(join(dir, name));
    // Whoever was killed may have given the current one its name and not synced that: from here on the log may be purged up to it.
    await io.syncDirectory(dir);
    return new SnapshotStore(dir, io, records, current, names);
  }

  get current(): FileSnapshot<C> | null {
    return this.#current;
  }

  /** True when `data` is the content of the current snapshot: it is durable already. */
  isCurrent(data: unknown): boolean {
    return this.#current !== null && data === this.#current.data;
  }

  /** Writes a content into a new file. It is not durable yet, and gone if nothing more is done with it. */
  async write(
    verb: StorageVerb,
    meta: SnapshotMeta<C["Node"]>,
    chunks: AsyncIterable<Uint8Array>,
    pause: Pause,
    expectedSize: number | null = null,
  ): Promise<FileSnapshot<C>> {
    const writer = await this.#begin(verb, meta);
    try {
      for await (const chunk of chunks) {
        await writer.write(chunk);
        if (expectedSize !== null && writer.size > expectedSize) break;
        await pause();
      }
      if (expectedSize !== null && writer.size !== expectedSize) {
        const found = writer.size > expectedSize ? "more" : `only ${writer.size}`;
        const at = Math.min(writer.size, expectedSize);
        throw new CodecError("snapshot", at, `${expectedSize} bytes expected, ${found} found`);
      }
      return { meta, data: await writer.finish() };
    } catch (cause) {
      await discardQuietly(writer);
      throw asError(verb, cause);
    }
  }

  /** The file that holds what is to be installed: what was received, or a copy of what stands elsewhere. */
  async stored(
    { meta, data }: Snapshot<C["SnapshotData"], C["Node"]>,
    pause: Pause,
  ): Promise<FileSnapshot<C>> {
    const received = this.#received.take({ meta, data });
    return received ?? this.write("install snapshot", meta, data.read(0), pause, data.size);
  }

  /**
   * Makes a file the current snapshot, unless that is newer; then only its holder has it. Durable when it ends. The one before it is
   * removed, and can be read by those who hold it.
   */
  async keep(verb: StorageVerb, snapshot: FileSnapshot<C>): Promise<void> {
    await this.#keeping.run(async () => {
      try {
        const { index } = snapshot.meta.lastLogId;
        const { path } = snapshot.data;
        if (this.#current !== null && this.#current.meta.lastLogId.index > index) {
          await this.#io.unlink(path);
          return;
        }
        await snapshot.data.sync();
        this.#sequence += 1;
        const name = `snapshot-${String(index).padStart(16, "0")}-${String(this.#sequence).padStart(10, "0")}`;
        await this.#io.rename(path, join(this.#dir, name));
        await this.#io.syncDirectory(this.#dir);
        const before = this.#currentName;
        this.#current = snapshot;
        this.#currentName = name;
        if (before !== null) await this.#io.unlink(join(this.#dir, before));
      } catch (cause) {
        throw asError(verb, cause);
      }
    });
  }

  /** Removes a file that will not be a snapshot. */
  async abandon({ data }: FileSnapshot<C>): Promise<void> {
    // The reason to give it up matters more; what is left goes at the next start.
    await this.#io.unlink(data.path).catch(() => {});
  }

  /** Takes in what comes from the leader. What came before and was not installed goes. */
  receive(meta: SnapshotMeta<C["Node"]>, size: number): Promise<SnapshotSink<C["SnapshotData"]>> {
    return this.#received.receive(() => this.#begin("receive snapshot", meta), size);
  }

  /** Nothing can be read any more. */
  async close(): Promise<void> {
    await this.#received.close();
    await this.#current?.data.close();
  }

  async #begin(verb: StorageVerb, meta: SnapshotMeta<C["Node"]>): Promise<SnapshotFileWriter<C>> {
    this.#files += 1;
    const path = join(this.#dir, `unfinished-${this.#files}`);
    try {
      return await SnapshotFileWriter.create(this.#io, path, meta, this.#records);
    } catch (cause) {
      throw asError(verb, cause);
    }
  }
}

/** Lets one act at a time. */
class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#last.then(act, act);
    this.#last = done;
    return done;
  }
}
