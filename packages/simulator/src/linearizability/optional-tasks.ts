import { ILLEGAL } from "./model.js";
import type { Task } from "./task.js";

/** What the optional tasks need to know of the search. */
export interface OptionalTasksContext<S> {
  readonly initial: S;
  /** The number of the first optional task. */
  readonly first: number;
  readonly task: (task: number) => Task<unknown, unknown>;
  readonly step: (state: S, task: number) => S | typeof ILLEGAL;
  readonly stateKey: (state: S) => string;
  /** Called for each group that is looked at, which counts as a step. */
  readonly look: () => void;
}

/** Optional tasks that do the same, by their calls. */
interface Group {
  readonly tasks: readonly number[];
  /** How many of them are placed: the first ones. */
  placed: number;
}

/** The optional tasks of a search: which of them are placed, and which of the others are worth trying. */
export class OptionalTasks<S> {
  readonly #context: OptionalTasksContext<S>;
  readonly #overwriting: readonly Group[];
  readonly #updating: readonly Group[];
  /** The group of each optional task. */
  readonly #groups: Group[] = [];
  readonly #enablers = new Map<number, readonly Group[]>();

  /** @param groups what does the same, by position among the optional tasks. */
  constructor(groups: readonly (readonly number[])[], context: OptionalTasksContext<S>) {
    this.#context = context;
    const overwriting: Group[] = [];
    const updating: Group[] = [];
    for (const positions of groups) {
      const tasks = positions.map((position) => context.first + position);
      const group = { tasks, placed: 0 };
      for (const position of positions) this.#groups[position] = group;
      const { effect } = context.task(tasks[0] as number);
      (effect === "overwrites" ? overwriting : updating).push(group);
    }
    this.#overwriting = overwriting;
    this.#updating = updating;
  }

  lift(task: number): void {
    this.#groupOf(task).placed += 1;
  }

  unlift(task: number): void {
    this.#groupOf(task).placed -= 1;
  }

  #groupOf(task: number): Group {
    return this.#groups[task - this.#context.first] as Group;
  }

  /** Those called until `time` that do not merely overwrite the state: the next of each group. */
  updating(time: number): readonly number[] {
    return this.#open(this.#updating, time);
  }

  /** Those, and the ones that overwrite the state such that one of them or of `needy` has use for it. */
  useful(time: number, needy: readonly number[]): readonly number[] {
    const updating = this.updating(time);
    const useful = new Set<Group>();
    for (const task of [...updating, ...needy]) {
      for (const enabler of this.#enablersOf(task)) useful.add(enabler);
    }
    return [...updating, ...this.#open(useful, time)];
  }

  #open(groups: Iterable<Group>, time: number): readonly number[] {
    const open: number[] = [];
    for (const { tasks, placed } of groups) {
      this.#context.look();
      const task = tasks[placed];
      if (task !== undefined && this.#context.task(task).call <= time) open.push(task);
    }
    return open;
  }

  /** What overwrites the state such that `task` is legal then, and changes something if it is optional too. */
  #enablersOf(task: number): readonly Group[] {
    const known = this.#enablers.get(task);
    if (known !== undefined) return known;
    const { initial, first, step, stateKey } = this.#context;
    const enablers = this.#overwriting.filter(({ tasks }) => {
      const state = step(initial, tasks[0] as number);
      if (state === ILLEGAL) return false;
      const next = step(state, task);
      if (next === ILLEGAL || task < first) return next !== ILLEGAL;
      return stateKey(next) !== stateKey(state);
    });
    this.#enablers.set(task, enablers);
    return enablers;
  }
}
