import type {
  BytesTypeConfig,
  LogEntry,
  Request,
  Response,
  Snapshot,
  SnapshotMeta,
  StorageVerb,
} from "@seshat/common";
import { CodecError, EMPTY_STORED_MEMBERSHIP, StorageError, silentLogger } from "@seshat/common";
import type { MaybePromise, RaftLogReader, RaftStateMachine } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { RecordingTracer } from "../../test/support/instruments.js";
import { deferred, outcomeOf, settled } from "../../test/support/promises.js";
import { blanks, logId } from "../../test/support/values.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { ApplyLane } from "./apply-lane.js";
import { Instruments } from "./instruments.js";
import { LogCache } from "./log-cache.js";
import { StallWatch } from "./stall-watch.js";

type Entry = LogEntry<Request>;
type Responses = readonly (Response | undefined)[];

function metaAt(index: number): SnapshotMeta {
  return { lastLogId: logId(1, index), lastMembership: EMPTY_STORED_MEMBERSHIP, snapshotId: String(index) };
}

function range(entries: readonly Entry[]): string {
  return entries.length === 0 ? "none" : `${entries[0]?.logId.index}-${entries.at(-1)?.logId.index}`;
}

/** A lane over a log of blank entries, whose every dependency the test can replace. */
function setUp(options: { maxApplyEntries?: number; cached?: boolean; tracer?: RecordingTracer } = {}) {
  const seen: string[] = [];
  const events: string[] = [];
  const failures: Error[] = [];
  const yields: (() => void)[] = [];
  const world = {
    seen,
    events,
    failures,
    yields,
    apply: (entries: readonly Entry[]): MaybePromise<Responses> => entries.map(() => undefined),
    read: (since: number, upto: number): MaybePromise<readonly Entry[]> => blanks(1, since, upto),
    /** What the state machine says it has applied last. */
    lastApplied: 0,
    snapshotBuilder: (): MaybePromise<unknown> => ({ buildSnapshot: () => world.build() }),
    build: (): MaybePromise<{ meta: SnapshotMeta }> => ({ meta: metaAt(1) }),
    install: (_pause: () => Promise<void>): MaybePromise<void> => {},
    clock: new VirtualClock(),
    stalls: [] as (StorageVerb | null)[],
    snapshotStalls: [] as (StorageVerb | null)[],
  };
  const watch = new StallWatch(
    world.clock.runtime(new SeededRandom(1)),
    1000,
    (verb) => void world.stalls.push(verb),
  );
  const stateMachine = {
    apply: (entries: readonly Entry[]) => {
      seen.push(`apply ${range(entries)}`);
      return world.apply(entries);
    },
    readAppliedState: () => ({ lastAppliedLogId: { term: 1, index: world.lastApplied } }),
    snapshotBuilder: () => {
      seen.push("capture");
      return world.snapshotBuilder();
    },
    installSnapshot: ({ meta }: Snapshot, pause: () => Promise<void>) => {
      seen.push(`install ${meta.lastLogId.index}`);
      return world.install(pause);
    },
  } as unknown as RaftStateMachine<BytesTypeConfig>;
  const reader = {
    readEntries: (since: number, upto: number) => {
      seen.push(`read ${since}-${upto}`);
      return world.read(since, upto);
    },
  } as unknown as RaftLogReader<BytesTypeConfig>;
  const cache = new LogCache(1000);
  if (options.cached ?? true) cache.append(blanks(1, 1, 1000), 1);
  const lane = new ApplyLane<BytesTypeConfig>(
    {
      stateMachine,
      reader,
      cache,
      runtime: {
        now: () => 0,
        setTimer: () => ({ cancel: () => {} }),
        soon: (callback) => queueMicrotask(callback),
        yield: (callback) => void yields.push(callback),
        random: () => 0,
      },
      instruments: new Instruments(1, silentLogger, options.tracer ?? null),
      stalls: watch,
      snapshotStalls: new StallWatch(
        world.clock.runtime(new SeededRandom(2)),
        10_000,
        (verb) => void world.snapshotStalls.push(verb),
      ),
      maxApplyEntries: options.maxApplyEntries ?? 100,
    },
    {
      applied: (entries, responses) => void events.push(`applied ${range(entries)} (${responses.length})`),
      snapshotBuilt: (meta) => void events.push(`built ${meta.lastLogId.index}`),
      snapshotInstalled: (meta, damage) =>
        void events.push(`installed ${meta.lastLogId.index}${damage === null ? "" : `: ${damage.message}`}`),
      failed: (error) => void failures.push(error),
    },
  );
  return { lane, ...world, world };
}

