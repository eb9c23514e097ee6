/** Buckets for each doubling of the latency: a percentile is at most 1/64, 1.6 %, above the true value. */
const BUCKETS_PER_DOUBLING = 64;
/** The largest latency told apart from larger ones, as a power of two of microseconds: about 12 days. */
const DOUBLINGS = 40;

/** Counts latencies in a fixed amount of memory, however many there are, and tells their percentiles. */
export class LatencyHistogram {
  readonly #counts: Float64Array = new Float64Array((DOUBLINGS + 1) * BUCKETS_PER_DOUBLING);
  #count = 0;
  #maxMs = 0;

  /** How many latencies were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The largest latency recorded, in milliseconds; 0 when none was. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** Records one latency in milliseconds, at least 0. */
  record(latencyMs: number): void {
    this.#count += 1;
    if (latencyMs > this.#maxMs) this.#maxMs = latencyMs;
    const bucket = bucketOf(latencyMs * 1000);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  /**
   * The latency, in milliseconds, that the given share of the recorded ones does not exceed.
   *
   * @param share from 0 to 1, e.g. 0.99 for p99.
   */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      seen += this.#counts[bucket] as number;
      if (seen >= wanted) return Math.min(upperBoundUs(bucket) / 1000, this.#maxMs);
    }
    return this.#maxMs;
  }
}

/** Below 64 microseconds one bucket a microsecond, from there on 64 buckets a doubling. */
function bucketOf(latencyUs: number): number {
  const us = Math.floor(latencyUs);
  if (us < BUCKETS_PER_DOUBLING) return us;
  const doubling = Math.min(Math.floor(Math.log2(us / BUCKETS_PER_DOUBLING)), DOUBLINGS - 1);
  const within =
    Math.min(Math.floor(us / 2 ** doubling), 2 * BUCKETS_PER_DOUBLING - 1) - BUCKETS_PER_DOUBLING;
  return (doubling + 1) * BUCKETS_PER_DOUBLING + within;
}

function upperBoundUs(bucket: number): number {
  if (bucket < BUCKETS_PER_DOUBLING) return bucket + 1;
  const doubling = Math.floor(bucket / BUCKETS_PER_DOUBLING) - 1;
  return ((bucket % BUCKETS_PER_DOUBLING) + BUCKETS_PER_DOUBLING + 1) * 2 ** doubling;
}
