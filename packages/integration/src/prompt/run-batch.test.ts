import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { bytes } from "../../test/support/bytes.js";
import { FakeTarget } from "../../test/support/fake-target.js";
import { settleTurns } from "../../test/support/turns.js";
import type { InputSource } from "./input-source.js";
import { formatResult } from "./command-result.js";
import { Pipeline } from "./pipeline.js";
import type { Progress } from "./progress-bar.js";
import { MAX_LINE_BYTES, runBatch } from "./run-batch.js";

/** A source of chunks; an error in their place is thrown when it is reached. */
function source(name: string, ...chunks: (string | Error)[]): InputSource {
  return {
    name,
    size: null,
    async *open() {
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield bytes(chunk);
      }
    },
  };
}

function setUp() {
  const target = new FakeTarget(true);
  const given: string[] = [];
  const unreadable: string[] = [];
  const progress: Progress[] = [];
  const interrupt = new AbortController();
  const pipeline = new Pipeline(
    target,
    {
      full: false,
      ready: () => Promise.resolve(),
      result: (result) => given.push(String(formatResult(result, "quoted")).trimEnd()),
      error: (place, error) => given.push(`${place.source}:${place.line}: ${error.message}`),
    },
    () => 0,
    () => Promise.resolve({ type: "ok" }),
  );
  const run = async (...sources: InputSource[]): Promise<readonly string[]> => {
    await runBatch(sources, pipeline, {
      signal: interrupt.signal,
      onProgress: (seen) => progress.push(seen),
      onUnreadable: (bad, error) => unreadable.push(`${bad.name}: ${error.message}`),
    });
    return given;
  };
  return { target, pipeline, run, given, unreadable, progress, interrupt };
}

describe("runBatch", () => {
  test("runs one command a line, in order", async () => {
    const { run } = setUp();
    expect(await run(source("f", "SET a 1\nGET a\n", "EXISTS a b\nDEL a\nGET a"))).toEqual([
      "OK",
      '"1"',
      "(integer) 1",
      "(integer) 1",
      "(nil)",
    ]);
  });

  test("blank lines and comments are skipped, and count as lines", async () => {
    const { run, pipeline } = setUp();
    expect(await run(source("f", "\n# SET a 1\r\n   \t\n  #\nBAD\n"))).toEqual([
      'f:5: unknown command "BAD": HELP lists the commands',
    ]);
    expect(pipeline.stats.commands).toBe(1);
  });

  test("a bad line is reported with its input and number, and the rest goes on", async () => {
    const { run, pipeline } = setUp();
    const one = source("one", "SET a 1\n", 'GET "a\n', "SET b\nGET a\n");
    const two = source("two", "SET b 2\nNOPE\n");
    expect(await run(one, two)).toEqual([
      "OK",
      "one:2: the quote at column 5 is not closed",
      "one:3: SET has 1 argument, but it is written: SET key value",
      '"1"',
      "OK",
      'two:2: unknown command "NOPE": HELP lists the commands',
    ]);
    expect(pipeline.stats).toMatchObject({ commands: 6, errors: 3 });
  });

  test("a line past the limit is reported, and the next one runs", async () => {
    const { run } = setUp();
    const long = "x".repeat(MAX_LINE_BYTES / 2);
    expect(await run(source("f", "SET a ", long, long, "\nSET a 1\n"))).toEqual([
      "f:1: the line is longer than 2097152 bytes",
      "OK",
    ]);
  });

  test("values hold any bytes, valid text or not", async () => {
    const { run, target } = setUp();
    expect(await run(source("f", "SET a \xff\xfe\0\xc3(\nGET a\n"))).toEqual([
      "OK",
      String.raw`"\xff\xfe\x00\xc3("`,
    ]);
    expect(target.data.get("a")).toEqual(bytes("\xff\xfe\0\xc3("));
  });

  test.each(["QUIT", "exit"])("%s ends the run, in every input that follows", async (quit) => {
    const { run, target } = setUp();
    expect(await run(source("one", `SET a 1\n${quit}\nSET b 1\n`), source("two", "SET c 1\n"))).toEqual([
      "OK",
      "OK",
    ]);
    expect([...target.data.keys()]).toEqual(["a"]);
  });

  test("an input that breaks off is told, its half line is not run, and the next input is", async () => {
    const { run, unreadable } = setUp();
    const broken = source("one", "SET a 1\nSET a 12", new Error("input/output error"), "345\n");
    expect(await run(broken, source("two", "GET a"))).toEqual(["OK", '"1"']);
    expect(unreadable).toEqual(["one: input/output error"]);
  });

  test("progress tells the bytes and commands of all inputs together", async () => {
    const { run, progress } = setUp();
    await run(source("one", "SET a 1\n", "SET b 1\n"), source("two", "GET a"));
    expect(progress).toEqual([
      { bytes: 8, commands: 1 },
      { bytes: 16, commands: 2 },
      { bytes: 21, commands: 2 },
    ]);
  });

  test("an interruption settles what is under way and reads no further line", async () => {
    const { run, interrupt, given } = setUp();
    const waiting = new Readable({ read: () => undefined });
    let closed = false;
    waiting.on("close", () => (closed = true));
    const ran = run({
      name: "f",
      size: null,
      open: (signal) => {
        signal.addEventListener("abort", () => void waiting.destroy());
        return waiting;
      },
    });
    waiting.push("SET a 1\nSET b");
    await settleTurns();
    expect(given).toEqual(["OK"]);
    interrupt.abort("SIGINT");
    await ran;
    expect(given).toEqual(["OK"]);
    expect(closed).toBe(true);
  });

  test("an interruption in the middle of a chunk ends there", async () => {
    const { target, run, interrupt } = setUp();
    const set = target.set.bind(target);
    target.set = (key, value) => {
      interrupt.abort("SIGINT");
      return set(key, value);
    };
    expect(await run(source("f", "SET a 1\nSET b 1\nSET c 1\n"))).toEqual(["OK"]);
  });

  test("a long input lets timers and sockets have their turn in between", async () => {
    const { run, pipeline } = setUp();
    let commandsAtTurn = 0;
    setImmediate(() => (commandsAtTurn = pipeline.stats.commands));
    await run(source("f", "SET a 1\n".repeat(1000)));
    expect(commandsAtTurn).toBeGreaterThan(0);
    expect(commandsAtTurn).toBeLessThan(200);
    expect(pipeline.stats.commands).toBe(1000);
  });

  test("once the node has failed no further line is run", async () => {
    const { target, run, pipeline } = setUp();
    target.set = () => Promise.reject(new TypeError("broken"));
    expect(await run(source("f", "SET a 1\nGET a\nGET b\n"), source("g", "GET c\n"))).toEqual([
      "f:1: broken",
      "(nil)",
    ]);
    expect(pipeline.failure?.message).toBe("broken");
  });
});
