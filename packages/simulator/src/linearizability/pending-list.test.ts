import { SeededRandom } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { PendingList } from "./pending-list.js";
import type { Task } from "./task.js";

function task(call: number, ret: number): Task<unknown, unknown> {
  return { index: 0, input: null, output: null, call, ret, effect: "updates" };
}

/** What the list says, written down: which tasks may be placed now, and whose return comes first. */
function look(list: PendingList): { calls: number[]; firstReturn: number; row: string } {
  const calls: number[] = [];
  for (let next = list.firstCall(); next !== -1; next = list.callAfter(next)) calls.push(next);
  const row = new Uint32Array(list.maxRowLength);
  const firstReturn = list.firstReturn();
  return { calls, firstReturn, row: row.subarray(0, list.writeLifted(row, 0, firstReturn)).join(" ") };
}

describe("the list of what is not placed yet", () => {
  test("offers what is called before the first return, at the same moment included", () => {
    const list = new PendingList([task(1, 9), task(2, 5), task(5, 6), task(6, 7)], 0);
    expect(look(list)).toMatchObject({ calls: [0, 1, 2], firstReturn: 1 });
    list.lift(1);
    expect(look(list)).toMatchObject({ calls: [0, 2, 3], firstReturn: 2 });
    for (const lifted of [2, 3, 0]) list.lift(lifted);
    expect(look(list)).toMatchObject({ calls: [], firstReturn: -1 });
  });

  test("is what it was when all is back that was lifted, and writes a row of its own for each state", () => {
    const random = new SeededRandom(3);
    for (let round = 0; round < 100; round += 1) {
      const calls = Array.from({ length: random.u32() % 90 }, () => random.u32() % 100).sort((a, b) => a - b);
      const required = calls.map((call) =>
        task(call, call + (random.u32() % 8 === 0 ? 90 : random.u32() % 9)),
      );
      const list = new PendingList(required, 40);
      const lifted: number[] = [];
      const looks: ReturnType<typeof look>[] = [];
      const sets = new Map<string, string>();
      for (let step = 0; step < 200; step += 1) {
        const now = look(list);
        const set = lifted.toSorted((a, b) => a - b).join(" ");
        expect(sets.get(now.row) ?? set).toBe(set);
        sets.set(now.row, set);
        if (random.u32() % 3 === 0 && lifted.length > 0) {
          list.unlift(lifted.pop() ?? -1);
          expect(look(list)).toEqual(looks.pop());
          continue;
        }
        const optional = required.length + (random.u32() % 40);
        const next = random.u32() % 6 === 0 ? optional : now.calls[random.u32() % now.calls.length];
        if (next === undefined || lifted.includes(next)) continue;
        looks.push(now);
        lifted.push(next);
        list.lift(next);
      }
    }
  });

  test("does not take the words of the required tasks for those of the optional ones", () => {
    const lists = [0, 1].map(() => {
      return new PendingList(
        Array.from({ length: 64 }, (_, i) => task(i, 1000 + i)),
        32,
      );
    });
    const [some, most] = lists as [PendingList, PendingList];
    for (const lifted of [1, 33]) some.lift(lifted);
    for (const lifted of [...Array.from({ length: 32 }, (_, i) => i), 33, 64 + 1]) most.lift(lifted);
    expect(look(some).row).not.toBe(look(most).row);
  });
});
