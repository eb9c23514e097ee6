import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MemberView } from "./core.js";
import { chooseCore } from "./core.js";

const view = (id: number, configs: number[][], index = 1, committed = 1): MemberView => ({
  id,
  index,
  configs,
  committed,
});

describe("a core", () => {
  test("has a majority of every set of voters that may be in force, and nobody that it can do without", () => {
    const ids = [1, 2, 3, 4, 5, 6, 7];
    const voters = fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(voters, { minLength: 1, maxLength: 2 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.99, noNaN: true })),
        (configs, numbers) => {
          const core = chooseCore(
            ids.map((id) => view(id, configs)),
            () => numbers.next().value as number,
          ) as number[];
          const suffices = (chosen: readonly number[]): boolean =>
            configs.every((set) => set.filter((id) => chosen.includes(id)).length * 2 > set.length);
          expect(suffices(core)).toBe(true);
          for (const id of core) expect(suffices(core.filter((other) => other !== id))).toBe(false);
        },
      ),
    );
  });

  test("minds a membership that only one node has, and that may be in force; not one from before the committed one", () => {
    const views = [
      view(1, [[1]], 1, 9),
      view(2, [[2, 3, 4]], 5, 9),
      view(3, [[2, 3, 4]], 5, 9),
      view(4, [[2, 3, 4], [4]], 12, 9),
    ];
    const core = chooseCore(views, () => 0.5) as number[];
    expect(core).toContain(4);
    expect(core).toHaveLength(2);
    expect(core).not.toContain(1);
  });

  test("cannot be had where no majority runs", () => {
    expect(chooseCore([view(1, [[1, 2, 3]])], () => 0)).toBeNull();
    expect(chooseCore([], () => 0)).toBeNull();
  });
});
