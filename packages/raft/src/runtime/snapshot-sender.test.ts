import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { InstallSnapshotRequest, InstallSnapshotResponse, Snapshot } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { RecordingLogger, RecordingTracer } from "../../test/support/instruments.js";
import { deferred, outcomeOf, settled } from "../../test/support/promises.js";
import { logId, voters } from "../../test/support/values.js";
import type { SendSnapshotCommand } from "../engine/command.js";
import type { Event } from "../engine/event.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { Instruments } from "./instruments.js";
import { SnapshotSender } from "./snapshot-sender.js";

const SEND: SendSnapshotCommand = { type: "sendSnapshot", to: 2, seq: 9, term: 3 };
const SIZE = 35;
const CHUNK = 10;
const PAUSE = 50;
const TIMEOUT = 1000;

const FAILED: Event = { type: "installSnapshotFailed", from: 2, requestTerm: 3, seq: 9 };
const INSTALLED: Event = {
  type: "installSnapshotResponse",
  from: 2,
  requestTerm: 3,
  seq: 9,
  lastLogId: logId(2, 5),
  response: { type: "installed", term: 3 },
  incarnation: 12,
};

type Answer = InstallSnapshotResponse | Promise<InstallSnapshotResponse> | "lost";

function progress(nextOffset: number): InstallSnapshotResponse {
  return { type: "progress", term: 3, nextOffset };
}

function setUp(size = SIZE) {
  const clock = new VirtualClock();
  const runtime = clock.runtime(new SeededRandom(1));
  const timers = new Set<object>();
  const logger = new RecordingLogger();
  const tracer = new RecordingTracer();
  const events: Event[] = [];
  /** What was sent: when, from where, how much. */
  const sent: [number, number, number][] = [];
  const requests: InstallSnapshotRequest<unknown>[] = [];
  const responses: WeakRef<object>[] = [];
  const source = { opened: 0, closed: 0 };
  let received = 0;
  const snapshot: Snapshot = {
    meta: {
      lastLogId: logId(2, 5),
      lastMembership: { logId: logId(0, 1), membership: voters(1, 2) },
      snapshotId: "5",
    },
    data: {
      size,
      async *read(offset) {
        source.opened += 1;
        try {
          for (let at = offset; at < size; at += 4) yield new Uint8Array(Math.min(4, size - at)).fill(at);
        } finally {
          source.closed += 1;
        }
      },
    },
  };
  const world = {
    /** Whether the engine waits for the outcome. */
    awaits: true,
    newest: 5,
    /** Where the log ends, and how far it is committed. */
    log: { last: 5, committed: 5 },
    read: (): Snapshot | null | Promise<Snapshot | null> => snapshot,
    /** A follower that takes every part in order, and has installed all of it when it is asked next. */
    follower: ({ offset, data }: InstallSnapshotRequest<unknown>): Answer => {
      if (received === size && size > 0) return { type: "installed", term: 3 };
      if (offset === received) received += data.length;
      return progress(received);
    },
  };
  const sender = new SnapshotSender<never>({
    id: 1,
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
    chunkBytes: CHUNK,
    timeoutMs: TIMEOUT,
    pauseMs: PAUSE,
    newestIndex: () => world.newest,
    logExtent: () => world.log,
    readSnapshot: () => world.read() as never,
    call: async (_, request) => {
      sent.push([clock.now, request.offset, request.data.length]);
      requests.push(request);
      // A transfer that goes round in circles shows as too many requests, instead of holding up the test.
      if (sent.length > 1000) return new Promise<never>(() => {});
      const answer = await world.follower(request);
      if (answer === "lost") throw new Error("lost");
      const response = { ...answer, header: { from: 2, incarnation: 12 } };
      responses.push(new WeakRef(response));
      return response;
    },
    awaits: () => world.awaits,
    emit: (event) => void events.push(event),
  });
  return {
    clock,
    timers,
    logger,
    tracer,
    events,
    sent,
    requests,
    responses,
    source,
    world,
    sender,
    snapshot,
  };
}

type World = ReturnType<typeof setUp>;

/** Nothing goes on and nothing is left: no timer, no open source, no span that has not ended. */
function checkAtRest({ timers, source, tracer, sender, sent }: World, events: readonly Event[]): void {
  expect(timers.size).toBe(0);
  expect(source.closed).toBe(source.opened);
  for (const span of tracer.spans) expect(span.ends).toBe(1);
  expect(sender.progress(2)).toBeNull();
  expect(events.length + sent.length).toBeGreaterThan(0);
}

