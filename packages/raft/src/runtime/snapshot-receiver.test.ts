import type {
  BasicNode,
  BytesTypeConfig,
  InstallSnapshotRequest,
  Snapshot,
  SnapshotData,
  SnapshotMeta,
} from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { MaybePromise, RaftStateMachine, SnapshotSink } from "@seshat/storage";
import { KeyValueStateMachine, MemSnapshotData, OpenRaftMemStorage } from "@seshat/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordingLogger, RecordingTracer } from "../../test/support/instruments.js";
import { deferred, outcomeOf, settled } from "../../test/support/promises.js";
import type { Outcome } from "../../test/support/promises.js";
import { logId, voters } from "../../test/support/values.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { Instruments } from "./instruments.js";
import { SnapshotReceiver } from "./snapshot-receiver.js";
import { StallWatch } from "./stall-watch.js";

type Part = InstallSnapshotRequest<BasicNode>;

const TIMEOUT = 1000;
const CONTENT = Uint8Array.from({ length: 25 }, (_, i) => i);

function meta(index = 5, snapshotId = String(index)): SnapshotMeta {
  return {
    lastLogId: logId(2, index),
    lastMembership: { logId: logId(0, 1), membership: voters(1, 2, 3) },
    snapshotId,
  };
}

function part(offset: number, length: number, changes: Partial<Part> = {}): Part {
  return {
    term: 3,
    leaderId: 2,
    meta: meta(),
    size: CONTENT.length,
    offset,
    data: CONTENT.slice(offset, offset + length),
    ...changes,
  };
}

function setUp() {
  const clock = new VirtualClock();
  const runtime = clock.runtime(new SeededRandom(1));
  const timers = new Set<object>();
  const logger = new RecordingLogger();
  const tracer = new RecordingTracer();
  /** What the state machine was asked. */
  const calls: string[] = [];
  const received: SnapshotMeta[] = [];
  const failures: Error[] = [];
  const open = { now: 0, most: 0 };
  const world = {
    write: (_bytes: number): MaybePromise<void> => {},
    open: (): MaybePromise<void> => {},
    finish: (): MaybePromise<void> => {},
    discard: (): MaybePromise<void> => {},
  };
  const store = new OpenRaftMemStorage(new KeyValueStateMachine());
  const stateMachine = {
    receiveSnapshot: async (given: SnapshotMeta, size: number) => {
      calls.push(`open ${given.snapshotId}`);
      await world.open();
      open.now += 1;
      open.most = Math.max(open.most, open.now);
      const inner = store.stateMachine.receiveSnapshot(given, size);
      const sink: SnapshotSink<SnapshotData> = {
        write: async (chunk) => {
          calls.push(`write ${chunk.length}`);
          await world.write(chunk.length);
          await inner.write(chunk);
        },
        finish: async () => {
          calls.push("finish");
          await world.finish();
          open.now -= 1;
          return inner.finish();
        },
        discard: async () => {
          calls.push("discard");
          open.now -= 1;
          await world.discard();
        },
      };
      return sink;
    },
  } as unknown as RaftStateMachine<BytesTypeConfig>;
  const receiver = new SnapshotReceiver<BytesTypeConfig>(
    {
      stateMachine,
      stalls: new StallWatch(runtime, 1_000_000, () => {}),
      runtime: {
        ...runtime,
        setTimer: (delayMs, callback) => {
          const timer = runtime.setTimer(delayMs, () => {
            timers.delete(timer);
            callback();
          });
          timers.add(timer);
          return {
            cancel: () => {
              timers.delete(timer);
              timer.cancel();
            },
          };
        },
      },
      instruments: new Instruments(1, logger, tracer),
      maxBytes: 100,
      timeoutMs: TIMEOUT,
    },
    {
      received: (given) => void received.push(given),
      failed: (error) => void failures.push(error),
    },
  );
  let ids = 0;
  /** A part comes, and the engine wants it. */
  const take = (request: Part): Outcome<number> => {
    ids += 1;
    receiver.hold(ids, request);
    return outcomeOf(receiver.take(ids));
  };
  const taken = async (request: Part): Promise<number | Error> => {
    const outcome = take(request);
    await settled();
    return (outcome.values[0] ?? outcome.errors[0]) as number | Error;
  };
  return { clock, timers, logger, tracer, calls, received, failures, open, world, receiver, take, taken };
}

