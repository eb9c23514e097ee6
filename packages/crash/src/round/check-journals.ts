import { RoundFailure } from "../cluster/round-failure.js";
import type { WriteOutcome } from "../load/clients.js";
import type { JournalLine, RoundSum } from "../machine/journal-machine.js";
import { sumOf } from "../machine/journal-machine.js";

/** What one node has of a round, and of all rounds. */
export interface NodeJournal {
  readonly id: number;
  readonly lines: readonly JournalLine[];
  readonly sums: readonly RoundSum[];
}

/**
 * Holds what the nodes applied in a round against what its clients were told: every write that was acknowledged is there, once, at its index; what was
 * refused is not; of the others each is there once at most; and all nodes have the same, in the order of the log.
 *
 * @throws {RoundFailure}
 */
export function checkJournals(
  round: number,
  journals: readonly NodeJournal[],
  outcomes: ReadonlyMap<number, WriteOutcome>,
): RoundSum {
  const [first, ...others] = journals as readonly [NodeJournal, ...NodeJournal[]];
  checkLines(first, outcomes);
  checkOrder(outcomes);
  const sum = sumOf(round, first.lines);
  for (const { id, lines } of others) {
    const at = lines.findIndex(([index, write], position) => {
      const line = first.lines[position];
      return line?.[0] !== index || line[1] !== write;
    });
    if (at !== -1 || lines.length !== first.lines.length) {
      const place = at === -1 ? Math.min(lines.length, first.lines.length) : at;
      const [a, b] = [first.lines[place], lines[place]].map((line) =>
        line === undefined ? "nothing" : show(line),
      );
      throw new RoundFailure(
        "same on all nodes",
        `at place ${place} node ${first.id} applied ${a}, and node ${id} ${b}`,
      );
    }
  }
  return sum;
}

function checkLines({ id, lines }: NodeJournal, outcomes: ReadonlyMap<number, WriteOutcome>): void {
  const indexes = new Map<number, number>();
  let last = 0;
  for (const [index, write] of lines) {
    const outcome = outcomes.get(write);
    const line = show([index, write]);
    if (index <= last) throw new RoundFailure("order", `node ${id} applied ${line} after index ${last}`);
    if (indexes.has(write)) throw new RoundFailure("once", `node ${id} applied ${line} twice`);
    if (outcome === undefined)
      throw new RoundFailure("known", `node ${id} applied ${line}, which nobody wrote`);
    if (outcome.status === "refused") {
      throw new RoundFailure(
        "refused",
        `node ${id} applied ${line}, which was refused as certainly not appended`,
      );
    }
    indexes.set(write, index);
    last = index;
  }
  for (const [write, outcome] of outcomes) {
    if (outcome.status !== "acknowledged") continue;
    const index = indexes.get(write);
    if (index === undefined) {
      throw new RoundFailure(
        "acknowledged",
        `write ${write} was acknowledged, and node ${id} never applied it`,
      );
    }
    if (outcome.index !== 0 && outcome.index !== index) {
      throw new RoundFailure(
        "acknowledged",
        `write ${write} was acknowledged at index ${outcome.index}, and node ${id} applied it at ${index}`,
      );
    }
  }
}

/** What was acknowledged before another write was called stands before it in the log. */
function checkOrder(outcomes: ReadonlyMap<number, WriteOutcome>): void {
  const acknowledged = [...outcomes].flatMap(([id, outcome]) =>
    outcome.status === "acknowledged" && outcome.index !== 0 ? [{ id, ...outcome }] : [],
  );
  const byReturn = acknowledged.toSorted((a, b) => a.ret - b.ret);
  let [returned, highest] = [0, { id: 0, index: 0 }];
  for (const { id, index, call } of acknowledged.toSorted((a, b) => a.call - b.call)) {
    for (; (byReturn[returned]?.ret ?? Infinity) < call; returned++) {
      const before = byReturn[returned] as { id: number; index: number };
      if (before.index > highest.index) highest = before;
    }
    if (index > highest.index) continue;
    const [later, earlier] = [show([index, id]), show([highest.index, highest.id])];
    throw new RoundFailure("order", `${later} was called after ${earlier} was acknowledged`);
  }
}

/** Holds the rounds that are over against what they were when they ended. @throws {RoundFailure} */
export function checkSums(journals: readonly NodeJournal[], known: ReadonlyMap<number, RoundSum>): void {
  for (const { id, sums } of journals) {
    const found = new Map(sums.map((sum) => [sum.round, sum]));
    for (const { round, writes, hash } of known.values()) {
      const sum = found.get(round);
      if (sum?.writes === writes && sum.hash === hash) continue;
      const now = sum === undefined ? "nothing" : `${sum.writes} others`;
      throw new RoundFailure(
        "kept",
        `of the ${writes} writes of round ${round} node ${id} has ${now} by now`,
      );
    }
  }
}

function show([index, write]: JournalLine): string {
  return `write ${write} at index ${index}`;
}
