import { expect, test } from "vitest";
import { PeerStreams } from "./peer-streams.js";

class FakeStream {
  ends = 0;

  end(): void {
    this.ends++;
  }
}

function add(streams: PeerStreams<FakeStream>, key: string, count: number): FakeStream[] {
  return Array.from({ length: count }, () => {
    const stream = new FakeStream();
    streams.add(key, stream);
    return stream;
  });
}

test("of too many streams of a kind the oldest ends, and those of others stay", () => {
  const streams = new PeerStreams<FakeStream>();
  const others = add(streams, "control 2", 4);
  const mine = add(streams, "control 1", 5);
  expect(mine.map(({ ends }) => ends)).toEqual([1, 0, 0, 0, 0]);
  expect(others.map(({ ends }) => ends)).toEqual([0, 0, 0, 0]);
});

test("a stream that is removed takes no place any more", () => {
  const streams = new PeerStreams<FakeStream>();
  const mine = add(streams, "control 1", 4);
  streams.remove("control 1", mine[0] as FakeStream);
  streams.remove("control 1", mine[1] as FakeStream);
  const more = add(streams, "control 1", 2);
  expect([...mine, ...more].map(({ ends }) => ends)).toEqual([0, 0, 0, 0, 0, 0]);
  streams.endAll();
  expect([...mine, ...more].map(({ ends }) => ends)).toEqual([0, 0, 1, 1, 1, 1]);
});