const BUILD = { type: "buildSnapshot" } as const;

function apply(since: number, upto: number): { type: "apply"; since: number; upto: number } {
  return { type: "apply", since, upto };
}

describe("applying", () => {
  test("a synchronous state machine has applied, and was reported, within the submit", () => {
    const { lane, events, seen } = setUp();
    lane.submit(apply(1, 3));
    expect(seen).toEqual(["apply 1-3"]);
    expect(events).toEqual(["applied 1-3 (3)"]);
  });

  test("is reported only once the state machine has answered", async () => {
    const { lane, world, events } = setUp();
    const answer = deferred<Responses>();
    world.apply = () => answer.promise;
    lane.submit(apply(1, 1));
    await settled();
    expect(events).toEqual([]);
    answer.resolve([undefined]);
    await settled();
    expect(events).toEqual(["applied 1-1 (1)"]);
  });

  test("what comes while the state machine is busy is merged into one call", async () => {
    const { lane, world, seen } = setUp();
    const first = deferred<Responses>();
    world.apply = () => first.promise;
    lane.submit(apply(1, 1));
    lane.submit(apply(2, 4));
    lane.submit(apply(5, 9));
    world.apply = (entries) => entries.map(() => undefined);
    first.resolve([undefined]);
    await settled();
    expect(seen).toEqual(["apply 1-1", "apply 2-9"]);
  });

  test("entries that are not cached any more are read from the log", () => {
    const { lane, seen } = setUp({ cached: false });
    lane.submit(apply(5, 7));
    expect(seen).toEqual(["read 5-7", "apply 5-7"]);
  });

  test("a long backlog goes in chunks, with a turn for everybody else between them", async () => {
    const { lane, seen, events, yields } = setUp({ maxApplyEntries: 10 });
    lane.submit(apply(1, 25));
    await settled();
    expect(seen).toEqual(["apply 1-10"]);
    expect(yields).toHaveLength(1);
    yields.shift()?.();
    await settled();
    expect(seen).toEqual(["apply 1-10", "apply 11-20"]);
    yields.shift()?.();
    await settled();
    expect(events).toEqual(["applied 1-10 (10)", "applied 11-20 (10)", "applied 21-25 (5)"]);
    expect(yields).toHaveLength(0);
  });

  test("what is not cached is read in one go, and applied in chunks: a read costs more than a chunk", async () => {
    const { lane, seen, events, yields } = setUp({ maxApplyEntries: 10, cached: false });
    lane.submit(apply(1, 25));
    for (let i = 0; i < 3; i++) {
      await settled();
      yields.shift()?.();
    }
    expect(seen).toEqual(["read 1-25", "apply 1-10", "apply 11-20", "apply 21-25"]);
    expect(events).toEqual(["applied 1-10 (10)", "applied 11-20 (10)", "applied 21-25 (5)"]);
  });

  test("no more than 16,384 entries are asked for at a time, or than are applied in one call", async () => {
    for (const [maxApplyEntries, most] of [
      [10_000, 16_384],
      [20_000, 20_000],
    ] as const) {
      const { lane, seen, yields } = setUp({ maxApplyEntries, cached: false });
      lane.submit(apply(1, 50_000));
      while (seen.filter((call) => call.startsWith("apply")).length < 3) {
        await settled();
        yields.shift()?.();
      }
      expect(seen.filter((call) => call.startsWith("read"))).toContain(`read 1-${most}`);
    }
  });

  test("a reader that returns fewer entries than asked for is asked for the rest", async () => {
    const { lane, world, seen, events, yields } = setUp({ cached: false });
    world.read = (since, upto) => Promise.resolve(blanks(1, since, Math.min(upto, since + 1)));
    lane.submit(apply(1, 5));
    for (let i = 0; i < 5; i++) {
      await settled();
      yields.shift()?.();
    }
    expect(seen.filter((call) => call.startsWith("read"))).toEqual(["read 1-5", "read 3-5", "read 5-5"]);
    expect(events).toEqual(["applied 1-2 (2)", "applied 3-4 (2)", "applied 5-5 (1)"]);
  });

  test.each<[string, readonly Entry[]]>([
    ["none", []],
    ["later ones", blanks(1, 3, 5)],
    ["earlier ones", blanks(1, 1, 3)],
    ["more", blanks(1, 2, 9)],
    ["a hole between them", [...blanks(1, 2, 2), ...blanks(1, 4, 4)]],
  ])("a reader that returns %s is a storage error, and nothing is applied", (_, entries) => {
    const { lane, world, seen, failures } = setUp({ cached: false });
    world.read = () => entries;
    lane.submit(apply(2, 5));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toBeInstanceOf(StorageError);
    expect(failures[0]).toMatchObject({ verb: "read log" });
    expect(failures[0]?.message).toContain("asked for entries 2 to 5");
    expect(seen).toEqual(["read 2-5"]);
  });

  test("a state machine that leaves entries for later is given them again, once everybody else had a turn", async () => {
    const { lane, world, seen, events, yields } = setUp({ maxApplyEntries: 4 });
    world.apply = (entries) => {
      const some = entries.slice(0, 3);
      world.lastApplied = (some.at(-1) as Entry).logId.index;
      return some.map(() => undefined);
    };
    lane.submit(apply(1, 8));
    for (const applied of ["1-3 (3)", "4-4 (1)", "5-7 (3)"]) {
      await settled();
      expect([events.at(-1), yields.length]).toEqual([`applied ${applied}`, 1]);
      yields.shift()?.();
    }
    await settled();
    expect(events.at(-1)).toBe("applied 8-8 (1)");
    expect(seen.filter((call) => call.startsWith("apply"))).toEqual([
      "apply 1-4",
      "apply 4-4",
      "apply 5-8",
      "apply 8-8",
    ]);
    expect(yields).toHaveLength(0);
  });

  test.each([[[]], [[undefined]], [[undefined, undefined, undefined]]])(
    "%j as responses to two entries that were both applied is a storage error",
    (responses: Responses) => {
      const { lane, world, failures, events } = setUp();
      world.apply = () => responses;
      world.lastApplied = 2;
      lane.submit(apply(1, 2));
      expect(failures[0]).toMatchObject({ verb: "apply" });
      expect(failures[0]?.message).toContain(
        `storage failed to apply: ${responses.length} responses to 2 entries`,
      );
      expect(events).toEqual([]);
    },
  );

  test.each(["throws", "rejects"])(
    "a state machine that %s is reported once, and nothing follows",
    async (how) => {
      const { lane, world, seen, failures } = setUp();
      const cause = new Error("broken");
      world.apply = () => {
        if (how === "throws") throw cause;
        return Promise.reject(cause);
      };
      lane.submit(apply(1, 1));
      lane.submit(apply(2, 2));
      lane.submit(BUILD);
      await settled();
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject({ verb: "apply", cause });
      expect(seen).toEqual(["apply 1-1"]);
    },
  );

  test("a reader that throws is a failure to read the log", () => {
    const { lane, world, failures } = setUp({ cached: false });
    world.read = () => {
      throw new Error("broken");
    };
    lane.submit(apply(1, 1));
    expect(failures[0]).toMatchObject({ verb: "read log" });
  });
});

