import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { Life } from "../world/life.js";
import { outsideOf } from "./life-outside.js";

/** What a life reads at one moment. */
function readings(id: number, lives: number, seed = 7): number[] {
  const life = new Life(new VirtualClock(), new SeededRandom(1), 1);
  const { world } = outsideOf(id, life, seed, lives);
  return [world.date(), world.performance(), world.hrtime(), world.random(), world.crypto()];
}

describe("what the state machine of a life reads outside of itself", () => {
  test("is the same in every run of a seed", () => {
    expect(readings(1, 1)).toEqual(readings(1, 1));
  });

  test("differs from node to node, clocks and chance alike", () => {
    const [one, other] = [readings(1, 1), readings(2, 2)];
    for (const [i, reading] of one.entries()) expect(other[i]).not.toBe(reading);
  });

  test("differs by chance from life to life of one node, and from seed to seed", () => {
    expect(readings(1, 2).slice(3)).not.toEqual(readings(1, 1).slice(3));
    expect(readings(1, 1, 8).slice(3)).not.toEqual(readings(1, 1).slice(3));
  });
});
