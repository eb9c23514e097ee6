import type { LinearizabilityResult } from "./check-linearizability.js";
import { describeClient, describeOperation } from "./describe-operation.js";
import type { IllegalPart, PartOperation } from "./illegal-part.js";
import type { Model } from "./model.js";
import { shorten, visible } from "./safe-text.js";
import { footnotes, positions, shownOperations } from "./shown-operations.js";

/** How many partitions an undecided result names. */
const MAX_NAMED = 10;

/**
 * A result in words, a few lines without colours. For an illegal one it lists the illegal part: clients, operations, times,
 * an order that explains all but one of them, and the one it cannot explain. Whatever clients wrote is shown such that it is safe on
 * a terminal, and bounded in length.
 */
export function linearizabilityReport<S, I, O>(
  result: LinearizabilityResult<I, O>,
  model: Model<S, I, O>,
): string {
  const effort = `${result.steps} steps, ${result.configurations} configurations`;
  switch (result.verdict) {
    case "ok":
      return `Linearizable: ${result.witness.length} operations in one order (${effort}).\n`;
    case "undecided": {
      const named = result.partitions.slice(0, MAX_NAMED).map((key) => partitionName(model, key));
      const more = result.partitions.length - named.length;
      const rest = more > 0 ? ` and ${more} more` : "";
      return `Undecided: the budget ended before the search did, for ${named.join(", ")}${rest} (${effort}).\n`;
    }
    case "illegal":
      return `${illegalReport(result.part, model)}(${effort})\n`;
  }
}

/** e.g. `Redis string "k"`. */
export function partitionName<S, I, O>(model: Model<S, I, O>, key: string): string {
  const name = visible(shorten(model.name));
  return key === "" ? name : `${name} ${visible(JSON.stringify(shorten(key)))}`;
}

function illegalReport<S, I, O>(part: IllegalPart<I, O>, model: Model<S, I, O>): string {
  const order = positions(part);
  const rows = shownOperations(part).map((shown) => [
    `client ${describeClient(shown.operation.client)}`,
    describeOperation(model, shown.operation),
    interval(shown),
    note(shown, order.get(shown.index)),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
  return [
    `Not linearizable: no order of these operations on ${partitionName(model, part.partition)} explains what was seen.`,
    "",
    ...lines,
    "",
    ...footnotes(part),
    "",
  ].join("\n");
}

function interval<I, O>({ operation: { call, status, ret } }: PartOperation<I, O>): string {
  return status === "ok" ? `[${call}, ${ret}]` : `[${call}, ...`;
}

function note<I, O>({ role, operation }: PartOperation<I, O>, position: number | undefined): string {
  if (role === "culprit") return "<- cannot be explained";
  const outcome = operation.status === "ok" ? "" : "outcome unknown";
  const place = position === undefined ? "" : `#${position}`;
  return [place, role === "context" ? "explains" : "", outcome].filter((text) => text !== "").join(", ");
}
