import { describe, expect, test } from "vitest";
import { bytes } from "../../test/support/bytes.js";
import { CapturedOutput, TestInput, ioError } from "../../test/support/streams.js";
import { settleTurns } from "../../test/support/turns.js";
import type { ConsoleOptions } from "./console.js";
import { Console } from "./console.js";

interface Given extends Partial<ConsoleOptions> {
  readonly stdout?: CapturedOutput;
  readonly stderr?: CapturedOutput;
}

function setUp({ stdout = new CapturedOutput(), stderr = new CapturedOutput(), ...options }: Given = {}) {
  const broken: Error[] = [];
  const io = {
    stdin: new TestInput(),
    stdout,
    stderr,
    env: { NO_COLOR: "1" },
    interrupt: new AbortController().signal,
    now: () => 0,
  };
  const console = new Console(
    io,
    { results: "quoted", interactive: false, progressBytes: 100, ...options },
    (error) => broken.push(error),
  );
  return { console, stdout, stderr, broken };
}

const VALUE = { type: "bytes", value: bytes("v") } as const;

describe("Console", () => {
  test("results go to standard output, errors with their place to standard error", async () => {
    const { console, stdout, stderr } = setUp();
    console.result(VALUE);
    console.error({ source: "file.txt", line: 12 }, new Error("wrong"));
    await settleTurns();
    expect(stdout.text).toBe('"v"\n');
    expect(stderr.text).toBe("file.txt:12: wrong\n");
  });

  test("for a user at the prompt an error needs no place", async () => {
    const { console, stderr } = setUp({ interactive: true });
    console.error({ source: "terminal", line: 12 }, new Error("wrong"));
    await console.finish();
    expect(stderr.text).toBe("(error) wrong\n");
  });

  test("there is no progress bar unless standard error is a terminal", async () => {
    const { console, stderr } = setUp();
    console.progress({ commands: 1, bytes: 50 });
    await console.finish();
    expect(stderr.text).toBe("");
  });

  test("there is no progress bar when none is wanted", async () => {
    const { console, stderr } = setUp({ stderr: new CapturedOutput({ isTTY: true }), progressBytes: "none" });
    console.progress({ commands: 1, bytes: 50 });
    await console.finish();
    expect(stderr.text).toBe("");
  });

  test("the progress bar is cleared before an error and at the end", async () => {
    const { console, stderr } = setUp({ stderr: new CapturedOutput({ isTTY: true }) });
    console.progress({ commands: 1, bytes: 50 });
    console.error({ source: "f", line: 1 }, new Error("wrong"));
    await console.finish();
    expect(stderr.text).toMatch(/^\r\x1b\[K\[#+-+\] 50%[^\r]*\r\x1b\[Kf:1: wrong\n$/);
  });

  test("the progress bar is cleared before results appear on the same terminal, and errors come in their place", async () => {
    const terminal = new CapturedOutput({ isTTY: true });
    const { console } = setUp({ stdout: terminal, stderr: terminal });
    console.progress({ commands: 1, bytes: 50 });
    console.result(VALUE);
    console.error({ source: "f", line: 1 }, new Error("wrong"));
    console.result(VALUE);
    await console.finish();
    expect(terminal.text).toMatch(/^\r\x1b\[K\[#+-+\] 50%[^\r]*\r\x1b\[K"v"\nf:1: wrong\n"v"\n$/);
  });

  test("it is full while either output is", async () => {
    for (const name of ["stdout", "stderr"] as const) {
      const slow = new CapturedOutput({ highWaterMark: 1 });
      const { console } = setUp({ [name]: slow });
      slow.hold();
      if (name === "stdout") console.result(VALUE);
      else console.note("note");
      console.flush();
      expect(console.full).toBe(true);
      let ready = false;
      void console.ready().then(() => (ready = true));
      await settleTurns();
      expect(ready).toBe(false);
      slow.release();
      await settleTurns();
      expect(ready).toBe(true);
      expect(console.full).toBe(false);
    }
  });

  test("broken standard output is told, broken standard error is nobody's business", async () => {
    const { console, stdout, stderr, broken } = setUp();
    const error = ioError("EPIPE");
    stderr.destroy(ioError("EPIPE"));
    stdout.destroy(error);
    await settleTurns();
    expect(broken).toEqual([error]);
    console.result(VALUE);
    console.note("note");
    await console.finish();
    expect(console.full).toBe(false);
  });
});
