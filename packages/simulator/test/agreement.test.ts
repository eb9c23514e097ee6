import { SeededRandom } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { checkLinearizability } from "../src/index.js";
import type { IllegalPart, Operation } from "../src/index.js";
import { explains, isLinearizable, precedes } from "./support/brute-force.js";
import { ORACLES, pick } from "./support/oracles.js";
import type { Oracle } from "./support/oracles.js";
import { linearizableHistory, spoil } from "./support/random-history.js";

type AnyHistory = readonly Operation<unknown, unknown>[];
type AnyOracle = Oracle<unknown, unknown>;

function checkWitness(oracle: AnyOracle, history: AnyHistory, witness: readonly number[]): void {
  const order = witness.map((index) => history[index] as Operation<unknown, unknown>);
  expect(new Set(witness).size).toBe(witness.length);
  expect(order.every(({ status }) => status !== "fail")).toBe(true);
  const answered = history.flatMap(({ status }, i) => (status === "ok" ? [i] : []));
  expect(answered.filter((index) => !witness.includes(index))).toEqual([]);
  expect(explains(oracle, order)).toBe(true);
  expect(order.some((a, i) => order.slice(0, i).some((b) => precedes(a, b)))).toBe(false);
}

/** As if nothing had been heard of it. */
function weaken({ client, input, call }: Operation<unknown, unknown>): Operation<unknown, unknown> {
  return { client, input, call, status: "unknown" };
}

function checkPart(oracle: AnyOracle, history: AnyHistory, part: IllegalPart<unknown, unknown>): void {
  const { operations, order } = part;
  expect(part.smallest).toBe(true);
  const core = operations.filter(({ role }) => role !== "context").map(({ operation }) => operation);
  expect(core.every((operation) => operation.status === "ok" && history.includes(operation))).toBe(true);
  for (const { index, operation } of operations)
    expect(history[index]).toMatchObject({ ...weaken(operation), status: expect.any(String) });
  const partitionOf = ({ input }: Operation<unknown, unknown>): string =>
    oracle.model.partition?.(input) ?? "";
  const partition = history.filter((o) => o.status !== "fail" && partitionOf(o) === part.partition);
  expect(part.leftOut).toBe(partition.length - operations.length);
  // It is illegal by itself, and whatever became of the rest; and all of it is needed for that.
  const but = (kept: AnyHistory): AnyHistory => partition.map((o) => (kept.includes(o) ? o : weaken(o)));
  expect(
    isLinearizable(
      oracle,
      operations.map(({ operation }) => operation),
    ),
  ).toBe(false);
  expect(isLinearizable(oracle, but(core))).toBe(false);
  for (const one of core)
    expect(isLinearizable(oracle, but(core.filter((other) => other !== one)))).toBe(true);
  // There is one culprit, and but for its answer the order shown explains everything.
  const culprits = operations.filter(({ role }) => role === "culprit");
  expect(culprits).toHaveLength(1);
  const shown = operations.map((one) =>
    one.role === "culprit" ? { ...one, operation: weaken(one.operation) } : one,
  );
  const indexes = shown.map(({ index }) => index);
  checkWitness(
    oracle,
    shown.map(({ operation }) => operation),
    order.map((index) => indexes.indexOf(index)),
  );
}

const SEEDS = 4000;

describe.each(ORACLES)("on $name", (oracle) => {
  test("what a linearizable system shows is linearizable, in an order that can be replayed", () => {
    for (let seed = 0; seed < SEEDS / 2; seed += 1) {
      const random = new SeededRandom(seed);
      const history = linearizableHistory(oracle, random, {
        clients: 1 + (random.u32() % 6),
        operations: random.u32() % 24,
      });
      const result = checkLinearizability(history, oracle.model);
      expect(result.verdict, `seed ${seed}`).toBe("ok");
      if (result.verdict === "ok") checkWitness(oracle, history, result.witness);
    }
  });

  test("small histories have the verdict that trying every order gives", () => {
    const verdicts = { ok: 0, illegal: 0, undecided: 0 };
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      const shape = { clients: 1 + (random.u32() % 4), operations: 1 + (random.u32() % 7) };
      let history = linearizableHistory(oracle, random, shape);
      for (let times = pick(random, [1, 1, 2]); times > 0; times -= 1)
        history = spoil(oracle, random, history);
      const result = checkLinearizability(history, oracle.model);
      verdicts[result.verdict] += 1;
      expect(result.verdict, `seed ${seed}`).toBe(isLinearizable(oracle, history) ? "ok" : "illegal");
      if (result.verdict === "ok") checkWitness(oracle, history, result.witness);
      if (result.verdict === "illegal") checkPart(oracle, history, result.part);
    }
    // Both are common, so that agreeing means something.
    expect(Math.min(verdicts.ok, verdicts.illegal)).toBeGreaterThan(SEEDS / 5);
  });
});
