import type { Model } from "./model.js";
import type { History, Operation } from "./operation.js";
import { search } from "./search.js";
import type { SearchBudget, SearchResult } from "./search.js";
import { shrink } from "./shrink.js";
import { optionalTask, sortTasks } from "./task.js";
import type { Task } from "./task.js";

/** An operation of an illegal part. */
export interface PartOperation<I, O> {
  /** Its position in the history. */
  readonly index: number;
  /** What was known of it when the culprit returned: if it was still open then, its outcome is unknown here. */
  readonly operation: Operation<I, O>;
  /**
   * - `"culprit"`: the first, by its return, of which the answer cannot be explained. But for that the part is linearizable.
   * - `"needed"`: without what this one says, the rest could be explained.
   * - `"context"`: explains what others saw. Nothing depends on what this one says itself.
   */
  readonly role: "culprit" | "needed" | "context";
}

/**
 * A part of a history that cannot be explained, whatever became of the rest: it stays illegal even if every other
 * operation, those of the context included, may take effect at any time after its call, or never, and answer anything.
 */
export interface IllegalPart<I, O> {
  /** The partition, e.g. the key. */
  readonly partition: string;
  /** By their calls. */
  readonly operations: readonly PartOperation<I, O>[];
  /**
   * An order, as positions in the history, that explains all of this part but what the culprit answered. The culprit is in it if
   * others saw its effect.
   */
  readonly order: readonly number[];
  /** How many other operations of the partition there are that did not fail. */
  readonly leftOut: number;
  /** Whether it is certain that nothing that is needed could be left out; false where the budget ended first. */
  readonly smallest: boolean;
}

interface Found<I, O> {
  readonly key: string;
  /** The tasks of the partition. */
  readonly tasks: readonly Task<I, O>[];
  /** What the search got stuck at, as a position in the history. */
  readonly stuck: number;
  readonly budget: SearchBudget;
}

/** Which share of the budget one attempt at leaving something out may take, and all attempts of one kind together. */
const ATTEMPT_SHARE = 0.2;
const ALL_ATTEMPTS_SHARE = 1;
/** What setting a search up costs for each task, in steps. */
const STEPS_PER_TASK = 10;

/**
 * Finds a part of an illegal partition that is illegal itself, and as small as can be.
 *
 * First the history is cut at the earliest return up to which it is illegal. Then each operation but the culprit is
 * weakened, as if its outcome were unknown, if the rest stays illegal nonetheless. Merely leaving an operation out would
 * prove nothing: what it wrote may be what another one read. What was weakened is then left out of the picture, unless
 * it explains what an operation of the part saw.
 */
export function findIllegalPart<S, I, O>(
  history: History<I, O>,
  model: Model<S, I, O>,
  { key, tasks, stuck, budget }: Found<I, O>,
): IllegalPart<I, O> {
  const attempts = new Attempts(model, budget);
  const weaken = (task: Task<I, O>): Task<I, O> =>
    task.ret === Infinity ? task : optionalTask(model, history[task.index] as Operation<I, O>, task.index);

  const { culprit, returned, open } = cut(tasks, stuck, weaken, attempts);
  const others = byLatestReturn(returned.filter((task) => task !== culprit));
  const weak = new Map(others.map((task) => [task, weaken(task)]));
  const staysIllegal = (kept: readonly Task<I, O>[]): boolean => {
    const strong = new Set(kept);
    const rest = others.map((task) => (strong.has(task) ? task : (weak.get(task) ?? task)));
    return attempts.isIllegal([culprit, ...rest, ...open]);
  };
  const needed = shrink(others, staysIllegal, () => attempts.mayGoOn());
  const smallest = !attempts.wasCutShort;

  const inCore = new Set([culprit, ...needed]);
  const rest = byLatestReturn([...others.filter((task) => !inCore.has(task)), ...open]);
  const allButCulprit = [...needed, weaken(culprit)];
  const explanations = new Attempts(model, budget);
  const isExplained = (kept: readonly Task<I, O>[]): boolean =>
    explanations.isLegal([...allButCulprit, ...kept]);
  const context = shrink(rest, isExplained, () => explanations.mayGoOn());

  const part = [...inCore, ...context].sort((a, b) => a.call - b.call || a.index - b.index);
  return {
    partition: key,
    operations: part.map((task) => ({
      index: task.index,
      operation: seenBy(history[task.index] as Operation<I, O>, task),
      role: task === culprit ? "culprit" : inCore.has(task) ? "needed" : "context",
    })),
    order: search(model, sortTasks(model, [...allButCulprit, ...context]), budget).order,
    leftOut: tasks.length - part.length,
    smallest,
  };
}

