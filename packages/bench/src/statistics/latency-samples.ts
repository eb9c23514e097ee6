/** How many samples are kept: enough for a p99.9, little enough to sort between two rounds. */
const DEFAULT_CAPACITY = 1 << 17;

/**
 * Latencies of some operations of a round. Recording one is a store into memory that was there before, so that it costs the round
 * next to nothing. When there are more than fit, the newest take the places of the oldest.
 */
export class LatencySamples {
  readonly #samplesUs: Float64Array;
  #count = 0;

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#samplesUs = new Float64Array(capacity);
  }

  /** How many were recorded, kept or not. */
  get count(): number {
    return this.#count;
  }

  /** Records one, in microseconds. */
  record(latencyUs: number): void {
    this.#samplesUs[this.#count % this.#samplesUs.length] = latencyUs;
    this.#count += 1;
  }

  /**
   * The latencies, in microseconds, that the given shares of the samples do not exceed (nearest rank).
   *
   * @param shares each above 0 and at most 1, e.g. 0.99 for p99.
   * @returns one for each share; NaN when there are no samples.
   */
  percentilesUs(shares: readonly number[]): number[] {
    const kept = Math.min(this.#count, this.#samplesUs.length);
    const sorted = this.#samplesUs.slice(0, kept).sort();
    return shares.map((share) => sorted[Math.max(0, Math.ceil(share * kept) - 1)] ?? Number.NaN);
  }
}
