import type { SnapshotData } from "@seshat/common";
import { StorageError, checkInteger } from "@seshat/common";
import type { SnapshotSink } from "../traits/raft-state-machine.js";
import { MemSnapshotData } from "./mem-snapshot-data.js";

/** Collects the content of a snapshot in memory, never more than was announced. */
export class MemSnapshotSink implements SnapshotSink<SnapshotData> {
  readonly #expected: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #over: "finished" | "discarded" | null = null;

  /**
   * @param expected the length of the whole content in bytes.
   * @throws {InvalidValueError} when no content can have it.
   */
  constructor(expected: number) {
    this.#expected = checkInteger("size", expected, 0);
  }

  /** @throws {StorageError} when the content would be longer than it was said to be, or was finished or discarded. */
  write(chunk: Uint8Array): void {
    this.#checkOpen();
    const size = this.#size + chunk.length;
    if (size > this.#expected) {
      throw new StorageError("receive snapshot", `${size} bytes came of ${this.#expected}`);
    }
    // However many come of those without bytes, they take no room.
    if (chunk.length > 0) this.#chunks.push(new Uint8Array(chunk));
    this.#size = size;
  }

  /** @throws {StorageError} when something is missing, or it was finished or discarded before. */
  finish(): SnapshotData {
    this.#checkOpen();
    if (this.#size !== this.#expected) {
      throw new StorageError("receive snapshot", `only ${this.#size} bytes came of ${this.#expected}`);
    }
    this.#over = "finished";
    return MemSnapshotData.of(this.#chunks);
  }

  /** Lets go of everything, but not of a content that was finished: that is its holder's. */
  discard(): void {
    this.#over ??= "discarded";
    this.#chunks = [];
  }

  #checkOpen(): void {
    if (this.#over !== null) {
      throw new StorageError("receive snapshot", `the content was ${this.#over}, and nothing may follow`);
    }
  }
}
