import { UnreachableError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import type { CallOutcome } from "./open-calls.js";
import { OpenCalls } from "./open-calls.js";

function setUp() {
  const clock = new VirtualClock();
  const log: string[] = [];
  const calls = new OpenCalls(2, clock.runtime(new SeededRandom(1)), ({ rpc }, error) =>
    log.push(`${rpc} ended ${error === null ? "well" : error.message}`),
  );
  const outcome = (name: string, then: () => void = () => {}): CallOutcome<string> => ({
    check: (response) => {
      if (response === "nonsense") throw new Error("it makes no sense");
    },
    answered: (response) => void log.push(`${name}: ${response}`),
    failed: (error) => {
      log.push(`${name} failed${error instanceof UnreachableError ? "" : `: ${error.message}`}`);
      then();
    },
  });
  return { clock, log, calls, outcome };
}

describe("open calls", () => {
  test("each is told once what came of it, in whatever order answers come", () => {
    const { log, calls, outcome } = setUp();
    const [a, b, c] = ["a", "b", "c"].map((name) => calls.begin(name, 100, outcome(name)));
    b?.resolve("yes");
    b?.resolve("again");
    b?.reject(new Error("and again"));
    a?.reject(new Error("no"));
    a?.resolve("late");
    c?.resolve("nonsense");
    c?.resolve("better");
    expect(log).toEqual([
      "b ended well",
      "b: yes",
      "a ended no",
      "a failed: no",
      "c ended it makes no sense",
      "c failed: it makes no sense",
    ]);
  });

  test("those fail that are not answered in their time, and the others wait on", async () => {
    const { clock, log, calls, outcome } = setUp();
    calls.begin("slow", 300, outcome("slow"));
    const quick = calls.begin("quick", 100, outcome("quick"));
    calls.begin("lost", 200, outcome("lost"));
    quick.resolve("yes");
    log.length = 0;
    await clock.advance(199);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log.at(-1)).toBe("lost failed");
    await clock.advance(100);
    expect(log.at(-1)).toBe("slow failed");
    expect(log).toHaveLength(4);
  });

  test("what a failure leads to may end other calls that are due, and begin new ones, which have their own time", async () => {
    const { clock, log, calls, outcome } = setUp();
    calls.begin(
      "first",
      100,
      outcome("first", () => {
        second.resolve("after all");
        calls.begin("third", 100, outcome("third"));
      }),
    );
    const second = calls.begin("second", 100, outcome("second"));
    await clock.advance(100);
    expect(log.filter((line) => !line.includes("ended"))).toEqual(["first failed", "second: after all"]);
    await clock.advance(100);
    expect(log.at(-1)).toBe("third failed");
  });

  test("closing fails what is open, and leaves no timer", async () => {
    const { clock, log, calls, outcome } = setUp();
    for (const name of ["a", "b"]) calls.begin(name, 100, outcome(name));
    calls.close(new Error("closed"));
    expect(log.filter((line) => line.includes("failed"))).toEqual(["a failed: closed", "b failed: closed"]);
    await clock.advance(1000);
    expect(log).toHaveLength(4);
  });
});
