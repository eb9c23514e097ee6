import { ConfigurationSet, StateNumbers } from "./configuration-set.js";
import { ILLEGAL } from "./model.js";
import type { Model } from "./model.js";
import { OptionalTasks } from "./optional-tasks.js";
import { PendingList } from "./pending-list.js";
import type { Task, Tasks } from "./task.js";

/** How far a search may go. The same budget gives the same verdict on every machine. */
export interface SearchBudget {
  /** How often the model may be asked for a step, or a group of optional tasks be looked at. */
  readonly maxSteps: number;
  /** About how much memory the configurations and states that were seen may take, in bytes. */
  readonly maxMemoryBytes: number;
}

export interface SearchResult {
  readonly verdict: "ok" | "illegal" | "undecided";
  /** Positions in the history, in an order that the model allows: all of them if the verdict is ok, else the longest found. */
  readonly order: readonly number[];
  /** Where the history has the first operation, by its return, that no order reaches; -1 unless the verdict is illegal. */
  readonly stuck: number;
  readonly steps: number;
  readonly configurations: number;
}

/** What a configuration tries next. */
const READS = 0;
const FIRST_RETURN = 1;
const OTHER_CALLS = 2;
const OPTIONAL = 3;
const EXHAUSTED = 4;

/** A configuration on the path that is being tried: which tasks are placed, in which order, and the state. */
interface Frame<S> {
  /** The task that was placed last; -1 at the root. */
  readonly task: number;
  readonly parent: Frame<S> | null;
  readonly depth: number;
  readonly state: S;
  readonly stateNumber: number;
  /** The task that must be placed next of all, as its return comes first; -1 if none is left. */
  readonly firstReturn: number;
  stage: number;
  /** The task to be tried next within the stage, or -1; among `options`, its position. */
  cursor: number;
  /** The optional tasks to be tried. */
  options: readonly number[];
}

/**
 * Looks for an order of the tasks which the model allows and in which none stands before one that returned before it was
 * called.
 *
 * Wing and Gong's search (1993) with Lowe's improvements (2017): configurations are remembered, and tasks are placed only
 * as the next return demands it. That task is tried first. Beyond that:
 *
 * - A read that is legal now is placed now, and nothing else is tried: it changes nothing, and later it may not be legal.
 * - An optional task is placed only for the sake of the task after it. Where that one leaves the same state without it, the
 *   order without it is as good, and leaves more to choose from.
 */
export function search<S, I, O>(
  model: Model<S, I, O>,
  tasks: Tasks<I, O>,
  budget: SearchBudget,
): SearchResult {
  return new Search(model, tasks, budget).run();
}

class Search<S, I, O> {
  readonly #model: Model<S, I, O>;
  readonly #tasks: readonly Task<I, O>[];
  readonly #requiredCount: number;
  readonly #budget: SearchBudget;
  readonly #pending: PendingList;
  readonly #states = new StateNumbers();
  readonly #seen = new ConfigurationSet();
  readonly #row: Uint32Array;
  readonly #optional: OptionalTasks<S>;
  #steps = 0;
  #furthest: Frame<S>;

