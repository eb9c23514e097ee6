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
    this.#timer ??= setTimeout(() => this.#begin(), MARKER_SYNC_MS).unref();
  }

  /** Ends when the marker is durable. */
  async close(): Promise<void> {
    this.stop();
    await this.#sync;
    await this.#marker.sync();
  }

  /** Begins nothing more by itself. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Ends when no sync is under way. */
  async settled(): Promise<void> {
    await this.#sync;
  }

  #begin(): void {
    this.#timer = null;
    this.#sync = this.#marker
      .sync()
      .catch(this.#onFailure)
      .finally(() => {
        this.#sync = null;
      });
  }
}
