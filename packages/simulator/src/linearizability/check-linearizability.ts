import { InvalidValueError, checkInteger } from "@seshat/common";
import { checkHistory } from "./check-history.js";
import { findIllegalPart } from "./illegal-part.js";
import type { IllegalPart } from "./illegal-part.js";
import type { Model } from "./model.js";
import type { History } from "./operation.js";
import { search } from "./search.js";
import type { SearchBudget, SearchResult } from "./search.js";
import { optionalTask, requiredTask, sortTasks } from "./task.js";
import type { Task } from "./task.js";

/** How far to search before giving up. Each partition (each key) has the whole budget. */
export interface LinearizabilityOptions {
  /** How often the model may be asked for a step, 1 or more. By default 5,000,000, which takes a few seconds. */
  readonly maxSteps?: number;
  /** About how much memory what was seen may take, in bytes, 1 or more. By default 256 MiB. */
  readonly maxMemoryBytes?: number;
}

interface Effort {
  /** How often the model was asked for a step, without the search for the smallest illegal part. */
  readonly steps: number;
  /** How many configurations were remembered. */
  readonly configurations: number;
}

/** There is an order in which the model allows all that was seen. */
export interface LinearizableResult extends Effort {
  readonly verdict: "ok";
  /**
   * Such an order, as positions in the history. Operations that failed are not in it, nor are those with unknown outcomes
   * which need not have taken effect.
   */
  readonly witness: readonly number[];
}

/** There is no such order. */
export interface NotLinearizableResult<I, O> extends Effort {
  readonly verdict: "illegal";
  /** Why, in as few operations as could be found. */
  readonly part: IllegalPart<I, O>;
}

/** The budget did not suffice to tell. */
export interface UndecidedResult extends Effort {
  readonly verdict: "undecided";
  /** The partitions for which it did not. There may be illegal ones among them; the others are linearizable. */
  readonly partitions: readonly string[];
}

export type LinearizabilityResult<I, O> = LinearizableResult | NotLinearizableResult<I, O> | UndecidedResult;

const DEFAULT_BUDGET: SearchBudget = { maxSteps: 5_000_000, maxMemoryBytes: 256 * 1024 * 1024 };

/**
 * Says whether a history is linearizable: whether each operation can have taken effect at one moment between its call and
 * its return such that the model allows every output (Herlihy and Wing 1990). Operations with unknown outcomes may have
 * taken effect at any time after their call, or never; those that failed did not.
 *
 * A verdict of `ok` or `illegal` is certain. The same arguments always give the same result: the budget is counted, and no
 * clock is read. Where one partition is illegal the result is, whatever the others are.
 *
 * @throws {InvalidValueError} that names the field of the history or the option that is wrong.
 */
export function checkLinearizability<S, I, O>(
  history: History<I, O>,
  model: Model<S, I, O>,
  options: LinearizabilityOptions = {},
): LinearizabilityResult<I, O> {
  const budget = checkOptions(options);
  checkHistory(history);
  const undecided: string[] = [];
  const moments: Moment[] = [];
  let steps = 0;
  let configurations = 0;
  for (const [key, tasks] of partition(history, model)) {
    const result = search(model, sortTasks(model, tasks), budget);
    steps += result.steps;
    configurations += result.configurations;
    if (result.verdict === "illegal") {
      const part = findIllegalPart(history, model, { key, tasks, stuck: result.stuck, budget });
      return { verdict: "illegal", part, steps, configurations };
    }
    if (result.verdict === "undecided") undecided.push(key);
    addMoments(moments, history, result);
  }
  if (undecided.length > 0) return { verdict: "undecided", partitions: undecided, steps, configurations };
  const witness = moments.sort((a, b) => a.at - b.at).map(({ index }) => index);
  return { verdict: "ok", witness, steps, configurations };
}

function checkOptions(options: LinearizabilityOptions): SearchBudget {
  for (const [field, value] of Object.entries(options)) {
    if (!Object.hasOwn(DEFAULT_BUDGET, field)) {
      throw new InvalidValueError(`options.${field}`, value, "left out: there is no such option");
    }
  }
  const { maxSteps = DEFAULT_BUDGET.maxSteps, maxMemoryBytes = DEFAULT_BUDGET.maxMemoryBytes } = options;
  return {
    maxSteps: checkInteger("options.maxSteps", maxSteps, 1),
    maxMemoryBytes: checkInteger("options.maxMemoryBytes", maxMemoryBytes, 1),
  };
}

/** What has to be ordered, by partitions, in the order in which the history first names them. */
function partition<S, I, O>(history: History<I, O>, model: Model<S, I, O>): Map<string, Task<I, O>[]> {
  const partitions = new Map<string, Task<I, O>[]>();
  for (const [index, operation] of history.entries()) {
    if (operation.status === "fail") continue;
    const key = model.partition?.(operation.input) ?? "";
    let tasks = partitions.get(key);
    if (tasks === undefined) partitions.set(key, (tasks = []));
    const required = operation.status === "ok";
    tasks.push(required ? requiredTask(model, operation, index) : optionalTask(model, operation, index));
  }
  return partitions;
}

/** An operation, and the earliest moment at which it can have taken effect in the order that was found. */
interface Moment {
  readonly index: number;
  readonly at: number;
}

/** Sorting the operations of all partitions by these keeps the order of each of them, and that of time. */
function addMoments<I, O>(moments: Moment[], history: History<I, O>, { order }: SearchResult): void {
  let at = -Infinity;
  for (const index of order) {
    at = Math.max(at, history[index]?.call ?? at);
    moments.push({ index, at });
  }
}