describe("a snapshot on its way to a follower", () => {
  test("goes a part at a time, each when the one before is answered; the first request only asks", async () => {
    const world = setUp();
    world.sender.send(SEND);
    await settled();
    expect(world.sent).toEqual([
      [0, 0, 0],
      [0, 0, 10],
      [0, 10, 10],
      [0, 20, 10],
      [0, 30, 5],
    ]);
    expect(world.sender.progress(2)).toEqual({ offset: SIZE, size: SIZE });
    expect(world.events).toEqual([]);
    await world.clock.advance(PAUSE);
    expect(world.sent.at(-1)).toEqual([PAUSE, SIZE, 0]);
    expect(world.events).toEqual([INSTALLED]);
    expect(world.requests[1]).toMatchObject({ term: 3, leaderId: 1, meta: world.snapshot.meta, size: SIZE });
    checkAtRest(world, world.events);
    expect(world.tracer.named("raft.snapshot.send")).toMatchObject([{ exceptions: [] }]);
  });

  test("of no bytes is asked about until it is installed", async () => {
    const world = setUp(0);
    world.sender.send(SEND);
    await world.clock.advance(3 * PAUSE);
    expect(world.sent).toHaveLength(4);
    world.world.follower = () => ({ type: "installed", term: 3 });
    await world.clock.advance(PAUSE);
    expect(world.events).toEqual([INSTALLED]);
    checkAtRest(world, world.events);
  });

  test("goes on from what the follower has of an attempt before: nothing is sent twice", async () => {
    const world = setUp();
    world.world.follower = ({ offset, data }) =>
      progress(data.length === 0 && offset === 0 ? 20 : offset + data.length);
    world.sender.send(SEND);
    await settled();
    expect(world.sent).toEqual([
      [0, 0, 0],
      [0, 20, 10],
      [0, 30, 5],
    ]);
  });

  test("whose chunks time out makes progress by resuming: a lost part is sent again from the same place, after a pause", async () => {
    const world = setUp();
    const { follower } = world.world;
    let lost = 0;
    world.world.follower = (request) => {
      if (request.offset === 10 && lost < 2) {
        lost += 1;
        return "lost";
      }
      return follower(request);
    };
    world.sender.send(SEND);
    await world.clock.advance(2 * PAUSE);
    expect(world.sent).toEqual([
      [0, 0, 0],
      [0, 0, 10],
      [0, 10, 10],
      [50, 10, 10],
      [100, 10, 10],
      [100, 20, 10],
      [100, 30, 5],
    ]);
    // It was read once all the same.
    expect(world.source.opened).toBe(1);
  });

  test("of which an answer was lost goes on from where the follower is", async () => {
    const world = setUp();
    const { follower } = world.world;
    world.world.follower = (request) => {
      const answer = follower(request);
      return request.offset === 0 && request.data.length > 0 && world.sent.length === 2 ? "lost" : answer;
    };
    world.sender.send(SEND);
    await world.clock.advance(PAUSE);
    expect(world.sent.slice(1, 4)).toEqual([
      [0, 0, 10],
      [50, 0, 10],
      [50, 10, 10],
    ]);
  });

  test("asks again while there is no answer at all, and sends nothing before one comes", async () => {
    const world = setUp();
    world.world.follower = () => "lost";
    world.sender.send(SEND);
    await world.clock.advance(3 * PAUSE);
    expect(world.sent).toEqual([0, 50, 100, 150].map((at) => [at, 0, 0]));
  });

  test("is given up when it makes no progress for so long; a part that arrives starts that time anew", async () => {
    const world = setUp();
    const { follower } = world.world;
    world.world.follower = (request) =>
      world.clock.now < 800 || request.offset > 0 ? "lost" : follower(request);
    world.sender.send(SEND);
    await world.clock.advance(800 + TIMEOUT - 1);
    expect(world.events).toEqual([]);
    await world.clock.advance(1 + PAUSE);
    expect(world.events).toEqual([FAILED]);
    checkAtRest(world, world.events);
    expect(world.tracer.named("raft.snapshot.send")[0]?.exceptions).toHaveLength(1);
  });

  test("to a follower that never gets any further is no busy loop, and is given up", async () => {
    const world = setUp();
    world.world.follower = () => progress(0);
    world.sender.send(SEND);
    await world.clock.advance(10 * TIMEOUT);
    expect(world.events).toEqual([FAILED]);
    expect(world.sent.length).toBeLessThanOrEqual(TIMEOUT / PAUSE + 3);
    checkAtRest(world, world.events);
  });

  test("to a follower that went back goes on from there, after a pause", async () => {
    const world = setUp();
    let restarted = false;
    world.world.follower = ({ offset, data }) => {
      if (offset === 20 && !restarted) {
        restarted = true;
        return progress(0);
      }
      return progress(offset + data.length);
    };
    world.sender.send(SEND);
    await world.clock.advance(PAUSE);
    expect(world.sent.slice(3)).toEqual([
      [0, 20, 10],
      [50, 0, 10],
      [50, 10, 10],
      [50, 20, 10],
      [50, 30, 5],
    ]);
    expect(world.source).toMatchObject({ opened: 2 });
  });

  test("to a follower that had all of it and wants it again has failed: the engine decides when to try again", async () => {
    const world = setUp();
    world.world.follower = ({ offset, data }) => progress(offset === SIZE ? 0 : offset + data.length);
    world.sender.send(SEND);
    await world.clock.advance(10 * PAUSE);
    expect(world.events).toEqual([FAILED]);
    expect(world.sent).toHaveLength(6);
    checkAtRest(world, world.events);
  });

  test("may take as long as it likes to be installed, while the follower answers", async () => {
    const world = setUp();
    const { follower } = world.world;
    world.world.follower = (request) =>
      request.offset === SIZE && world.clock.now < 20 * TIMEOUT ? progress(SIZE) : follower(request);
    world.sender.send(SEND);
    await world.clock.advance(20 * TIMEOUT + PAUSE);
    expect(world.events).toEqual([INSTALLED]);
    world.world.follower = ({ offset, data }) => (offset === SIZE ? "lost" : progress(offset + data.length));
    world.sender.send(SEND);
    await world.clock.advance(TIMEOUT + PAUSE);
    expect(world.events).toEqual([INSTALLED, FAILED]);
  });

  test("to a follower that claims more than there is has failed", async () => {
    const world = setUp();
    world.world.follower = () => progress(SIZE + 1);
    world.sender.send(SEND);
    await settled();
    expect(world.events).toEqual([FAILED]);
    checkAtRest(world, world.events);
  });

  test("to a follower in a later term ends with its refusal", async () => {
    const world = setUp();
    world.world.follower = ({ offset, data }) =>
      offset < 10 ? progress(offset + data.length) : { type: "refused", term: 4 };
    world.sender.send(SEND);
    await settled();
    expect(world.events).toEqual([{ ...INSTALLED, response: { type: "refused", term: 4 } }]);
    checkAtRest(world, world.events);
  });
});

