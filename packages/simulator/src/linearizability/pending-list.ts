import type { Task } from "./task.js";

/**
 * The calls and returns of the tasks that a search has not placed yet, in the order of time: a doubly linked list from which
 * a task is lifted, and to which it comes back at the same place (Wing and Gong 1993). Optional tasks are not in the list, as
 * nothing demands them; it is only known which of them are lifted.
 *
 * A required task is known by its position among the required ones, from 0; the optional ones follow. Tasks come back in
 * the opposite order in which they were lifted.
 */
export class PendingList {
  readonly #required: number;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Bit i is set while task i is lifted. The optional tasks begin with a word of their own. */
  readonly #lifted: Uint32Array;
  readonly #optionalWord: number;
  /** For each required task, how many required ones are called no later than it returns. */
  readonly #calledBefore: Int32Array;

  /** @param required in the order of their calls. */
  constructor(required: readonly Task<unknown, unknown>[], optionalCount: number) {
    const n = required.length;
    this.#required = n;
    this.#next = new Int32Array(2 * n + 1);
    this.#previous = new Int32Array(2 * n + 1);
    this.#optionalWord = (n + 31) >>> 5;
    this.#lifted = new Uint32Array(this.#optionalWord + ((optionalCount + 31) >>> 5));
    this.#calledBefore = new Int32Array(n);
    this.#link(required);
  }

  /** Nodes: the calls of the n tasks, their returns, and the head. */
  #link(required: readonly Task<unknown, unknown>[]): void {
    const n = this.#required;
    const byReturn = required
      .map((_, i) => i)
      .sort((a, b) => retOf(required, a) - retOf(required, b) || a - b);
    let last = this.#head;
    const append = (node: number): void => {
      this.#next[last] = node;
      this.#previous[node] = last;
      last = node;
    };
    let called = 0;
    for (const task of byReturn) {
      // At the same moment calls come first: those operations are concurrent.
      while (called < n && (required[called] as Task<unknown, unknown>).call <= retOf(required, task)) {
        append(called);
        called += 1;
      }
      this.#calledBefore[task] = called;
      append(n + task);
    }
    append(this.#head);
  }

  get #head(): number {
    return 2 * this.#required;
  }

  /** The task whose return comes first, or -1 when every required one is lifted. */
  firstReturn(): number {
    let node = this.#next[this.#head] as number;
    while (node < this.#required) node = this.#next[node] as number;
    return node === this.#head ? -1 : node - this.#required;
  }

  /** The first call of a required task, or -1 when something has returned, or is the end, before it. */
  firstCall(): number {
    return this.#callAt(this.#next[this.#head] as number);
  }

  /** The next call of a required task, or -1 when a return comes before it. */
  callAfter(task: number): number {
    return this.#callAt(this.#next[task] as number);
  }

  #callAt(node: number): number {
    return node < this.#required ? node : -1;
  }

  lift(task: number): void {
    this.#lifted[this.#wordOf(task)] = (this.#lifted[this.#wordOf(task)] as number) | this.#bitOf(task);
    if (task >= this.#required) return;
    this.#unlink(task);
    this.#unlink(this.#required + task);
  }

  unlift(task: number): void {
    this.#lifted[this.#wordOf(task)] = (this.#lifted[this.#wordOf(task)] as number) & ~this.#bitOf(task);
    if (task >= this.#required) return;
    this.#relink(this.#required + task);
    this.#relink(task);
  }

  /**
   * Writes which tasks are lifted into `row`, from `at` on, and says where it ends. All before the first call left are
   * lifted, and none that is called after the first return left, so where that begins and the words between say it all.
   *
   * @param firstReturn what `firstReturn()` says.
   */
  writeLifted(row: Uint32Array, at: number, firstReturn: number): number {
    const first = firstReturn === -1 ? this.#required : this.firstCall();
    let end = at;
    const last = firstReturn === -1 ? first : (this.#calledBefore[firstReturn] as number);
    row[end++] = first;
    for (let word = first >>> 5; word < (last + 31) >>> 5; word += 1)
      row[end++] = this.#lifted[word] as number;
    let used = this.#lifted.length;
    while (used > this.#optionalWord && this.#lifted[used - 1] === 0) used -= 1;
    for (let word = this.#optionalWord; word < used; word += 1) row[end++] = this.#lifted[word] as number;
    return end;
  }

  /** How many words `writeLifted` writes at most. */
  get maxRowLength(): number {
    return this.#lifted.length + 1;
  }

  #wordOf(task: number): number {
    return task < this.#required ? task >>> 5 : this.#optionalWord + ((task - this.#required) >>> 5);
  }

  #bitOf(task: number): number {
    return 1 << ((task < this.#required ? task : task - this.#required) & 31);
  }

  #unlink(node: number): void {
    const next = this.#next[node] as number;
    const previous = this.#previous[node] as number;
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #relink(node: number): void {
    this.#next[this.#previous[node] as number] = node;
    this.#previous[this.#next[node] as number] = node;
  }
}

function retOf(required: readonly Task<unknown, unknown>[], task: number): number {
  return (required[task] as Task<unknown, unknown>).ret;
}
