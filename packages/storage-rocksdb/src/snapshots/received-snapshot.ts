import type { RaftTypeConfig, Snapshot, SnapshotMeta } from "@seshat/common";
import { StorageError } from "@seshat/common";
import type { SnapshotSink } from "@seshat/storage";
import type { StateRecords } from "../records/state-records.js";
import type { FileSnapshotData } from "./file-snapshot-data.js";
import { asError, discardQuietly } from "./snapshot-errors.js";
import type { FileSnapshot, SnapshotFileWriter } from "./snapshot-file.js";

const VERB = "receive snapshot";

/** What comes from the leader, complete or not, until it is installed. One at a time. */
export class ReceivedSnapshot<C extends RaftTypeConfig> {
  readonly #records: StateRecords<C>;
  #writer: SnapshotFileWriter<C> | null = null;
  #data: FileSnapshotData | null = null;

  constructor(records: StateRecords<C>) {
    this.#records = records;
  }

  /** Takes in what comes, into a new file. What came before and was not installed goes. */
  async receive(
    begin: () => Promise<SnapshotFileWriter<C>>,
    size: number,
  ): Promise<SnapshotSink<C["SnapshotData"]>> {
    await this.#drop(this.#writer);
    const writer = await begin();
    this.#writer = writer;
    const attempt = async <T>(act: () => Promise<T>): Promise<T> => {
      if (this.#writer !== writer) throw new StorageError(VERB, "the content was given up or installed");
      if (this.#data !== null) throw new StorageError(VERB, "the content is complete");
      try {
        return await act();
      } catch (cause) {
        throw asError(VERB, cause);
      }
    };
    return {
      write: (chunk) =>
        attempt(async () => {
          const came = writer.size + chunk.length;
          if (came > size) throw new StorageError(VERB, `${came} bytes came of ${size}`);
          await writer.write(chunk);
        }),
      finish: () =>
        attempt(async () => {
          if (writer.size !== size) throw new StorageError(VERB, `only ${writer.size} bytes came of ${size}`);
          this.#data = await writer.finish();
          return this.#data;
        }),
      discard: () => this.#drop(writer),
    };
  }

  /** Gives the file away if this snapshot is what it holds, complete; otherwise null. */
  take({ meta, data }: Snapshot<C["SnapshotData"], C["Node"]>): FileSnapshot<C> | null {
    const found = this.#data;
    if (found === null || data !== found || !this.#isMeta(meta)) return null;
    this.#writer = null;
    this.#data = null;
    return { meta, data: found };
  }

  /** Nothing can be read any more. */
  async close(): Promise<void> {
    const [writer, data] = [this.#writer, this.#data];
    this.#writer = null;
    this.#data = null;
    if (writer !== null) await discardQuietly(writer);
    await data?.close();
  }

  #isMeta(meta: SnapshotMeta<C["Node"]>): boolean {
    if (this.#writer === null) return false;
    const [a, b] = [this.#records.encodeMeta(this.#writer.meta), this.#records.encodeMeta(meta)];
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
  }

  async #drop(writer: SnapshotFileWriter<C> | null): Promise<void> {
    if (writer === null || this.#writer !== writer) return;
    this.#writer = null;
    this.#data = null;
    try {
      await writer.discard();
    } catch (cause) {
      throw asError(VERB, cause);
    }
  }
}
