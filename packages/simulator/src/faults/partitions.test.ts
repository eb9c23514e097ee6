import { describe, expect, test } from "vitest";
import type { PartitionKind } from "./act.js";
import { cutsOf } from "./partitions.js";

const IDS = [1, 2, 3, 4, 5];

/** Who still hears whom, as "from>to". */
function links(kind: PartitionKind, id: number, second: number): string[] {
  const cut = new Set(cutsOf(kind, IDS, id, second).map(([from, to]) => `${from}>${to}`));
  return IDS.flatMap((a) => IDS.filter((b) => b !== a).map((b) => `${a}>${b}`)).filter(
    (link) => !cut.has(link),
  );
}

describe("partitions", () => {
  test("isolate: one hears nobody, and nobody hears it", () => {
    expect(links("isolate", 3, 0.5).filter((link) => link.includes("3"))).toStrictEqual([]);
    expect(links("isolate", 3, 0.5)).toHaveLength(4 * 3);
  });

  test("split: two sides that hear only their own", () => {
    expect(links("split", 1, 0.45)).toStrictEqual(["1>2", "2>1", "3>4", "3>5", "4>3", "4>5", "5>3", "5>4"]);
  });

  test("leaderInMinority: the leader is left with one of five", () => {
    expect(links("leaderInMinority", 4, 0).filter((link) => link.includes("4"))).toStrictEqual([
      "1>4",
      "4>1",
    ]);
  });

  test("oneWay: one is not heard, or does not hear, and all else goes on", () => {
    expect(links("oneWay", 2, 0.1).filter((link) => link.includes("2"))).toStrictEqual([
      "1>2",
      "3>2",
      "4>2",
      "5>2",
    ]);
    expect(links("oneWay", 2, 0.9).filter((link) => link.includes("2"))).toStrictEqual([
      "2>1",
      "2>3",
      "2>4",
      "2>5",
    ]);
  });

  test("ring: each hears its two neighbours", () => {
    expect(links("ring", 1, 0).filter((link) => link.startsWith("1>"))).toStrictEqual(["1>2", "1>5"]);
    expect(links("ring", 1, 0)).toHaveLength(10);
  });

  test("bridge: two halves that only one node hears both of", () => {
    const left = links("bridge", 5, 0);
    expect(left.filter((link) => link.includes("5"))).toHaveLength(8);
    expect(left.filter((link) => !link.includes("5"))).toStrictEqual(["1>2", "2>1", "3>4", "4>3"]);
  });
});
