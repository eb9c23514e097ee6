import type { Step } from "./generate.ts";
import { isUnfit } from "./unfit.ts";

/** Bounds the replays that one difference may take. */
const MOST_REPLAYS = 400;

type Differs<T> = (items: readonly T[]) => Promise<boolean>;

/** As few of the items as still differ: halves first, then smaller parts, then single ones until none can go. */
export async function fewest<T>(items: readonly T[], differs: Differs<T>): Promise<readonly T[]> {
  let least = items;
  for (let size = Math.ceil(items.length / 2); size >= 1;) {
    const before = least.length;
    // From the end: what comes after the difference goes first.
    for (let from = least.length - size; from > -size; from -= size) {
      const candidate = least.toSpliced(Math.max(0, from), Math.min(size, size + from));
      if (candidate.length < least.length && (await differs(candidate))) least = candidate;
    }
    if (size > 1 || least.length === before) size = Math.floor(size / 2);
  }
  return least;
}

/** As few steps, as short, as still differ. */
export async function minimize(steps: readonly Step[], differs: Differs<Step>): Promise<readonly Step[]> {
  let replays = 0;
  const bounded: Differs<Step> = (candidate) => {
    replays += 1;
    return replays > MOST_REPLAYS ? Promise.resolve(false) : differs(candidate);
  };
  let least: readonly Step[] = (await fewest(inGroups(steps), (groups) => bounded(groups.flat()))).flat();
  const attempt = async (candidate: readonly Step[]): Promise<boolean> => {
    const still = await bounded(candidate);
    if (still) least = candidate;
    return still;
  };
  for (let at = 0; at < least.length; at++) {
    if (isFixed(least, at)) continue;
    const replace = async (step: Step): Promise<boolean> =>
      (!isUnfit(step.args) || isUnfit(least[at]?.args ?? [])) && (await attempt(least.with(at, step)));
    for (let arg = (least[at]?.args.length ?? 0) - 1; arg > 0; arg--) {
      const step = least[at];
      if (step === undefined || (await replace({ ...step, args: step.args.toSpliced(arg, 1) }))) continue;
      for (const shorter of ["a", "1"]) {
        if (step.args[arg] !== shorter && (await replace({ ...step, args: step.args.with(arg, shorter) })))
          break;
      }
    }
    const step = least[at];
    if (step?.pipelined === true) await replace({ ...step, pipelined: false });
    if (step !== undefined && step.client > 0) await attempt(least.map((each) => ({ ...each, client: 0 })));
  }
  return least;
}

/** Steps, and those that make no sense without them. */
function inGroups(steps: readonly Step[]): Step[][] {
  const groups: Step[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (step.joined === true && last !== undefined) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

/** Its arguments have to stay: others count on them. */
const isFixed = (steps: readonly Step[], at: number): boolean =>
  steps[at]?.joined === true || steps[at + 1]?.joined === true || steps[at]?.cursorAt !== undefined;