describe("while clients write", () => {
  /** Sends all of a snapshot, each part of which takes so long, while `write` says before each part what becomes of the log. @returns when each request was sent. */
  async function sentAt(
    tookMs: number,
    write: (log: World["world"]["log"], part: number) => void,
    forMs: number,
  ): Promise<number[]> {
    const world = setUp();
    const { follower } = world.world;
    const runtime = world.clock.runtime(new SeededRandom(2));
    world.world.follower = (request) =>
      new Promise((resolve) => {
        write(world.world.log, world.sent.length);
        runtime.setTimer(tookMs, () => resolve(follower(request) as InstallSnapshotResponse));
      });
    world.sender.send(SEND);
    await world.clock.advance(forMs);
    expect(world.events).toEqual([INSTALLED]);
    checkAtRest(world, world.events);
    // What asks whether it is installed is no part any more.
    return world.sent.slice(0, 5).map(([at]) => at);
  }

  test("a transfer rests after each part for twice as long as that took", async () => {
    const grows = await sentAt(4, (log) => void log.last++, 1000);
    expect(grows).toEqual([0, 12, 24, 36, 48]);
  });

  test("what they wrote and is not committed counts as writing, though the log does not grow", async () => {
    const hangs = await sentAt(4, (log) => void (log.last = 9), 1000);
    expect(hangs).toEqual([0, 12, 24, 36, 48]);
  });

  test("no rest is longer than 40 ms: however slow the parts are, a follower does not starve", async () => {
    const slow = await sentAt(100, (log) => void log.last++, 2000);
    expect(slow).toEqual([0, 140, 280, 420, 560]);
  });

  test("a transfer does not rest once they have stopped, nor where they write nothing", async () => {
    const stops = await sentAt(
      4,
      (log, part) => {
        log.last += part <= 2 ? 1 : 0;
        log.committed = log.last;
      },
      1000,
    );
    expect(stops).toEqual([0, 12, 24, 28, 32]);
    const nothing = await sentAt(4, () => {}, 1000);
    expect(nothing).toEqual([0, 4, 8, 12, 16]);
  });

  test("a transfer that is given up while it rests leaves nothing behind", async () => {
    const world = setUp();
    const { follower } = world.world;
    const runtime = world.clock.runtime(new SeededRandom(2));
    world.world.log.last = 9;
    world.world.follower = (request) =>
      new Promise((resolve) =>
        runtime.setTimer(4, () => resolve(follower(request) as InstallSnapshotResponse)),
      );
    world.sender.send(SEND);
    await world.clock.advance(5);
    expect(world.timers.size).toBe(1);
    world.sender.cancel(2);
    await settled();
    expect(world.sent).toHaveLength(1);
    checkAtRest(world, world.events);
  });
});