describe("building a snapshot", () => {
  test("captures after the applies asked for before, and before those asked for after", async () => {
    const { lane, world, seen } = setUp();
    const first = deferred<Responses>();
    world.apply = () => first.promise;
    lane.submit(apply(1, 1));
    lane.submit(apply(2, 2));
    lane.submit(BUILD);
    lane.submit(apply(3, 3));
    lane.submit(apply(4, 4));
    world.apply = (entries) => entries.map(() => undefined);
    first.resolve([undefined]);
    await settled();
    expect(seen).toEqual(["apply 1-1", "apply 2-2", "capture", "apply 3-4"]);
  });

  test("goes on beside the applies that follow", async () => {
    const { lane, world, events } = setUp();
    const built = deferred<{ meta: SnapshotMeta }>();
    world.build = () => built.promise;
    lane.submit(apply(1, 2));
    lane.submit(BUILD);
    lane.submit(apply(3, 4));
    expect(events).toEqual(["applied 1-2 (2)", "applied 3-4 (2)"]);
    built.resolve({ meta: metaAt(2) });
    await settled();
    expect(events.at(-1)).toBe("built 2");
  });

  test("gives the builder a pause that is a turn of the event loop", async () => {
    const { lane, world, yields, events } = setUp();
    const pauses: string[] = [];
    world.snapshotBuilder = () => ({
      buildSnapshot: async (pause: () => Promise<void>) => {
        await pause();
        pauses.push("resumed");
        return { meta: metaAt(1) };
      },
    });
    lane.submit(BUILD);
    await settled();
    expect(pauses).toEqual([]);
    expect(yields).toHaveLength(1);
    yields.shift()?.();
    await settled();
    expect(pauses).toEqual(["resumed"]);
    expect(events).toEqual(["built 1"]);
  });

  test("a build that is done at once is reported at once", () => {
    const { lane, events } = setUp();
    lane.submit(BUILD);
    expect(events).toEqual(["built 1"]);
  });

  test.each<[string, (world: ReturnType<typeof setUp>["world"]) => void]>([
    [
      "the capture throws",
      (world) => {
        world.snapshotBuilder = () => {
          throw new Error("broken");
        };
      },
    ],
    [
      "the capture rejects",
      (world) => {
        world.snapshotBuilder = () => Promise.reject(new Error("broken"));
      },
    ],
    [
      "the build throws",
      (world) => {
        world.build = () => {
          throw new Error("broken");
        };
      },
    ],
    [
      "the build rejects",
      (world) => {
        world.build = () => Promise.reject(new Error("broken"));
      },
    ],
  ])("when %s the lane stops, once, and says that it was building", async (_, script) => {
    const { lane, world, failures, seen } = setUp();
    script(world);
    lane.submit(BUILD);
    await settled();
    lane.submit(apply(1, 1));
    lane.submit(BUILD);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({
      verb: "build snapshot",
      message: "storage failed to build snapshot: broken",
    });
    expect(seen).toEqual(["capture"]);
  });
});