  constructor(model: Model<S, I, O>, { required, optional, groups }: Tasks<I, O>, budget: SearchBudget) {
    this.#model = model;
    this.#tasks = [...required, ...optional];
    this.#requiredCount = required.length;
    this.#budget = budget;
    this.#pending = new PendingList(required, optional.length);
    this.#row = new Uint32Array(this.#pending.maxRowLength + 1);
    const initial = model.init();
    this.#optional = new OptionalTasks(groups, {
      initial,
      first: required.length,
      task: (task) => this.#task(task),
      step: (state, task) => this.#step(state, task),
      look: () => (this.#steps += 1),
      stateKey: (state) => model.stateKey(state),
    });
    this.#furthest = this.#frame(-1, null, initial, this.#states.numberOf(model.stateKey(initial)));
  }

  run(): SearchResult {
    let frame = this.#furthest;
    while (frame.firstReturn !== -1) {
      if (this.#overBudget()) return this.#result("undecided", this.#furthest);
      const task = this.#nextCandidate(frame);
      if (task !== -1) {
        const child = this.#place(frame, task);
        if (child === null) continue;
        frame = child;
        if (this.#isFurther(frame)) this.#furthest = frame;
      } else {
        if (frame.parent === null) return this.#result("illegal", this.#furthest);
        this.#unlift(frame.task);
        frame = frame.parent;
      }
    }
    return this.#result("ok", frame);
  }

  #overBudget(): boolean {
    return (
      this.#steps >= this.#budget.maxSteps ||
      this.#states.bytes + this.#seen.bytes > this.#budget.maxMemoryBytes
    );
  }

  #result(verdict: SearchResult["verdict"], last: Frame<S>): SearchResult {
    const order: number[] = [];
    for (let frame = last; frame.parent !== null; frame = frame.parent) {
      order.push(this.#task(frame.task).index);
    }
    return {
      verdict,
      order: order.reverse(),
      stuck: verdict === "illegal" ? this.#task(last.firstReturn).index : -1,
      steps: this.#steps,
      configurations: this.#seen.size,
    };
  }

  #task(task: number): Task<I, O> {
    return this.#tasks[task] as Task<I, O>;
  }

  #frame(task: number, parent: Frame<S> | null, state: S, stateNumber: number): Frame<S> {
    const depth = parent === null ? 0 : parent.depth + 1;
    const firstReturn = this.#pending.firstReturn();
    const cursor = this.#pending.firstCall();
    return { task, parent, depth, state, stateNumber, firstReturn, stage: READS, cursor, options: [] };
  }

  /** Further is what gets past more returns; where two get equally far, what places more. */
  #isFurther(frame: Frame<S>): boolean {
    if (frame.firstReturn === -1) return true;
    const a = this.#task(frame.firstReturn);
    const b = this.#task(this.#furthest.firstReturn);
    // Returns at the same moment are in the order of their calls, which is that of the tasks.
    const order = a.ret - b.ret || frame.firstReturn - this.#furthest.firstReturn;
    return order > 0 || (order === 0 && frame.depth > this.#furthest.depth);
  }

  /** The next task to try after this configuration, or -1. */
  #nextCandidate(frame: Frame<S>): number {
    if (frame.stage === READS) {
      while (frame.cursor !== -1) {
        const task = frame.cursor;
        frame.cursor = this.#pending.callAfter(task);
        if (this.#task(task).effect === "reads") return task;
      }
      frame.stage = FIRST_RETURN;
    }
    if (frame.stage === FIRST_RETURN) {
      frame.stage = OTHER_CALLS;
      frame.cursor = this.#pending.firstCall();
      // Reads have had their turn.
      if (this.#task(frame.firstReturn).effect !== "reads") return frame.firstReturn;
    }
    if (frame.stage === OTHER_CALLS) {
      while (frame.cursor !== -1) {
        const task = frame.cursor;
        frame.cursor = this.#pending.callAfter(task);
        if (task !== frame.firstReturn && this.#task(task).effect !== "reads") return task;
      }
      frame.stage = OPTIONAL;
      frame.cursor = 0;
      frame.options = this.#options(frame);
    }
    return frame.stage === OPTIONAL ? (frame.options[frame.cursor++] ?? -1) : -1;
  }

  /** The optional tasks that can make a difference after this configuration, each for the sake of the task after it. */
  #options(frame: Frame<S>): readonly number[] {
    const { ret } = this.#task(frame.firstReturn);
    // What overwrites makes an optional task before it pointless.
    if (this.#isOptional(frame.task)) return this.#optional.updating(ret);
    const needy: number[] = [];
    for (let task = this.#pending.firstCall(); task !== -1; task = this.#pending.callAfter(task)) {
      // What overwrites and is legal needs nothing before it. Reads that are legal were placed.
      const { effect } = this.#task(task);
      if (effect !== "overwrites" || this.#step(frame.state, task) === ILLEGAL) needy.push(task);
    }
    return this.#optional.useful(ret, needy);
  }

  #lift(task: number): void {
    this.#pending.lift(task);
    if (this.#isOptional(task)) this.#optional.lift(task);
  }

  #unlift(task: number): void {
    this.#pending.unlift(task);
    if (this.#isOptional(task)) this.#optional.unlift(task);
  }

  #isOptional(task: number): boolean {
    return task >= this.#requiredCount;
  }

  /** Places `task` after `frame`, or says null if that is illegal, pointless, or was tried before. */
  #place(frame: Frame<S>, task: number): Frame<S> | null {
    const state = this.#step(frame.state, task);
    if (state === ILLEGAL) return null;
    if (frame.stage === READS) frame.stage = EXHAUSTED;
    const stateNumber = this.#states.numberOf(this.#model.stateKey(state));
    if (this.#isOptional(task) && stateNumber === frame.stateNumber) return null;
    if (this.#isOptional(frame.task) && this.#leavesWithoutLast(frame, task, stateNumber)) return null;
    this.#lift(task);
    const child = this.#frame(task, frame, state, stateNumber);
    this.#row[0] = stateNumber;
    const length = this.#pending.writeLifted(this.#row, 1, child.firstReturn);
    if (this.#seen.add(this.#row, length)) return child;
    this.#unlift(task);
    return null;
  }

  #step(state: S, task: number): S | typeof ILLEGAL {
    this.#steps += 1;
    const { input, output } = this.#task(task);
    return this.#model.step(state, input, output);
  }

  /** Whether `task` leaves the same state if the one before it is left out. */
  #leavesWithoutLast(frame: Frame<S>, task: number, stateNumber: number): boolean {
    if (frame.parent === null) return false;
    const without = this.#step(frame.parent.state, task);
    return without !== ILLEGAL && this.#states.numberOf(this.#model.stateKey(without)) === stateNumber;
  }
}
