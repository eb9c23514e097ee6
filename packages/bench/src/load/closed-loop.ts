import { LatencySamples } from "../statistics/latency-samples.js";

/** Each client takes the time of every so many of its operations: often enough for a p99, too seldom to be felt. */
const SAMPLE_EVERY = 16;

/** Clients that each await one operation before they begin the next. */
export interface ClosedLoop {
  readonly clients: number;
  /** Begins an operation. */
  readonly operation: () => Promise<unknown>;
  /** Is told what each operation answered. */
  readonly answered: (answer: never) => void;
}

/** A load whose answers are of one type. */
export function closedLoop<T>(
  clients: number,
  operation: () => Promise<T>,
  answered: (answer: T) => void,
): ClosedLoop {
  return { clients, operation, answered };
}

/** When a round ends: at whichever comes first. Operations that are under way are still awaited, and count. */
export interface RoundLength {
  readonly seconds: number;
  /** Default: no limit. */
  readonly operations?: number;
  /** Ends the round when it is settled. Default: nothing does. */
  readonly until?: Promise<unknown>;
}

/** What a round came to. */
export interface Round {
  readonly operations: number;
  /** From the first call to the last answer. */
  readonly seconds: number;
  readonly perSecond: number;
  /** Processor time that the whole process took for one operation, the clients' share included. */
  readonly cpuUsPerOperation: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/**
 * Runs clients until the round is over. The first operation that fails fails the round.
 *
 * The clock is read at samples alone, and it is there that the end is noticed: no timer has to get its turn.
 */
export async function runClosedLoop(
  { clients, operation, answered }: ClosedLoop,
  { seconds, operations: limit = Number.MAX_SAFE_INTEGER, until }: RoundLength,
): Promise<Round> {
  const samples = new LatencySamples();
  let operations = 0;
  let over = false;
  const end = (): void => {
    over = true;
  };
  until?.then(end, end);
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1000;

  const client = async (id: number): Promise<void> => {
    // Clients take their samples at different operations, so that no turn is all samples.
    let untilSample = id % SAMPLE_EVERY;
    while (!over) {
      if (untilSample > 0) {
        untilSample -= 1;
        answered((await operation()) as never);
      } else {
        untilSample = SAMPLE_EVERY - 1;
        const calledAt = performance.now();
        answered((await operation()) as never);
        const now = performance.now();
        samples.record((now - calledAt) * 1000);
        if (now >= deadline) over = true;
      }
      operations += 1;
      if (operations >= limit) over = true;
    }
  };
  try {
    await Promise.all(Array.from({ length: clients }, (_, id) => client(id)));
  } finally {
    over = true;
  }

  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  const [p50Us = Number.NaN, p99Us = Number.NaN] = samples.percentilesUs([0.5, 0.99]);
  return {
    operations,
    seconds: tookMs / 1000,
    perSecond: (operations / tookMs) * 1000,
    cpuUsPerOperation: (user + system) / operations,
    p50Us,
    p99Us,
  };
}
