import { describe, expect, test } from "vitest";
import { CapturedOutput, ioError } from "../../test/support/streams.js";
import { settleTurns } from "../../test/support/turns.js";
import { OutputSink } from "./output-sink.js";

describe("OutputSink", () => {
  test("what is written in one turn reaches the stream at once", async () => {
    const stream = new CapturedOutput();
    const sink = new OutputSink(stream);
    sink.write("a\n");
    sink.write(Uint8Array.of(0xff, 0x0a));
    sink.write("é");
    expect(stream.writes).toBe(0);
    await settleTurns();
    expect(stream.text).toBe("a\n\xff\n\xc3\xa9");
    expect(stream.writes).toBe(1);
  });

  test("much of it does not wait for the end of the turn", () => {
    const stream = new CapturedOutput();
    const sink = new OutputSink(stream);
    sink.write("x".repeat(65_535));
    expect(stream.writes).toBe(0);
    sink.write("y");
    expect(stream.writes).toBe(1);
  });

  test("it is full while the stream holds too much, and ready when that has left", async () => {
    const stream = new CapturedOutput({ highWaterMark: 10 });
    stream.hold();
    const sink = new OutputSink(stream);
    sink.write("0123456789");
    sink.flush();
    expect(sink.full).toBe(true);
    let ready = false;
    void sink.ready().then(() => (ready = true));
    await settleTurns();
    expect(ready).toBe(false);
    stream.release();
    await settleTurns();
    expect(ready).toBe(true);
    expect(sink.full).toBe(false);
  });

  test("finish waits until everything has left", async () => {
    const stream = new CapturedOutput();
    stream.hold();
    const sink = new OutputSink(stream);
    sink.write("a");
    let finished = false;
    const finish = sink.finish().then(() => (finished = true));
    await settleTurns();
    expect(finished).toBe(false);
    stream.release();
    await finish;
    expect(stream.text).toBe("a");
  });

  test("a broken stream is told once, frees whoever waits, and swallows the rest", async () => {
    const stream = new CapturedOutput({ highWaterMark: 1 });
    stream.hold();
    const told: Error[] = [];
    const sink = new OutputSink(stream, { onBroken: (error) => told.push(error) });
    sink.write("a");
    sink.flush();
    const ready = sink.ready();
    const error = ioError("EPIPE");
    stream.destroy(error);
    await ready;
    await settleTurns();
    expect(told).toEqual([error]);
    sink.write("b");
    sink.flush();
    expect(sink.full).toBe(false);
    await sink.finish();
    expect(stream.text).toBe("a");
  });

  test("a stream that breaks while finish waits does not keep it waiting", async () => {
    const stream = new CapturedOutput();
    stream.hold();
    const sink = new OutputSink(stream);
    sink.write("a");
    const finish = sink.finish();
    stream.destroy(ioError("EPIPE"));
    await finish;
    expect(stream.destroyed).toBe(true);
  });
});
