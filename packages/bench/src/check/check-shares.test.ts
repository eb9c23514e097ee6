import { describe, expect, test } from "vitest";
import type { CheckedShare } from "./check-shares.js";
import { checkShares } from "./check-shares.js";

async function check(share: number, least: number, most: number): Promise<CheckedShare[]> {
  const shares: CheckedShare[] = [];
  const rounds = { least, most, length: { seconds: 0.01 } };
  for await (const checked of checkShares(() => {}, [{ clients: 4, share }], rounds)) shares.push(checked);
  return shares;
}

describe("the check of the share of the limit", () => {
  test("passes as soon as the floor is reached, but not on fewer rounds than it takes at least", async () => {
    const [checked] = await check(1e-9, 2, 9);
    expect(checked).toMatchObject({ clients: 4, passed: true, rounds: 2, floor: 1e-9 });
    expect(checked?.share).toBeGreaterThan(0);
  });

  test("fails when it is not, after all its rounds", async () => {
    expect(await check(1000, 1, 3)).toMatchObject([{ passed: false, rounds: 3, floor: 1000 }]);
  });
});