describe("closing the lane", () => {
  test("waits for the running apply and the running build, and reports neither", async () => {
    const { lane, world, events } = setUp();
    const built = deferred<{ meta: SnapshotMeta }>();
    const applied = deferred<Responses>();
    world.build = () => built.promise;
    world.apply = () => applied.promise;
    lane.submit(BUILD);
    lane.submit(apply(1, 1));
    const closed = outcomeOf(lane.close());
    applied.resolve([undefined]);
    await settled();
    expect(closed.values).toHaveLength(0);
    built.resolve({ meta: metaAt(1) });
    await settled();
    expect(closed.values).toHaveLength(1);
    expect(events).toEqual([]);
  });

  test("ends also when the running build fails, which nobody is told any more", async () => {
    const { lane, world, failures } = setUp();
    const built = deferred<{ meta: SnapshotMeta }>();
    world.build = () => built.promise;
    lane.submit(BUILD);
    const closed = outcomeOf(lane.close());
    built.reject(new Error("late"));
    await settled();
    expect(closed).toEqual({ values: [undefined], errors: [] });
    expect(failures).toEqual([]);
  });

  test("reads and applies no further chunk of a backlog", async () => {
    const { lane, seen, yields } = setUp({ maxApplyEntries: 10, cached: false });
    lane.submit(apply(1, 25));
    await settled();
    const closed = outcomeOf(lane.close());
    yields.shift()?.();
    await settled();
    expect(closed.values).toHaveLength(1);
    expect(seen).toEqual(["read 1-25", "apply 1-10"]);
  });

  test("applies nothing that was still being read", async () => {
    const { lane, world, seen } = setUp({ cached: false });
    const read = deferred<readonly Entry[]>();
    world.read = () => read.promise;
    lane.submit(apply(1, 2));
    const closed = outcomeOf(lane.close());
    read.resolve(blanks(1, 1, 2));
    await settled();
    expect(closed.values).toHaveLength(1);
    expect(seen).toEqual(["read 1-2"]);
  });
});

