import type { RaftTypeConfig, Snapshot, SnapshotMeta, StorageVerb } from "@seshat/common";
import { DamagedFileError } from "./damaged-file-error.js";
import { DiskSnapshotData } from "./disk-snapshot-data.js";
import type { EntryCodec } from "@seshat/common/codec";
import { SnapshotWriter } from "./snapshot-writer.js";
import type { StoreDisk } from "./store-disk.js";
import { TEMPORARY_SUFFIX } from "./store-disk.js";

const FILE_NAME = /^snapshot-(\d{12})$/;

/** A snapshot on disk. */
export type DiskSnapshot<C extends RaftTypeConfig> = Snapshot<DiskSnapshotData, C["Node"]>;

/** The snapshots of one node on disk: the current one, and those that are being written. */
export class SnapshotStore<C extends RaftTypeConfig> {
  readonly #store: StoreDisk;
  readonly #codec: EntryCodec<C>;
  /** Of the newest file that there was. */
  #number: number;
  #temporaries = 0;
  #current: DiskSnapshot<C> | null;
  /** Snapshots are kept one after another. */
  #last: Promise<void> = Promise.resolve();

  private constructor(
    store: StoreDisk,
    codec: EntryCodec<C>,
    number: number,
    current: DiskSnapshot<C> | null,
  ) {
    this.#store = store;
    this.#codec = codec;
    this.#number = number;
    this.#current = current;
  }

  /**
   * Finds the newest snapshot and removes the others. Which files there are is durable already.
   *
   * @throws {DamagedFileError} when it is not what was written.
   */
  static async open<C extends RaftTypeConfig>(
    store: StoreDisk,
    codec: EntryCodec<C>,
  ): Promise<SnapshotStore<C>> {
    const files = (await store.disk.list()).filter((file) => FILE_NAME.test(file));
    const newest = files.pop();
    if (newest === undefined) return new SnapshotStore(store, codec, 0, null);
    const data = await DiskSnapshotData.open(store, newest);
    const snapshot = { meta: decodeMeta(codec, data), data };
    for (const file of files) await store.disk.remove(file);
    return new SnapshotStore(store, codec, Number(FILE_NAME.exec(newest)?.[1]), snapshot);
  }

  get current(): DiskSnapshot<C> | null {
    return this.#current;
  }

  /** Begins a file for a snapshot, which is not the current one until it is kept. */
  async begin(verb: StorageVerb, meta: SnapshotMeta<C["Node"]>): Promise<SnapshotWriter> {
    this.#temporaries += 1;
    const file = `snapshot-${this.#temporaries}${TEMPORARY_SUFFIX}`;
    const writer = new SnapshotWriter(this.#store, verb, file, this.#codec.encodeMeta(meta));
    await writer.begin();
    return writer;
  }

  /** True when the file of `data` says that it is the content of a snapshot with this meaning. */
  isOf(data: DiskSnapshotData, meta: SnapshotMeta<C["Node"]>): boolean {
    const encoded = this.#codec.encodeMeta(meta);
    const { meta: found } = data.header;
    return encoded.length === found.length && encoded.every((byte, i) => byte === found[i]);
  }

  /**
   * Makes a snapshot that was written the current one, unless that is newer: several may be written at once. It is durable once this returns.
   * One that is not kept is removed, and who has its content can go on reading it.
   */
  keep(verb: StorageVerb, snapshot: DiskSnapshot<C>): Promise<void> {
    const kept = this.#last.then(() => this.#store.change(verb, () => this.#keep(snapshot)));
    this.#last = kept.catch(() => {});
    return kept;
  }

  /** Removes a snapshot that was written and is not kept. */
  async discard(verb: StorageVerb, file: string): Promise<void> {
    await this.#store.change(verb, () => this.#store.removeIfThere(file));
  }

  async #keep(snapshot: DiskSnapshot<C>): Promise<void> {
    const { disk } = this.#store;
    const { data, meta } = snapshot;
    const before = this.#current;
    if (before !== null && before.meta.lastLogId.index > meta.lastLogId.index) return disk.remove(data.file);
    this.#number += 1;
    const file = fileOf(this.#number);
    await disk.rename(data.file, file);
    data.file = file;
    await disk.syncDirectory();
    this.#current = snapshot;
    if (before !== null) await disk.remove(before.data.file);
  }
}

function fileOf(number: number): string {
  return `snapshot-${String(number).padStart(12, "0")}`;
}

function decodeMeta<C extends RaftTypeConfig>(
  codec: EntryCodec<C>,
  { file, header }: DiskSnapshotData,
): SnapshotMeta<C["Node"]> {
  try {
    return codec.decodeMeta(header.meta);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new DamagedFileError("read snapshot", file, 0, problem, { cause });
  }
}
