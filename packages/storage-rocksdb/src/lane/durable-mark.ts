import type { MarkerFile } from "../opening/marker-file.js";

/** How long the marker may say less than is durable, after a power failure, in milliseconds. */
const MARKER_SYNC_MS = 1000;

/** Writes down in the marker how much of the journal is durable, and syncs that behind it. */
export class DurableMark {
  readonly #marker: MarkerFile;
  readonly #onFailure: (error: unknown) => void;
  #number: number;
  #timer: NodeJS.Timeout | null = null;
  #sync: Promise<void> | null = null;

  /** @param onFailure a sync that nobody waits for has failed. */
  constructor(marker: MarkerFile, number: number, onFailure: (error: unknown) => void) {
    this.#marker = marker;
    this.#number = number;
    this.#onFailure = onFailure;
  }

  /** The number of the last record that is durable. */
  get number(): number {
    return this.#number;
  }

  /** To be called before anybody is told: whatever becomes of this process, the next one knows what was promised. */
  async set(number: number): Promise<void> {
    this.#number = number;
    await this.#marker.write(number);
    this.#beginLater();
  }

  /**
   * Nothing is written any more, and no call to the marker is under way when it ends.
   *
   * @param isToSync the marker is to be durable by then.
   */
  async close(isToSync: boolean): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#sync;
    if (isToSync) await this.#marker.sync();
  }

  #beginLater(): void {
    this.#timer ??= setTimeout(() => this.#begin(), MARKER_SYNC_MS).unref();
  }

  #begin(): void {
    this.#timer = null;
    // One at a time: on a disk that hangs each takes a thread of those that everybody shares.
    if (this.#sync !== null) return this.#beginLater();
    this.#sync = this.#marker
      .sync()
      .catch(this.#onFailure)
      .finally(() => {
        this.#sync = null;
      });
  }
}