describe("spans", () => {
  test("each call of the state machine is one, and each build", async () => {
    const tracer = new RecordingTracer();
    const { lane, world } = setUp({ tracer });
    lane.submit(apply(4, 6));
    const built = deferred<{ meta: SnapshotMeta }>();
    world.build = () => built.promise;
    lane.submit(BUILD);
    expect(tracer.spans).toMatchObject([
      {
        name: "raft.apply",
        attributes: { "raft.node": 1, "raft.first_index": 4, "raft.entries": 3 },
        ends: 1,
      },
      { name: "raft.snapshot.build", ends: 0 },
    ]);
    built.resolve({ meta: metaAt(6) });
    await settled();
    expect(tracer.spans[1]).toMatchObject({ ends: 1, exceptions: [] });
  });
});

function install(index: number): { type: "install"; snapshot: Snapshot } {
  return {
    type: "install",
    snapshot: { meta: metaAt(index), data: { size: 0, read: () => expect.unreachable() } },
  };
}

describe("installing a snapshot", () => {
  test("comes after every apply asked for before, and before every one asked for after", async () => {
    const { lane, world, seen, events } = setUp();
    const [applied, installed] = [deferred<Responses>(), deferred()];
    world.apply = () => applied.promise;
    lane.submit(apply(1, 1));
    lane.submit(install(5));
    lane.submit(apply(6, 6));
    expect(seen).toEqual(["apply 1-1"]);
    world.install = () => installed.promise;
    applied.resolve([undefined]);
    await settled();
    expect(seen).toEqual(["apply 1-1", "install 5"]);
    expect(events).toEqual(["applied 1-1 (1)"]);
    world.apply = (entries) => entries.map(() => undefined);
    installed.resolve();
    await settled();
    expect(seen).toEqual(["apply 1-1", "install 5", "apply 6-6"]);
    expect(events).toEqual(["applied 1-1 (1)", "installed 5", "applied 6-6 (1)"]);
  });

  test("goes on beside a build, which may end after it", async () => {
    const { lane, world, events } = setUp();
    const built = deferred<{ meta: SnapshotMeta }>();
    world.build = () => built.promise;
    lane.submit(BUILD);
    lane.submit(install(5));
    await settled();
    expect(events).toEqual(["installed 5"]);
    built.resolve({ meta: metaAt(2) });
    await settled();
    expect(events).toEqual(["installed 5", "built 2"]);
  });

  test("whose content is damaged changes nothing, says so, and what follows goes on", async () => {
    for (const fail of [
      (): Promise<never> => Promise.reject(new CodecError("snapshot", 7, "no magic")),
      (): never => {
        throw new CodecError("snapshot", 7, "no magic");
      },
    ]) {
      const { lane, world, events, failures } = setUp();
      world.install = fail;
      lane.submit(install(5));
      lane.submit(apply(1, 2));
      await settled();
      expect(events).toEqual([
        expect.stringMatching(/^installed 5: .*no magic/) as string,
        "applied 1-2 (2)",
      ]);
      expect(failures).toEqual([]);
    }
  });

  test("that fails otherwise stops the lane, with the cause, and nothing follows", async () => {
    const { lane, world, seen, events, failures } = setUp();
    const cause = new Error("disk full");
    world.install = () => Promise.reject(cause);
    lane.submit(install(5));
    lane.submit(apply(6, 6));
    await settled();
    expect(failures).toMatchObject([{ name: "StorageError", verb: "install snapshot", cause }]);
    expect(events).toEqual([]);
    expect(seen).toEqual(["install 5"]);
  });

  test("gives timers and sockets their turn where it pauses, and is one span", async () => {
    const tracer = new RecordingTracer();
    const { lane, world, yields, events } = setUp({ tracer });
    world.install = (pause) => pause();
    lane.submit(install(5));
    await settled();
    expect([yields.length, events]).toEqual([1, []]);
    yields[0]?.();
    await settled();
    expect(events).toEqual(["installed 5"]);
    expect(tracer.named("raft.snapshot.install")).toMatchObject([
      { attributes: { "raft.index": 5 }, ends: 1 },
    ]);
  });

  test("is finished before the lane is closed, and not reported any more; one that waits is not begun", async () => {
    const { lane, world, seen, events } = setUp();
    const installed = deferred();
    world.install = () => installed.promise;
    lane.submit(install(5));
    lane.submit(install(9));
    const closed = outcomeOf(lane.close());
    await settled();
    expect(closed.values).toHaveLength(0);
    installed.resolve();
    await settled();
    expect(closed.values).toHaveLength(1);
    expect([seen, events]).toEqual([["install 5"], []]);
  });
});