/** A history up to one return, which makes it illegal. */
interface Cut<I, O> {
  readonly culprit: Task<I, O>;
  /** What had returned by then, the culprit included. */
  readonly returned: readonly Task<I, O>[];
  /** What had been called and not returned, so that it may have taken effect or not. */
  readonly open: readonly Task<I, O>[];
}

/**
 * Cuts at the earliest return up to which the history is illegal. That is not always the one where the search got stuck: the
 * search knew what operations answer that were still open then.
 */
function cut<S, I, O>(
  tasks: readonly Task<I, O>[],
  stuck: number,
  weaken: (task: Task<I, O>) => Task<I, O>,
  attempts: Attempts<S, I, O>,
): Cut<I, O> {
  const returns = tasks
    .filter(({ ret }) => ret !== Infinity)
    .sort((a, b) => a.ret - b.ret || a.call - b.call);
  const last = returns.length - 1;
  for (let at = returns.findIndex(({ index }) => index === stuck); ; at += 1) {
    const culprit = returns[at] as Task<I, O>;
    const returned = returns.slice(0, at + 1);
    const isReturned = new Set(returned);
    const open = tasks.filter((task) => !isReturned.has(task) && task.call <= culprit.ret).map(weaken);
    // All of it is illegal, that is known.
    if (at === last || (attempts.mayGoOn() && attempts.isIllegal([...returned, ...open]))) {
      return { culprit, returned, open };
    }
  }
}

function seenBy<I, O>(operation: Operation<I, O>, { ret }: Task<I, O>): Operation<I, O> {
  if (operation.status !== "ok" || ret !== Infinity) return operation;
  const { client, input, call } = operation;
  return { client, input, call, status: "unknown", ret: null };
}

/** What returned last is the likeliest to matter. */
function byLatestReturn<I, O>(tasks: readonly Task<I, O>[]): readonly Task<I, O>[] {
  return tasks.toSorted((a, b) => (a.ret === b.ret ? b.call - a.call : b.ret - a.ret));
}

/** Searches that share one budget. */
class Attempts<S, I, O> {
  readonly #model: Model<S, I, O>;
  readonly #budget: SearchBudget;
  #stepsLeft: number;
  #wasCutShort = false;

  constructor(model: Model<S, I, O>, budget: SearchBudget) {
    this.#model = model;
    this.#budget = budget;
    this.#stepsLeft = budget.maxSteps * ALL_ATTEMPTS_SHARE;
  }

  /** Whether any search so far ended for want of budget, or would have. */
  get wasCutShort(): boolean {
    return this.#wasCutShort;
  }

  /** Whether there is budget left; asked before each search. */
  mayGoOn(): boolean {
    if (this.#stepsLeft <= 0) this.#wasCutShort = true;
    return this.#stepsLeft > 0;
  }

  /** Whether the tasks are certainly illegal. */
  isIllegal(tasks: readonly Task<I, O>[]): boolean {
    return this.#verdict(tasks) === "illegal";
  }

  /** Whether the tasks are certainly legal. */
  isLegal(tasks: readonly Task<I, O>[]): boolean {
    return this.#verdict(tasks) === "ok";
  }

  #verdict(tasks: readonly Task<I, O>[]): SearchResult["verdict"] {
    const maxSteps = Math.min(this.#stepsLeft, Math.ceil(this.#budget.maxSteps * ATTEMPT_SHARE));
    const result = search(this.#model, sortTasks(this.#model, tasks), { ...this.#budget, maxSteps });
    // Setting a search up takes time too.
    this.#stepsLeft -= result.steps + tasks.length * STEPS_PER_TASK;
    if (result.verdict === "undecided") this.#wasCutShort = true;
    return result.verdict;
  }
}