describe("a newer snapshot", () => {
  test("goes in place of one that the follower has not answered about: what is old is not sent first", async () => {
    const world = setUp();
    world.world.follower = () => "lost";
    world.sender.send(SEND);
    await world.clock.advance(PAUSE);
    const newer = {
      ...world.snapshot,
      meta: { ...world.snapshot.meta, lastLogId: logId(2, 8), snapshotId: "8" },
    };
    world.world.read = () => newer;
    world.world.newest = 8;
    await world.clock.advance(PAUSE);
    world.world.follower = () => ({ type: "installed", term: 3 });
    await world.clock.advance(PAUSE);
    expect(world.requests.map(({ meta }) => meta.snapshotId)).toEqual(["5", "5", "8", "8"]);
    expect(world.events).toEqual([{ ...INSTALLED, lastLogId: logId(2, 8) }]);
    checkAtRest(world, world.events);
  });

  test("does not keep a transfer alive that nobody answers", async () => {
    const world = setUp();
    world.world.follower = () => "lost";
    let index = 5;
    world.world.read = () => {
      index += 1;
      world.world.newest = index + 1;
      return { ...world.snapshot, meta: { ...world.snapshot.meta, lastLogId: logId(2, index) } };
    };
    world.sender.send(SEND);
    await world.clock.advance(TIMEOUT + PAUSE);
    expect(world.events).toEqual([FAILED]);
    expect(world.sent.length).toBeLessThanOrEqual(TIMEOUT / PAUSE + 2);
    checkAtRest(world, world.events);
  });

  test("waits for the one on its way once the follower has begun to take it", async () => {
    const world = setUp();
    const { follower } = world.world;
    world.world.follower = (request) => {
      world.world.newest = 8;
      return follower(request);
    };
    world.sender.send(SEND);
    await world.clock.advance(PAUSE);
    expect(world.events).toEqual([INSTALLED]);
    expect(world.source.opened).toBe(1);
  });
});

describe("a snapshot that cannot be sent", () => {
  test("because there is none has failed", async () => {
    const world = setUp();
    world.world.read = () => null;
    world.sender.send(SEND);
    await settled();
    expect(world.events).toEqual([FAILED]);
    expect(world.sent).toEqual([]);
  });

  test("because it cannot be read has failed, the log says why, and the source is let go", async () => {
    const broken = (): never => {
      throw new Error("bad sector");
    };
    for (const data of [
      { size: SIZE, read: broken },
      {
        size: SIZE,
        async *read() {
          yield new Uint8Array(15);
          broken();
        },
      },
    ]) {
      const world = setUp();
      world.world.read = () => Promise.resolve({ ...world.snapshot, data } as Snapshot);
      world.sender.send(SEND);
      await settled();
      expect(world.events).toEqual([FAILED]);
      expect(world.logger.of("raft.snapshot.unreadable")).toEqual([
        { node: 1, peer: 2, error: "bad sector" },
      ]);
      checkAtRest(world, world.events);
    }
    const world = setUp();
    world.world.read = () => Promise.reject(new Error("gone"));
    world.sender.send(SEND);
    await settled();
    expect(world.events).toEqual([FAILED]);
  });

  test("a source that cannot be let go changes nothing of what came of it", async () => {
    const world = setUp();
    const iterator = {
      next: () => Promise.resolve({ done: false, value: new Uint8Array(CHUNK) }),
      return: () => Promise.reject(new Error("cannot close")),
    };
    const data = { size: SIZE, read: () => ({ [Symbol.asyncIterator]: () => iterator }) };
    world.world.read = () => ({ ...world.snapshot, data });
    world.sender.send(SEND);
    await world.clock.advance(PAUSE);
    expect(world.events).toEqual([INSTALLED]);
    expect(world.logger.of("raft.snapshot.close.failed")).toEqual([
      { node: 1, peer: 2, error: "cannot close" },
    ]);
  });
});

