import { UNKNOWN_OUTPUT } from "./model.js";
import type { Effect, Model } from "./model.js";
import type { Operation } from "./operation.js";

/** One operation as the search sees it. */
export interface Task<I, O> {
  /** Where it stands in the history. */
  readonly index: number;
  readonly input: I;
  readonly output: O | typeof UNKNOWN_OUTPUT;
  readonly call: number;
  /** When it returned; infinity for one that need not take effect at all. */
  readonly ret: number;
  readonly effect: Effect;
}

/** An operation that took effect between its call and its return. */
export function requiredTask<S, I, O>(
  model: Model<S, I, O>,
  operation: Operation<I, O> & { readonly status: "ok" },
  index: number,
): Task<I, O> {
  const { input, output, call, ret } = operation;
  return { index, input, output, call, ret, effect: model.effect?.(input, output) ?? "updates" };
}

/** An operation that may take effect at any time after its call, or never, whatever it answered. */
export function optionalTask<S, I, O>(
  model: Model<S, I, O>,
  { input, call }: Operation<I, O>,
  index: number,
): Task<I, O> {
  const effect = model.effect?.(input, UNKNOWN_OUTPUT) ?? "updates";
  return { index, input, output: UNKNOWN_OUTPUT, call, ret: Infinity, effect };
}

/** The tasks of one partition, ready to be searched. */
export interface Tasks<I, O> {
  /** Those that must take effect, by their calls. */
  readonly required: readonly Task<I, O>[];
  /** Those that need not, by their calls. Reads are left out: where nobody saw the output, they say nothing. */
  readonly optional: readonly Task<I, O>[];
  /**
   * The optional tasks, by position, in groups that do the same. Of a group the earlier ones may take effect wherever the
   * later ones may, so a search need only use them in this order.
   */
  readonly groups: readonly (readonly number[])[];
}

export function sortTasks<S, I, O>(model: Model<S, I, O>, tasks: readonly Task<I, O>[]): Tasks<I, O> {
  const byCall = tasks.toSorted((a, b) => a.call - b.call || a.ret - b.ret || a.index - b.index);
  const optional = byCall.filter(({ ret, effect }) => ret === Infinity && effect !== "reads");
  return {
    required: byCall.filter(({ ret }) => ret !== Infinity),
    optional,
    groups: groupAlike(model, optional),
  };
}

function groupAlike<S, I, O>(model: Model<S, I, O>, optional: readonly Task<I, O>[]): number[][] {
  if (model.inputKey === undefined) return optional.map((_, i) => [i]);
  const groups = new Map<string, number[]>();
  for (const [i, { input }] of optional.entries()) {
    const key = model.inputKey(input);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  return [...groups.values()];
}
