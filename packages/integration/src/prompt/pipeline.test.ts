import { OverloadedError, ShutdownError, StoppedError } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes, text } from "../../test/support/bytes.js";
import { FakeTarget } from "../../test/support/fake-target.js";
import { settleTurns } from "../../test/support/turns.js";
import type { BadLineError } from "./bad-line-error.js";
import { parseCommand } from "./command.js";
import type { CommandResult } from "./command-result.js";
import { formatResult } from "./command-result.js";
import type { PipelineLimits, PipelineOutput, Place } from "./pipeline.js";
import { Pipeline } from "./pipeline.js";
import { splitArguments } from "./split-arguments.js";

/** Keeps what it is given; it is full when the test says so. */
class RecordingOutput implements PipelineOutput {
  readonly given: string[] = [];
  #full = false;
  readonly #waiters: (() => void)[] = [];

  get full(): boolean {
    return this.#full;
  }

  set full(full: boolean) {
    this.#full = full;
    if (!full) for (const resolve of this.#waiters.splice(0)) resolve();
  }

  ready(): Promise<void> {
    return this.#full ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve();
  }

  result(result: CommandResult): void {
    const formatted = formatResult(result, "quoted");
    this.given.push((typeof formatted === "string" ? formatted : text(formatted)).trimEnd());
  }

  error(place: Place, error: Error): void {
    this.given.push(`${place.source}:${place.line}: ${error.message}`);
  }
}

const WIDE: PipelineLimits = { maxCommands: 100, maxReads: 100, maxBytes: 1_000_000 };

function setUp(limits: Partial<PipelineLimits> = {}, immediate = false) {
  const target = new FakeTarget(immediate);
  const output = new RecordingOutput();
  let time = 0;
  const clock = { advance: (ms: number): number => (time += ms) };
  /** The watches that were begun and not ended. */
  const watches: ((words: string) => void)[] = [];
  const watch = (): Promise<CommandResult> =>
    new Promise((resolve) => watches.push((words) => resolve({ type: "text", text: words })));
  const pipeline = new Pipeline(target, output, () => time, watch, { ...WIDE, ...limits });
  let line = 0;
  /** Submits a line; a bad one is rejected. Resolves when the pipeline took it. */
  const run = async (commandLine: string): Promise<void> => {
    line += 1;
    const place = { source: "in", line };
    const data = bytes(commandLine);
    let wait: Promise<void> | undefined;
    try {
      wait = pipeline.submit(parseCommand(splitArguments(data)), place, data.length);
    } catch (error) {
      wait = pipeline.reject(error as BadLineError, place);
    }
    await wait;
  };
  /** Submits lines one after the other, without waiting for the last. */
  const runAll = async (...lines: string[]): Promise<void> => {
    for (const one of lines) await run(one);
  };
  return { target, output, pipeline, run, runAll, clock, watches };
}

describe("order", () => {
  test("results come out in the order of the commands, whatever order they are settled in", async () => {
    const { target, output, runAll } = setUp();
    await runAll("SET a 1", "DEL b", "SET c 3");
    target.settle(2);
    await settleTurns();
    expect(output.given).toEqual([]);
    target.settle(1);
    target.settle(0);
    await settleTurns();
    expect(output.given).toEqual(["OK", "(integer) 0", "OK"]);
  });

  test("errors come out in order too, of lines that are no command and of commands that fail", async () => {
    const { target, output, runAll } = setUp();
    await runAll("SET a 1", "NONSENSE", "SET b 2", "SET c 3");
    await settleTurns();
    expect(output.given).toEqual([]);
    target.settle(0);
    target.settle(0, new OverloadedError("writes", 1));
    target.settle(0);
    await settleTurns();
    expect(output.given).toEqual([
      "OK",
      'in:2: unknown command "NONSENSE": HELP lists the commands',
      "in:3: too many writes are waiting (the limit is 1): try again later",
      "OK",
    ]);
  });

  test("writes follow each other without waiting", async () => {
    const { target, runAll } = setUp();
    await runAll("SET a 1", "SET a 2", "DEL a");
    expect(target.calls).toEqual(["set a", "set a", "del a"]);
  });

  test("a read waits for every write before it, and a write for every read", async () => {
    const { target, runAll } = setUp();
    const all = runAll("SET a 1", "SET b 1", "GET a", "EXISTS b", "SET a 2");
    await settleTurns();
    expect(target.calls).toEqual(["set a", "set b"]);
    target.settle(1);
    await settleTurns();
    expect(target.calls).toEqual(["set a"]);
    target.settle(0);
    await settleTurns();
    expect(target.calls).toEqual(["get a", "exists b"]);
    target.settle(0);
    await settleTurns();
    expect(target.calls).toEqual(["exists b"]);
    target.settle(0);
    await all;
    expect(target.calls).toEqual(["set a"]);
  });

  test.each([
    ["SNAPSHOT", "snapshot"],
    ["RESTART 1", "restart 1"],
    ["ADD 4", "add 4"],
    ["REMOVE 1", "remove 1"],
    ["TRANSFER 3", "transfer 3"],
    ["PURGE 2", "purge"],
    ["KILL 2", "kill 2"],
  ])("%s is alone: it waits for what is before it, and what follows waits for it", async (barrier, call) => {
    const { target, runAll } = setUp();
    const all = runAll("SET a 1", barrier, barrier, "SET b 2");
    await settleTurns();
    expect(target.calls).toEqual(["set a"]);
    for (let times = 0; times < 2; times += 1) {
      target.settle(0);
      await settleTurns();
      expect(target.calls).toEqual([call]);
    }
    target.settle(0);
    await all;
    expect(target.calls).toEqual(["set b"]);
  });

  test("STATUS --watch begins when everything before it was given out, and what follows waits for its end", async () => {
    const { target, output, runAll, watches } = setUp();
    const all = runAll("SET a 1", "STATUS --watch", "HELP GET", "BAD", "SET b 2");
    await settleTurns();
    expect(watches).toHaveLength(0);
    output.full = true;
    target.settle(0);
    await settleTurns();
    // Nothing may be shown before the result of the write.
    expect(watches).toHaveLength(0);
    output.full = false;
    await settleTurns();
    expect(output.given).toEqual(["OK"]);
    expect(watches).toHaveLength(1);
    watches[0]?.("seen");
    await all;
    expect(target.calls).toEqual(["set b"]);
    expect(output.given.slice(0, 2)).toEqual(["OK", "seen"]);
    expect(output.given[2]).toMatch(/^GET key/);
  });

  test("the time of a watch counts neither as latency nor as busy", async () => {
    const { pipeline, runAll, watches, clock } = setUp();
    const all = runAll("STATUS --watch");
    await all;
    clock.advance(60_000);
    watches[0]?.("seen");
    await pipeline.drain();
    expect(pipeline.stats).toMatchObject({ commands: 1, busyMs: 0 });
    expect(pipeline.stats.latency.count).toBe(0);
  });

  test("STATUS tells of everything before it", async () => {
    const { target, output, runAll, pipeline } = setUp();
    const all = runAll("SET a 1", "STATUS");
    await settleTurns();
    target.settle(0);
    await all;
    await pipeline.drain();
    expect(JSON.parse(output.given[1] ?? "")).toMatchObject({ keys: 1 });
  });

  test("HELP waits for nothing, and comes out in its place", async () => {
    const { target, output, runAll } = setUp();
    await runAll("SET a 1", "HELP GET");
    await settleTurns();
    expect(output.given).toEqual([]);
    target.settle(0);
    await settleTurns();
    expect(output.given[0]).toBe("OK");
    expect(output.given[1]).toMatch(/^GET key/);
  });

  test("any commands, settled in any order, answer as if one followed the other", async () => {
    const line = fc.oneof(
      fc.tuple(fc.constantFrom("a", "b"), fc.nat({ max: 9 })).map(([key, value]) => `SET ${key} ${value}`),
      fc.constantFrom(
        "GET a",
        "GET b",
        "DEL a b",
        "EXISTS a b b",
        "SNAPSHOT",
        "RESTART",
        "STATUS",
        "BAD",
        "HELP GET",
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 5 }),
        async (lines, choices, maxCommands) => {
          const oneByOne = setUp({}, true);
          for (const one of lines) {
            await oneByOne.run(one);
            await oneByOne.pipeline.drain();
          }
          const { target, output, runAll, pipeline } = setUp({ maxCommands, maxReads: maxCommands });
          let done = false;
          const all = runAll(...lines)
            .then(() => pipeline.drain())
            .then(() => (done = true));
          await settleTurns();
          while (!done) {
            // The fake applies a write when it settles, so writes must settle in order, as a log has them.
            const settleable = target.calls.every((name) => /^(get|exists)/.test(name))
              ? target.pending.length
              : 1;
            target.settle((choices.next().value as number) % settleable);
            await settleTurns();
          }
          await all;
          expect(output.given).toEqual(oneByOne.output.given);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("bounds", () => {
  test("no more commands are under way than the limit, and the oldest frees the next place", async () => {
    const { target, runAll } = setUp({ maxCommands: 3 });
    const all = runAll("SET a 1", "SET b 1", "SET c 1", "SET d 1");
    await settleTurns();
    expect(target.calls).toEqual(["set a", "set b", "set c"]);
    target.settle(1);
    await settleTurns();
    expect(target.calls).toEqual(["set a", "set c"]);
    target.settle(0);
    await all;
    expect(target.calls).toEqual(["set c", "set d"]);
    expect(target.mostPending).toBe(3);
  });

  test("reads have a limit of their own", async () => {
    const { target, runAll } = setUp({ maxReads: 2 });
    const all = runAll("GET a", "GET b", "GET c");
    await settleTurns();
    expect(target.calls).toEqual(["get a", "get b"]);
    target.settle(0);
    await all;
    expect(target.calls).toEqual(["get b", "get c"]);
  });

  test("no more bytes are under way than the limit, but a longer line may go alone", async () => {
    const { target, runAll } = setUp({ maxBytes: 20 });
    const all = runAll("SET a 1", "SET b 1", "SET c 1", `SET d ${"x".repeat(50)}`, "SET e 1");
    await settleTurns();
    expect(target.calls).toEqual(["set a", "set b"]);
    target.settle(0);
    await settleTurns();
    expect(target.calls).toEqual(["set b", "set c"]);
    target.settle(0);
    await settleTurns();
    expect(target.calls).toEqual(["set c"]);
    target.settle(0);
    await settleTurns();
    expect(target.calls).toEqual(["set d"]);
    target.settle(0);
    await all;
    expect(target.calls).toEqual(["set e"]);
  });

  test("while the output is full nothing is given out, and soon nothing more is started", async () => {
    const { target, output, runAll, pipeline } = setUp({ maxCommands: 2 }, true);
    output.full = true;
    const all = runAll("SET a 1", "NONSENSE", "SET b 2", "SET c 3");
    await settleTurns();
    expect(output.given).toEqual([]);
    expect([...target.data.keys()]).toEqual(["a"]);
    output.full = false;
    await all;
    await pipeline.drain();
    expect(output.given).toHaveLength(4);
    expect([...target.data.keys()]).toEqual(["a", "b", "c"]);
  });

  test("values that were read and not given out count against the limit of reads", async () => {
    const { target, output, runAll } = setUp({ maxReads: 2 }, true);
    target.data.set("a", bytes("1"));
    output.full = true;
    let taken = false;
    void runAll("GET a", "GET a", "GET a").then(() => (taken = true));
    await settleTurns();
    expect(taken).toBe(false);
    output.full = false;
    await settleTurns();
    expect(taken).toBe(true);
    expect(output.given).toEqual(['"1"', '"1"', '"1"']);
  });
});

describe("failure", () => {
  test.each([
    ["a stopped node", new StoppedError(new Error("disk"))],
    ["an error that no one meant", new TypeError("undefined is not a function")],
  ])("%s ends the run", async (_, error) => {
    const { target, pipeline, run } = setUp();
    await run("SET a 1");
    expect(pipeline.failure).toBeNull();
    target.settle(0, error);
    await settleTurns();
    expect(pipeline.failure).toBe(error);
  });

  test("an error that answers one command does not", async () => {
    const { target, pipeline, run } = setUp();
    await run("SET a 1");
    target.settle(0, new ShutdownError());
    await settleTurns();
    expect(pipeline.failure).toBeNull();
  });
});

describe("statistics", () => {
  test("commands, errors, the latency of each and the time at work are counted", async () => {
    const { target, pipeline, run, clock } = setUp();
    await run("SET a 1");
    clock.advance(10);
    await run("SET b 1");
    clock.advance(20);
    target.settle(0);
    await settleTurns();
    clock.advance(5);
    target.settle(0, new ShutdownError());
    await pipeline.drain();
    clock.advance(1000);
    await run("NONSENSE");
    expect(pipeline.stats.commands).toBe(3);
    expect(pipeline.stats.errors).toBe(2);
    expect(pipeline.stats.busyMs).toBe(35);
    expect(pipeline.stats.latency.count).toBe(2);
    expect(pipeline.stats.latency.maxMs).toBe(30);
    expect(pipeline.stats.latency.percentileMs(0.5)).toBeCloseTo(25, -1);
  });
});