describe("a transfer that is given up", () => {
  test.each<[string, (world: World) => void]>([
    [
      "because another node leads",
      (world) => {
        world.world.awaits = false;
        world.sender.review();
      },
    ],
    ["because the follower was removed", ({ sender }) => sender.retain(() => false)],
    ["because the node shuts down", ({ sender }) => void sender.close()],
    ["by name", ({ sender }) => sender.cancel(2)],
  ])("%s ends at once, in every phase: no event, no timer, and the source is let go", async (_, giveUp) => {
    const unanswered = deferred<InstallSnapshotResponse>();
    const unread = deferred<Snapshot | null>();
    const phases: ((world: World) => void)[] = [
      // Reading which snapshot there is.
      ({ world }) => {
        world.read = () => unread.promise;
      },
      // Waiting for an answer.
      ({ world }) => {
        const { follower } = world;
        world.follower = (request) => (request.offset === 10 ? unanswered.promise : follower(request));
      },
      // Pausing after a part that was lost.
      ({ world }) => {
        const { follower } = world;
        world.follower = (request) => (request.offset === 10 ? "lost" : follower(request));
      },
      // Waiting for the installation.
      () => {},
    ];
    for (const arrange of phases) {
      const world = setUp();
      arrange(world);
      world.sender.send(SEND);
      await settled();
      expect(world.events).toEqual([]);
      const count = world.sent.length;
      giveUp(world);
      unread.resolve(world.snapshot);
      await settled();
      expect(world.sender.progress(2)).toBeNull();
      expect(world.timers.size).toBe(0);
      expect(world.source.closed).toBe(world.source.opened);
      expect(world.tracer.spans.map(({ ends }) => ends)).toEqual([1]);
      await world.clock.advance(10 * TIMEOUT);
      expect([world.events, world.sent.length]).toEqual([[], count]);
    }
  });

  test("in place of another to the same follower: only the newer one is heard of", async () => {
    const world = setUp();
    const unanswered = deferred<InstallSnapshotResponse>();
    world.world.follower = () => unanswered.promise;
    world.sender.send(SEND);
    await settled();
    world.world.follower = () => ({ type: "installed", term: 3 });
    world.sender.send({ ...SEND, seq: 12 });
    await settled();
    expect(world.events).toEqual([{ ...INSTALLED, seq: 12 }]);
    unanswered.resolve({ type: "installed", term: 3 });
    await settled();
    expect(world.events).toHaveLength(1);
    checkAtRest(world, world.events);
  });

  test("to one follower leaves those to others alone", async () => {
    const world = setUp();
    world.world.follower = () => "lost";
    world.sender.send(SEND);
    world.sender.send({ ...SEND, to: 3, seq: 10 });
    await settled();
    world.sender.retain((id) => id === 3);
    expect([world.sender.progress(2), world.sender.progress(3)]).toEqual([null, { offset: 0, size: SIZE }]);
    world.sender.review();
    expect(world.sender.progress(3)).not.toBeNull();
  });

  test("at a shutdown: which is over once nothing is read of a snapshot any more", async () => {
    const world = setUp();
    const read = deferred<IteratorResult<Uint8Array>>();
    let returned = 0;
    const iterator = {
      next: () => read.promise,
      return: () => {
        returned += 1;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    const data = { size: SIZE, read: () => ({ [Symbol.asyncIterator]: () => iterator }) };
    world.world.read = () => ({ ...world.snapshot, data }) as unknown as Snapshot;
    world.sender.send(SEND);
    await settled();
    const closed = outcomeOf(world.sender.close());
    await settled();
    expect(closed.values).toHaveLength(0);
    read.resolve({ done: false, value: new Uint8Array(CHUNK) });
    await settled();
    expect([closed.values.length, returned]).toEqual([1, 1]);
    expect(world.events).toEqual([]);
    expect(world.sent).toHaveLength(1);
  });
});

test("a transfer keeps nothing of the parts that were answered, however many there are", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const world = setUp(800 * CHUNK);
  const last = deferred<InstallSnapshotResponse>();
  const { follower } = world.world;
  world.world.follower = (request) => (request.offset < 700 * CHUNK ? follower(request) : last.promise);
  // With writes between the parts it pauses, too.
  world.world.log = { last: 6, committed: 5 };
  world.sender.send(SEND);
  await world.clock.runUntil("part 700", () => world.sent.at(-1)?.[1] === 700 * CHUNK, 100_000);
  expect(world.responses.length).toBeGreaterThan(700);
  for (let turn = 0; turn < 3; turn++) {
    await setImmediate();
    collectGarbage();
  }
  expect(world.responses.filter((response) => response.deref() !== undefined).length).toBeLessThan(10);
  world.sender.cancel(SEND.to);
});
