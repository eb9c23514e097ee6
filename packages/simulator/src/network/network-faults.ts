/** How the network treats messages. Requests and answers are messages of their own. Times are in milliseconds. */
export interface NetworkFaults {
  /** The least time on the way. */
  readonly minLatencyMs: number;
  /** The mean of what comes on top, exponentially distributed. */
  readonly meanLatencyMs: number;
  /** The share of messages that are lost. */
  readonly lossRate: number;
  /** The share that arrive twice, the second one late. */
  readonly duplicateRate: number;
  /** The share that are held up for `delayMs`: later ones overtake them. */
  readonly delayRate: number;
  readonly delayMs: number;
  /** How many messages a link holds at once, from 1 on; one more is lost. */
  readonly linkCapacity: number;
}

/** A network without faults. */
export const CALM: NetworkFaults = {
  minLatencyMs: 0.1,
  meanLatencyMs: 0.4,
  lossRate: 0,
  duplicateRate: 0,
  delayRate: 0,
  delayMs: 0,
  linkCapacity: 256,
};

/** What the network did, for the coverage table. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  delayed: number;
  slowed: number;
  cut: number;
  clogged: number;
  overflowed: number;
  late: number;
  misaddressed: number;
}

export function noNetworkCounts(): NetworkCounts {
  return {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    delayed: 0,
    slowed: 0,
    cut: 0,
    clogged: 0,
    overflowed: 0,
    late: 0,
    misaddressed: 0,
  };
}
