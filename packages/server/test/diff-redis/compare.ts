import { RespReplyParser } from "@seshat/resp";
import { isArray, sameOutcome } from "./allowed-differences.ts";
import { latin1 } from "./connection.ts";
import type { Outcome } from "./connection.ts";
import { encoded } from "./encoded.ts";
import type { Step } from "./generate.ts";
import { play } from "./target.ts";
import type { Target } from "./target.ts";

export interface Difference {
  /** The step whose outcomes differ first. */
  readonly at: number;
  readonly redis: Outcome;
  readonly other: Outcome;
}

/** Plays the steps on both, at the same time. */
export async function compareOn(
  redis: Target,
  other: Target,
  steps: readonly Step[],
): Promise<Difference | null> {
  const [left, right] = await Promise.all([play(redis, steps), play(other, steps)]);
  return firstDifference(steps, left, right);
}

function firstDifference(
  steps: readonly Step[],
  redis: readonly Outcome[],
  other: readonly Outcome[],
): Difference | null {
  const queues = new Map<number, (readonly string[])[]>();
  for (const [at, { client, args }] of steps.entries()) {
    const [left = null, right = null] = [redis[at], other[at]];
    const queue = queues.get(client) ?? [];
    queues.set(client, queue);
    const name = args[0]?.toUpperCase();
    // Redis writes each reply of a transaction as it comes, and HELLO within it changes how: Seshat writes all of them in the version of the end.
    const switches = queue.some(([queued]) => queued?.toUpperCase() === "HELLO");
    const sameItem = (item: Outcome, its: Outcome, queued: readonly string[]): boolean =>
      sameOutcome(queued, item, its) || (switches && sameOutcome(queued, inVersion2(item), inVersion2(its)));
    const same =
      name === "EXEC" && isArray(left) && isArray(right)
        ? left.length === right.length &&
          left.every((item, n) => sameItem(item, right[n] ?? null, queue[n] ?? []))
        : sameOutcome(args, left, right);
    if (!same) return { at, redis: left, other: right };
    if (encoded(left) === "+QUEUED\r\n") queue.push(args);
    else if (name === "EXEC" || name === "DISCARD" || name === "RESET") queue.length = 0;
  }
  return null;
}

/** What is left of a reply in version 2. */
function inVersion2(outcome: Outcome): Outcome {
  const parser = new RespReplyParser();
  parser.push(latin1(encoded(outcome, 2)));
  return parser.next() ?? null;
}
