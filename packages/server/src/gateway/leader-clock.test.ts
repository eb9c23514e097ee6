import { expect, it } from "vitest";
import { LeaderClock } from "./leader-clock.js";

it("the leader's clock follows that of the machine, but never behind itself or the state", () => {
  let [wall, state] = [100, 0];
  const clock = new LeaderClock(
    () => wall,
    () => state,
  );
  expect(clock.nowMs()).toBe(100);
  wall = 200;
  expect(clock.nowMs()).toBe(200);
  wall = 150;
  expect(clock.nowMs()).toBe(200);
  state = 300;
  expect(clock.nowMs()).toBe(300);
  state = 0;
  expect(clock.nowMs()).toBe(300);
  wall = 301;
  expect(clock.nowMs()).toBe(301);
});
