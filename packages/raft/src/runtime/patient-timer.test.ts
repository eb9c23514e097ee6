import type { AsyncRuntime } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { OpenCall, OpenCalls } from "./open-calls.js";
import { setPatientTimer } from "./patient-timer.js";
import { StallWatch } from "./stall-watch.js";
import { StepTimer } from "./step-timer.js";

/** An event loop that is turned by hand: timers, then what the sockets had, then what has yielded. */
class Loop {
  now = 0;
  readonly timers: { at: number; callback: () => void }[] = [];
  readonly yielded: (() => void)[] = [];

  readonly runtime: AsyncRuntime = {
    now: () => this.now,
    setTimer: (delayMs, callback) => {
      const timer = { at: this.now + delayMs, callback };
      this.timers.push(timer);
      return { cancel: () => void this.timers.splice(this.timers.indexOf(timer), 1) };
    },
    soon: (callback) => queueMicrotask(callback),
    yield: (callback) => void this.yielded.push(callback),
    random: () => 0,
  };

  /** @param sockets reads what has come. */
  turn(sockets: () => void): void {
    for (const timer of this.timers.filter(({ at }) => at <= this.now)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.callback();
    }
    sockets();
    for (const callback of this.yielded.splice(0)) callback();
  }
}

class Call extends OpenCall<string> {
  readonly outcome: string[] = [];

  protected check(): void {}

  protected answered(response: string): void {
    this.outcome.push(response);
  }

  failed(error: Error): void {
    this.outcome.push(error.message);
  }
}

describe("a process that stood still reads what has come before it concludes from silence", () => {
  test("that an election is due", () => {
    const loop = new Loop();
    let deadline = 100;
    let due = 0;
    const timer = new StepTimer(loop.runtime, { nextDeadline: () => deadline }, () => {
      due += 1;
      deadline = Number.POSITIVE_INFINITY;
    });
    timer.adjust();
    loop.now = 5000;
    loop.turn(() => {
      deadline = 5100;
      timer.adjust();
    });
    expect(due).toBe(0);
    loop.now = 5100;
    loop.turn(() => {});
    expect(due).toBe(1);
  });

  test("that a request is lost", () => {
    const loop = new Loop();
    const calls = new OpenCalls(2, loop.runtime, () => {});
    const [answered, silent] = [new Call("vote", 100), new Call("vote", 100)];
    calls.begin(answered);
    calls.begin(silent);
    loop.now = 5000;
    loop.turn(() => answered.resolve("here"));
    expect([answered.outcome, silent.outcome]).toEqual([
      ["here"],
      ["node 2 is unreachable: no answer within 100 ms"],
    ]);
  });

  test("that storage hangs", () => {
    const loop = new Loop();
    const told: (string | null)[] = [];
    const watch = new StallWatch(loop.runtime, 100, (verb) => void told.push(verb));
    const ended = watch.begin("append");
    loop.now = 5000;
    loop.turn(() => watch.end(ended));
    expect(told).toEqual([]);
    watch.begin("append");
    loop.now = 10_000;
    loop.turn(() => {});
    expect(told).toEqual(["append"]);
  });
});

test("a patient timer that is cancelled while the sockets have their turn tells nothing", () => {
  const loop = new Loop();
  let fired = 0;
  const timer = setPatientTimer(loop.runtime, 10, () => (fired += 1));
  loop.now = 10;
  loop.turn(() => timer.cancel());
  expect(fired).toBe(0);
});
