import type { IllegalPart, PartOperation } from "./illegal-part.js";

/** How many operations a report or a picture shows. */
const MAX_SHOWN = 60;

const WEIGHT = { culprit: 2, needed: 1, context: 0 } as const;

/** By their calls: the culprit, then what is needed, then the context, and of each what was called last. */
export function shownOperations<I, O>({ operations }: IllegalPart<I, O>): readonly PartOperation<I, O>[] {
  const byWeight = operations.toSorted(
    (a, b) => WEIGHT[b.role] - WEIGHT[a.role] || b.operation.call - a.operation.call || b.index - a.index,
  );
  const shown = new Set(byWeight.slice(0, MAX_SHOWN));
  return operations.filter((operation) => shown.has(operation));
}

/** What part of the order, counted from 1, each operation is. */
export function positions<I, O>({ order }: IllegalPart<I, O>): ReadonlyMap<number, number> {
  return new Map(order.map((index, i) => [index, i + 1]));
}

/** What was not shown, and why that does not matter. */
export function footnotes<I, O>(part: IllegalPart<I, O>): readonly string[] {
  const notes: string[] = [];
  const hidden = part.operations.length - shownOperations(part).length;
  if (hidden > 0) notes.push(`${count(hidden, "more operation")} of this part ${are(hidden)} not shown.`);
  const context = part.operations.filter(({ role }) => role === "context").length;
  const others = part.leftOut + context;
  if (part.leftOut > 0) {
    notes.push(`${count(part.leftOut, "other operation")} on it ${are(part.leftOut)} left out.`);
  }
  if (others > 0) {
    notes.push(
      "Even if each of those that are left out, or only explain, took effect at any time after its call, or never, there would be no order.",
    );
  }
  if (!part.smallest)
    notes.push("The budget ended before it was certain that nothing more could be left out.");
  return notes;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function are(number: number): string {
  return number === 1 ? "is" : "are";
}
