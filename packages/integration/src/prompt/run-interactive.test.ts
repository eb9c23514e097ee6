import { describe, expect, test } from "vitest";
import { FakeTarget } from "../../test/support/fake-target.js";
import { CapturedOutput, TestInput } from "../../test/support/streams.js";
import { settleTurns } from "../../test/support/turns.js";
import { borrowKeys } from "./borrow-keys.js";
import { formatResult } from "./command-result.js";
import { Pipeline } from "./pipeline.js";
import { runInteractive } from "./run-interactive.js";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const UP = "\x1b[A";

function setUp() {
  const target = new FakeTarget(true);
  const input = new TestInput(true);
  const output = new CapturedOutput({ isTTY: true });
  const interrupt = new AbortController();
  const answers: string[] = [];
  const pipeline = new Pipeline(
    target,
    {
      full: false,
      ready: () => Promise.resolve(),
      result: (result) => answers.push(String(formatResult(result, "terminal")).trimEnd()),
      error: (_, error) => answers.push(error.message),
    },
    () => 0,
    async () => {
      answers.push("(watching)");
      await new Promise<void>((resolve) => {
        const giveBack = borrowKeys(input, () => {
          giveBack();
          resolve();
        });
      });
      return { type: "text", text: "(watched)" };
    },
  );
  const ended = runInteractive(pipeline, {
    input,
    output,
    prompt: "> ",
    signal: interrupt.signal,
    flush: () => answers.push("(flushed)"),
  });
  const type = async (keys: string): Promise<void> => {
    input.write(keys);
    await settleTurns();
  };
  return { target, input, output, interrupt, pipeline, answers, ended, type };
}

describe("runInteractive", () => {
  test("each line is a command, and its answer is there before the next prompt", async () => {
    const { type, answers, ended, output } = setUp();
    await type("SET a 1\r");
    expect(answers).toEqual(["OK", "(flushed)"]);
    await type("get a\r");
    expect(answers.slice(2)).toEqual(['"1"', "(flushed)"]);
    await type(CTRL_D);
    expect(await ended).toBe(false);
    expect(output.text).toContain("> ");
    expect(output.text).toMatch(/\n$/);
  });

  test("lines that were pasted together run one after the other", async () => {
    const { type, answers, ended } = setUp();
    await type("SET a 1\rGET a\rDEL a\rGET a\rquit\r");
    expect(await ended).toBe(false);
    expect(answers.filter((answer) => answer !== "(flushed)")).toEqual([
      "OK",
      '"1"',
      "(integer) 1",
      "(nil)",
      "OK",
    ]);
  });

  test("a line that is no command is answered with why, and the session goes on", async () => {
    const { type, answers, ended } = setUp();
    await type("NOPE\r\r# nothing\rGET a\r");
    await type(CTRL_D);
    await ended;
    expect(answers).toEqual([
      'unknown command "NOPE": HELP lists the commands',
      "(flushed)",
      "(nil)",
      "(flushed)",
    ]);
  });

  test("text beyond ASCII is kept as UTF-8", async () => {
    const { type, answers, ended } = setUp();
    await type("SET é ü\rGET é\r");
    await type(CTRL_D);
    await ended;
    expect(answers).toContain(String.raw`"\xc3\xbc"`);
  });

  test("the up arrow brings back earlier lines", async () => {
    const { type, answers, ended, target } = setUp();
    await type("SET a 1\r");
    await type("GET a\r");
    await type(`${UP}${UP}2\r`);
    expect(answers).toEqual(["OK", "(flushed)", '"1"', "(flushed)", "OK", "(flushed)"]);
    expect(target.data.get("a")).toEqual(new TextEncoder().encode("12"));
    await type(CTRL_D);
    await ended;
  });

  test("the tab key completes a command", async () => {
    const { type, answers, ended, target } = setUp();
    for (const keys of ["se", "\t", "a 1\r"]) await type(keys);
    expect(answers).toEqual(["OK", "(flushed)"]);
    expect([...target.data.keys()]).toEqual(["a"]);
    await type(CTRL_D);
    await ended;
  });

  test("Ctrl-C drops a line that was begun, wherever the cursor is in it", async () => {
    const { type, answers, ended } = setUp();
    await type("SET a 1");
    await type(`\x1b[D\x1b[D${CTRL_C}`);
    await type("GET a\r");
    expect(answers).toEqual(["(nil)", "(flushed)"]);
    await type(CTRL_D);
    expect(await ended).toBe(false);
  });

  test("Ctrl-C on an empty line ends the session, and the answer tells", async () => {
    const { type, ended, input } = setUp();
    await type("SET a 1\r");
    await type(CTRL_C);
    expect(await ended).toBe(true);
    expect(input.destroyed).toBe(true);
  });

  test.each(["quit", "EXIT"])("%s ends the session", async (word) => {
    const { type, ended, input } = setUp();
    await type(`${word}\r`);
    expect(await ended).toBe(false);
    expect(input.destroyed).toBe(true);
  });

  test("a signal ends the session", async () => {
    const { interrupt, ended, type } = setUp();
    await type("SET a");
    interrupt.abort("SIGTERM");
    expect(await ended).toBe(false);
  });

  test("a failed node ends the session", async () => {
    const { type, ended, target, pipeline } = setUp();
    target.get = () => Promise.reject(new TypeError("broken"));
    await type("GET a\r");
    expect(await ended).toBe(false);
    expect(pipeline.failure?.message).toBe("broken");
  });

  test.each([
    ["a letter", "x"],
    ["Ctrl-C", CTRL_C],
    ["Ctrl-D", CTRL_D],
    ["an arrow", UP],
  ])("%s ends a watch and nothing else: it is in no line and ends no session", async (_, key) => {
    const { type, answers, ended } = setUp();
    await type("STATUS --watch\r");
    expect(answers).toEqual(["(watching)"]);
    await type(key);
    expect(answers).toEqual(["(watching)", "(watched)", "(flushed)"]);
    await type("GET a\r");
    expect(answers.slice(3)).toEqual(["(nil)", "(flushed)"]);
    await type(CTRL_D);
    expect(await ended).toBe(false);
  });

  test("the end of the input ends a watch, and the session", async () => {
    const { type, answers, ended, input } = setUp();
    await type("STATUS --watch\r");
    input.end();
    expect(await ended).toBe(false);
    expect(answers).toContain("(watched)");
  });
});