describe("storage that hangs", () => {
  test("while applying is noticed, and its end", async () => {
    const { lane, world } = setUp();
    const answer = deferred<Responses>();
    world.apply = () => answer.promise;
    lane.submit(apply(1, 1));
    await world.clock.advance(1000);
    expect(world.stalls).toEqual(["apply"]);
    answer.resolve([undefined]);
    await settled();
    expect(world.stalls).toEqual(["apply", null]);
  });

  test("while entries are read to be applied is noticed", async () => {
    const { lane, world } = setUp({ cached: false });
    const answer = deferred<readonly Entry[]>();
    world.read = () => answer.promise;
    lane.submit(apply(1, 1));
    await world.clock.advance(1000);
    expect(world.stalls).toEqual(["read log"]);
  });

  test("while the state is captured for a snapshot is noticed: nothing is applied meanwhile", async () => {
    const { lane, world, events } = setUp();
    const builder = deferred<unknown>();
    world.snapshotBuilder = () => builder.promise;
    lane.submit(BUILD);
    lane.submit(apply(1, 1));
    await world.clock.advance(1000);
    expect(world.stalls).toEqual(["build snapshot"]);
    expect(events).toEqual([]);
    builder.resolve({ buildSnapshot: () => world.build() });
    await settled();
    expect(world.stalls).toEqual(["build snapshot", null]);
    expect(events).toEqual(["built 1", "applied 1-1 (1)"]);
  });

  test("is said of snapshots apart from it: they take as long as they are large", async () => {
    const { lane, world } = setUp();
    const [built, installed] = [deferred<{ meta: SnapshotMeta }>(), deferred()];
    world.build = () => built.promise;
    world.install = () => installed.promise;
    lane.submit(BUILD);
    lane.submit(install(5));
    await world.clock.advance(9_999);
    expect(world.snapshotStalls).toEqual([]);
    await world.clock.advance(3_600_000);
    expect(world.stalls).toEqual([]);
    expect(world.snapshotStalls).toEqual(["build snapshot"]);
  });

  test("collects no work: however much is committed meanwhile, it is one call later", async () => {
    const { lane, world, seen } = setUp();
    const answer = deferred<Responses>();
    world.apply = () => answer.promise;
    lane.submit(apply(1, 1));
    for (let index = 2; index <= 100; index++) lane.submit(apply(index, index));
    world.apply = (entries) => entries.map(() => undefined);
    answer.resolve([undefined]);
    await settled();
    expect(seen).toEqual(["apply 1-1", "apply 2-100"]);
  });
});