async function contentOf({ data }: Snapshot): Promise<Uint8Array> {
  const bytes: number[] = [];
  for await (const chunk of data.read(0)) bytes.push(...chunk);
  return Uint8Array.from(bytes);
}

describe("the parts of a snapshot", () => {
  test("are put together in their order, and the whole is reported once", async () => {
    const { receiver, received, taken, timers, calls, open } = setUp();
    expect(await taken(part(0, 0))).toBe(0);
    expect(await taken(part(0, 10))).toBe(10);
    expect(await taken(part(10, 10))).toBe(20);
    expect(received).toEqual([]);
    expect(await taken(part(20, 10))).toBe(25);
    expect(received).toEqual([meta()]);
    expect(receiver.complete.meta).toEqual(meta());
    expect(await contentOf(receiver.complete)).toEqual(CONTENT);
    expect(calls).toEqual(["open 5", "write 10", "write 10", "write 5", "finish"]);
    expect([timers.size, open.now]).toEqual([0, 0]);
  });

  test("that come twice, or out of order, change nothing, and the answer says what is wanted", async () => {
    const { taken, calls } = setUp();
    expect(await taken(part(10, 10))).toBe(0);
    expect(await taken(part(0, 10))).toBe(10);
    expect(await taken(part(0, 10))).toBe(10);
    expect(await taken(part(20, 5))).toBe(10);
    expect(await taken(part(5, 10))).toBe(10);
    expect(await taken(part(0, 0))).toBe(10);
    expect(calls).toEqual(["open 5", "write 10"]);
  });

  test("in whatever order they come, repeated and lost, make the whole content or nothing of it (property)", async () => {
    const parts = fc.array(fc.tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 12 })), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(parts, async (sent) => {
        const world = setUp();
        for (const [offset, length] of sent) void world.take(part(offset, length));
        await settled();
        for (let offset = 0; world.received.length === 0;) {
          const next = await world.taken(part(offset, 10));
          expect(next).toBeGreaterThanOrEqual(offset === 0 ? 0 : offset);
          offset = next as number;
        }
        expect(await contentOf(world.receiver.complete)).toEqual(CONTENT);
        expect(world.received).toHaveLength(1);
        expect([world.open.most, world.open.now, world.timers.size]).toEqual([1, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  test("of a content without bytes are none: it is complete with the first question", async () => {
    const { taken, receiver, received } = setUp();
    expect(await taken(part(0, 0, { size: 0 }))).toBe(0);
    expect(received).toHaveLength(1);
    expect(receiver.complete.data.size).toBe(0);
  });

  test("are taken one after another, however slow the store is", async () => {
    const { world, take, calls } = setUp();
    const first = deferred();
    world.write = () => first.promise;
    const outcomes = [take(part(0, 10)), take(part(10, 10))];
    await settled();
    expect(calls).toEqual(["open 5", "write 10"]);
    world.write = () => {};
    first.resolve();
    await settled();
    expect(outcomes.map(({ values }) => values)).toEqual([[10], [20]]);
  });
});

describe("reassembly memory is bounded", () => {
  test("at a few parts that wait, for the engine or for the store; then no more are let in", async () => {
    const { world, receiver, take } = setUp();
    const slow = deferred();
    world.write = () => slow.promise;
    for (let i = 0; i < 3; i++) take(part(0, 10));
    await settled();
    expect(receiver.full).toBe(false);
    receiver.hold(99, part(0, 10));
    expect(receiver.full).toBe(true);
    receiver.forget(99);
    expect(receiver.full).toBe(false);
    take(part(0, 10));
    expect(receiver.full).toBe(true);
    slow.resolve();
    await settled();
    expect(receiver.full).toBe(false);
  });

  test("a content that is larger than what is taken is refused before anything is opened", async () => {
    const { taken, calls, failures } = setUp();
    const error = await taken(part(0, 10, { size: 101 }));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(error).toMatchObject({ field: "installSnapshot.size" });
    expect([calls, failures]).toEqual([[], []]);
    expect(await taken(part(0, 10, { size: 100 }))).toBe(10);
  });

  test("a part that goes past the content is refused, and what came before it stays", async () => {
    const { taken } = setUp();
    await taken(part(0, 20));
    const error = await taken(part(20, 5, { data: new Uint8Array(6) }));
    expect(error).toMatchObject({
      field: "installSnapshot.data.length",
      message: expect.stringContaining("is 6") as string,
    });
    expect(await taken(part(20, 0))).toBe(20);
  });

  test("a part that nobody holds any more is an error", async () => {
    const { receiver } = setUp();
    receiver.hold(1, part(0, 10));
    receiver.forget(1);
    expect(outcomeOf(receiver.take(1)).values).toEqual([]);
    await expect(receiver.take(1)).rejects.toThrow("no part of a snapshot waits as 1");
  });
});

describe("another snapshot", () => {
  test.each<[string, Partial<Part>]>([
    ["from another leader, though it has the same name", { leaderId: 3 }],
    ["that is newer", { meta: meta(9) }],
    ["of another name", { meta: meta(5, "other") }],
    ["of another size", { size: 30 }],
  ])("%s takes the place of the one that is coming, from its beginning", async (_, changes) => {
    const { taken, calls, open } = setUp();
    await taken(part(0, 10));
    expect(await taken(part(10, 10, changes))).toBe(0);
    expect(calls.slice(2, 4)).toEqual(["discard", `open ${changes.meta?.snapshotId ?? "5"}`]);
    expect(await taken(part(0, 10, changes))).toBe(10);
    expect(open).toEqual({ now: 1, most: 1 });
  });

  test("goes on from the same leader in a later term", async () => {
    const { taken } = setUp();
    await taken(part(0, 10));
    expect(await taken(part(10, 10, { term: 7 }))).toBe(20);
  });

  test("waits until the one that is complete is installed; that one has all it needs", async () => {
    const { taken, receiver, calls, received } = setUp();
    await taken(part(0, 25));
    expect(await taken(part(0, 0))).toBe(25);
    expect(await taken(part(0, 25))).toBe(25);
    expect(await taken(part(0, 10, { meta: meta(9) }))).toBe(0);
    expect(calls).toEqual(["open 5", "write 25", "finish"]);
    receiver.clear();
    expect(() => receiver.complete).toThrow("no snapshot is complete");
    expect(await taken(part(0, 10, { meta: meta(9) }))).toBe(10);
    expect(received).toHaveLength(1);
  });
});

describe("a snapshot that is brought by hand", () => {
  async function byHand(): Promise<Snapshot> {
    return { meta: meta(7, "by hand"), data: await MemSnapshotData.collect([CONTENT]) };
  }

  test("takes the place of one that is coming, and keeps others out until it is installed", async () => {
    const { taken, receiver, calls, received, open, timers } = setUp();
    await taken(part(0, 10));
    const snapshot = await byHand();
    expect(receiver.offer(snapshot)).toBe(true);
    await settled();
    expect(calls.at(-1)).toBe("discard");
    expect([open.now, timers.size]).toEqual([0, 0]);
    expect(await taken(part(10, 10))).toBe(0);
    expect(receiver.offer(snapshot)).toBe(false);
    expect(receiver.complete).toBe(snapshot);
    expect(received).toEqual([]);
  });

  test("is refused while another one is complete", async () => {
    const { taken, receiver } = setUp();
    await taken(part(0, 25));
    expect(receiver.offer(await byHand())).toBe(false);
    expect(receiver.complete.meta).toEqual(meta());
  });

  test.each(["open", "write", "finish"] as const)(
    "in the middle of the last part (%s): there is one complete snapshot, and it is the one by hand",
    async (phase) => {
      const world = setUp();
      const slow = deferred();
      if (phase !== "open") await world.taken(part(0, 20));
      world.world[phase] = () => slow.promise;
      const last = world.take(phase === "open" ? part(0, 25) : part(20, 5));
      await settled();
      const snapshot = await byHand();
      expect(world.receiver.offer(snapshot)).toBe(true);
      slow.resolve();
      await settled();
      expect(world.received).toEqual([]);
      expect(world.receiver.complete).toBe(snapshot);
      // What came of the other one is not wanted, and was not written any more.
      expect([last.values, last.errors]).toEqual([[0], []]);
      if (phase === "open") expect(world.calls).toEqual(["open 5", "discard"]);
      if (phase === "write") expect(world.calls.at(-1)).toBe("discard");
      expect([world.open.now, world.timers.size]).toEqual([0, 0]);
      expect(world.tracer.spans.map(({ ends }) => ends)).toEqual([1]);
      world.receiver.clear();
      expect(await world.taken(part(0, 10))).toBe(10);
    },
  );
});

describe("what is not complete", () => {
  test("is forgotten when it does not grow for so long; each part starts that time anew", async () => {
    const { clock, taken, calls, logger, open, timers } = setUp();
    await taken(part(0, 10));
    await clock.advance(TIMEOUT - 1);
    await taken(part(10, 10));
    await clock.advance(TIMEOUT - 1);
    // Questions are no growth.
    await taken(part(0, 0));
    expect(open.now).toBe(1);
    await clock.advance(1);
    expect(calls.at(-1)).toBe("discard");
    expect(logger.of("raft.snapshot.abandoned")).toEqual([{ node: 1, received: 20, size: 25 }]);
    expect([open.now, timers.size]).toEqual([0, 0]);
    expect(await taken(part(20, 5))).toBe(0);
  });

  test("is forgotten at a shutdown, in every phase: nothing is reported, and nothing is left", async () => {
    for (const phase of ["idle", "open", "write", "finish"] as const) {
      const world = setUp();
      const slow = deferred();
      if (phase !== "open") await world.taken(part(0, 20));
      if (phase !== "idle") {
        world.world[phase] = () => slow.promise;
        world.take(phase === "open" ? part(0, 25) : part(20, 5));
        await settled();
      }
      const queued = phase === "idle" ? null : world.take(part(20, 5));
      const closed = outcomeOf(world.receiver.close());
      await settled();
      expect(closed.values).toHaveLength(phase === "idle" ? 1 : 0);
      slow.resolve();
      await settled();
      expect(closed.values).toHaveLength(1);
      expect([world.received, world.failures]).toEqual([[], []]);
      expect([world.open.now, world.timers.size]).toEqual([0, 0]);
      if (queued !== null) expect(queued.values).toEqual([0]);
      expect(world.tracer.spans.every(({ ends }) => ends === 1)).toBe(true);
      expect(await world.taken(part(0, 10))).toBe(0);
      expect(world.open.now).toBe(0);
    }
  });

  test("and cannot be discarded is only logged", async () => {
    const { world, taken, logger, failures } = setUp();
    await taken(part(0, 10));
    world.discard = () => {
      throw new Error("cannot remove");
    };
    expect(await taken(part(0, 10, { leaderId: 3 }))).toBe(10);
    expect(logger.of("raft.snapshot.discard.failed")).toEqual([{ node: 1, error: "cannot remove" }]);
    expect(failures).toEqual([]);
  });
});

describe("a store that fails", () => {
  test.each(["open", "write", "finish"] as const)("in %s stops the node, with the cause", async (step) => {
    const { world, taken, received, failures } = setUp();
    const cause = new Error("disk full");
    world[step] = () => {
      throw cause;
    };
    expect(await taken(part(0, 25))).toMatchObject({ name: "StorageError", verb: "receive snapshot", cause });
    expect(failures).toMatchObject([{ name: "StorageError", verb: "receive snapshot", cause }]);
    expect(received).toEqual([]);
  });
});
