import { UnreachableError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { OpenCall, OpenCalls } from "./open-calls.js";

class TestCall extends OpenCall<string> {
  readonly #log: string[];
  readonly #then: () => void;

  constructor(name: string, timeoutMs: number, log: string[], then: () => void) {
    super(name, timeoutMs);
    this.#log = log;
    this.#then = then;
  }

  protected check(response: string): void {
    if (response === "nonsense") throw new Error("it makes no sense");
  }

  protected answered(response: string): void {
    this.#log.push(`${this.rpc}: ${response}`);
  }

  failed(error: Error): void {
    this.#log.push(`${this.rpc} failed${error instanceof UnreachableError ? "" : `: ${error.message}`}`);
    this.#then();
  }
}

function setUp() {
  const clock = new VirtualClock();
  const log: string[] = [];
  const calls = new OpenCalls(2, clock.runtime(new SeededRandom(1)), ({ rpc }, error) =>
    log.push(`${rpc} ended ${error === null ? "well" : error.message}`),
  );
  const begin = (name: string, timeoutMs: number, then: () => void = () => {}): TestCall => {
    const call = new TestCall(name, timeoutMs, log, then);
    calls.begin(call);
    return call;
  };
  return { clock, log, calls, begin };
}

describe("open calls", () => {
  test("each is told once what came of it, in whatever order answers come", () => {
    const { log, begin } = setUp();
    const [a, b, c] = ["a", "b", "c"].map((name) => begin(name, 100));
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
    const { clock, log, begin } = setUp();
    begin("slow", 300);
    const quick = begin("quick", 100);
    begin("lost", 200);
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
    const { clock, log, begin } = setUp();
    begin("first", 100, () => {
      second.resolve("after all");
      begin("third", 100);
    });
    const second = begin("second", 100);
    await clock.advance(100);
    expect(log.filter((line) => !line.includes("ended"))).toEqual(["first failed", "second: after all"]);
    await clock.advance(100);
    expect(log.at(-1)).toBe("third failed");
  });

  test("closing fails what is open, and leaves no timer", async () => {
    const { clock, log, calls, begin } = setUp();
    for (const name of ["a", "b"]) begin(name, 100);
    calls.close(new Error("closed"));
    expect(log.filter((line) => line.includes("failed"))).toEqual(["a failed: closed", "b failed: closed"]);
    await clock.advance(1000);
    expect(log).toHaveLength(4);
  });
});
