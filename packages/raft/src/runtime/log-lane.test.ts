import type { BytesTypeConfig, StorageVerb } from "@seshat/common";
import { StorageError, silentLogger } from "@seshat/common";
import type { IoCompletion, RaftStorage } from "@seshat/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordingTracer, silentInstruments } from "../../test/support/instruments.js";
import { deferred, outcomeOf, settled } from "../../test/support/promises.js";
import type { Deferred } from "../../test/support/promises.js";
import { blank, logId } from "../../test/support/values.js";
import type { AppendCommand } from "../engine/command.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import { Instruments } from "./instruments.js";
import type { LogWrite } from "./log-lane.js";
import { LogLane } from "./log-lane.js";
import { StallWatch } from "./stall-watch.js";

function vote(ioSeq: number, term = ioSeq): LogWrite {
  return { type: "saveVote", ioSeq, vote: { term, votedFor: 1, committed: false } };
}

function append(ioSeq: number, index = ioSeq): AppendCommand {
  return { type: "append", ioSeq, entries: [blank(1, index)] };
}

function committed(index: number): LogWrite {
  return { type: "saveCommitted", committed: logId(1, index) };
}

/** A storage of which the test decides when each call ends and when each append is durable. */
class ManualStorage {
  readonly calls: string[] = [];
  readonly completions: IoCompletion[] = [];
  /** Set to make calls wait; each pushes its handle. */
  slow = false;
  readonly running: Deferred<void>[] = [];
  failure: Error | null = null;

  saveVote(): void | Promise<void> {
    return this.#call("saveVote");
  }
  append(_: unknown, completion: IoCompletion): void | Promise<void> {
    this.completions.push(completion);
    return this.#call("append");
  }
  truncate(since: number): void | Promise<void> {
    return this.#call(`truncate ${since}`);
  }
  purge(): void | Promise<void> {
    return this.#call("purge");
  }
  saveCommitted(upto: { index: number }): void | Promise<void> {
    return this.#call(`saveCommitted ${upto.index}`);
  }

  #call(name: string): void | Promise<void> {
    this.calls.push(name);
    if (this.failure !== null) throw this.failure;
    if (!this.slow) return;
    const end = deferred();
    this.running.push(end);
    return end.promise;
  }
}

function setUp(instruments: Instruments = silentInstruments()): {
  lane: LogLane<BytesTypeConfig>;
  storage: ManualStorage;
  persisted: number[];
  readable: number[];
  failures: Error[];
  clock: VirtualClock;
  stalls: (StorageVerb | null)[];
} {
  const clock = new VirtualClock();
  const stalls: (StorageVerb | null)[] = [];
  const watch = new StallWatch(clock.runtime(new SeededRandom(1)), 1000, (verb) => void stalls.push(verb));
  const storage = new ManualStorage();
  const persisted: number[] = [];
  const readable: number[] = [];
  const failures: Error[] = [];
  const lane = new LogLane<BytesTypeConfig>(
    storage as unknown as RaftStorage<BytesTypeConfig>,
    {
      persisted: (ioSeq) => persisted.push(ioSeq),
      readable: (ioSeq) => readable.push(ioSeq),
      failed: (error) => failures.push(error),
    },
    instruments,
    watch,
  );
  return { lane, storage, persisted, readable, failures, clock, stalls };
}

describe("the log lane", () => {
  test("carries out votes and log writes in the one order in which they were asked for", async () => {
    const { lane, storage, persisted, readable } = setUp();
    storage.slow = true;
    const writes: LogWrite[] = [
      vote(1),
      append(2),
      { type: "truncate", ioSeq: 3, since: 2 },
      vote(4),
      { type: "purge", ioSeq: 5, upto: logId(1, 1) },
    ];
    for (const write of writes) lane.submit(write);
    for (let done = 1; done <= writes.length; done++) {
      expect(storage.calls).toHaveLength(done);
      // What is appended can be read once the call is over, durable or not.
      expect(readable).toEqual(done > 2 ? [2] : []);
      storage.running[done - 1]?.resolve();
      await settled();
    }
    expect(storage.calls).toEqual(["saveVote", "append", "truncate 2", "saveVote", "purge"]);
    expect(persisted).toEqual([1]);
    storage.completions[0]?.(null);
    expect(persisted).toEqual([1, 5]);
  });

  test("what storage answers synchronously is reported within the submit", () => {
    const { lane, persisted } = setUp();
    lane.submit(vote(1));
    expect(persisted).toEqual([1]);
  });

  test("an append makes way for the next write before it is durable, and is reported when it is", () => {
    const { lane, storage, persisted } = setUp();
    lane.submit(append(1));
    lane.submit(append(2));
    expect(storage.calls).toEqual(["append", "append"]);
    expect(persisted).toEqual([]);
    storage.completions[0]?.(null);
    expect(persisted).toEqual([1]);
    storage.completions[1]?.(null);
    expect(persisted).toEqual([1, 2]);
  });

  test("appends that become durable out of order are reported only with all before them", () => {
    const { lane, storage, persisted } = setUp();
    for (const ioSeq of [1, 2, 3]) lane.submit(append(ioSeq));
    storage.completions[1]?.(null);
    storage.completions[2]?.(null);
    expect(persisted).toEqual([]);
    storage.completions[0]?.(null);
    expect(persisted).toEqual([3]);
  });

  test("a vote saved after an append that is not durable yet is not reported before it", () => {
    const { lane, storage, persisted } = setUp();
    lane.submit(append(1));
    lane.submit(vote(2));
    expect(persisted).toEqual([]);
    storage.completions[0]?.(null);
    expect(persisted).toEqual([2]);
  });

  test("what is reported is durable with everything before it, in every order of completions (property)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        (kinds, picks) => {
          const { lane, storage, persisted } = setUp();
          const open: { ioSeq: number; complete: IoCompletion }[] = [];
          const durable = new Set<number>();
          const check = (): void => {
            let contiguous = 0;
            while (durable.has(contiguous + 1)) contiguous++;
            expect(persisted.at(-1) ?? 0).toBe(contiguous);
            expect(persisted).toEqual([...persisted].sort((a, b) => a - b));
          };
          kinds.forEach((isAppend, i) => {
            const ioSeq = i + 1;
            lane.submit(isAppend ? append(ioSeq) : vote(ioSeq));
            if (isAppend) open.push({ ioSeq, complete: storage.completions.at(-1) as IoCompletion });
            else durable.add(ioSeq);
            check();
          });
          while (open.length > 0) {
            const [picked] = open.splice((picks.next().value as number) % open.length, 1);
            durable.add(picked?.ioSeq as number);
            picked?.complete(null);
            check();
          }
          expect(new Set(persisted).size).toBe(persisted.length);
        },
      ),
    );
  });

  test("a completion that comes twice counts once", () => {
    const { lane, storage, persisted, failures } = setUp();
    lane.submit(append(1));
    storage.completions[0]?.(null);
    storage.completions[0]?.(null);
    storage.completions[0]?.(new Error("too late"));
    expect(persisted).toEqual([1]);
    expect(failures).toEqual([]);
  });

  test("a failed completion stops the lane, with the verb and the cause", () => {
    const { lane, storage, persisted, failures } = setUp();
    lane.submit(append(1));
    lane.submit(append(2));
    const cause = new Error("sync failed");
    storage.completions[0]?.(cause);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toBeInstanceOf(StorageError);
    expect(failures[0]).toMatchObject({ verb: "append", cause });
    storage.completions[1]?.(null);
    storage.completions[1]?.(new Error("again"));
    lane.submit(vote(3));
    expect(persisted).toEqual([]);
    expect(failures).toHaveLength(1);
    expect(storage.calls).toEqual(["append", "append"]);
  });

  test.each<[string, LogWrite]>([
    ["save vote", vote(1)],
    ["append", append(1)],
    ["truncate", { type: "truncate", ioSeq: 1, since: 1 }],
    ["purge", { type: "purge", ioSeq: 1, upto: logId(1, 1) }],
  ])("storage that throws, or rejects, fails to %s, once, and nothing follows", async (verb, write) => {
    for (const slow of [false, true]) {
      const { lane, storage, persisted, failures } = setUp();
      storage.slow = slow;
      if (!slow) storage.failure = new Error("broken");
      lane.submit(write);
      lane.submit(vote(2));
      storage.running[0]?.reject(new Error("broken"));
      await settled();
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject({ verb, message: `storage failed to ${verb}: broken` });
      expect(storage.calls).toHaveLength(1);
      expect(persisted).toEqual([]);
    }
  });

  test("storage that throws after it completed has failed all the same", () => {
    const { lane, storage, failures } = setUp();
    storage.append = (_, completion) => {
      completion(null);
      throw new Error("afterwards");
    };
    lane.submit(append(1));
    expect(failures).toHaveLength(1);
  });

  test("the hint of what is committed goes in order, and of several that wait only the newest", async () => {
    const { lane, storage, persisted } = setUp();
    storage.slow = true;
    lane.submit(vote(1));
    for (const index of [1, 2, 3]) lane.submit(committed(index));
    lane.submit(vote(2));
    lane.submit(committed(4));
    for (let i = 0; i < 4; i++) {
      storage.running[i]?.resolve();
      await settled();
    }
    expect(storage.calls).toEqual(["saveVote", "saveCommitted 3", "saveVote", "saveCommitted 4"]);
    expect(persisted).toEqual([1, 2]);
  });

  test("storage that keeps no such hint is left alone", () => {
    const { lane, storage, persisted, failures } = setUp();
    Object.assign(storage, { saveCommitted: undefined });
    lane.submit(committed(1));
    lane.submit(vote(1));
    expect(persisted).toEqual([1]);
    expect(failures).toEqual([]);
  });

  test("closing ends once the running call has ended, and nothing is started or reported any more", async () => {
    const { lane, storage, persisted } = setUp();
    storage.slow = true;
    lane.submit(vote(1));
    lane.submit(vote(2));
    const closed = outcomeOf(lane.close());
    await settled();
    expect(closed.values).toHaveLength(0);
    storage.running[0]?.resolve();
    await settled();
    expect(closed.values).toHaveLength(1);
    expect(storage.calls).toEqual(["saveVote"]);
    expect(persisted).toEqual([]);
  });

  test("closing waits until what was appended is durable: the next node over this storage takes it for that", async () => {
    const { lane, storage, persisted } = setUp();
    lane.submit(append(1));
    lane.submit(append(2));
    const closed = outcomeOf(lane.close());
    storage.completions[0]?.(null);
    await settled();
    expect(closed.values).toHaveLength(0);
    storage.completions[1]?.(null);
    await settled();
    expect(closed.values).toHaveLength(1);
    expect(persisted).toEqual([]);
  });

  test("closing waits for no completion once storage has failed", async () => {
    const before = setUp();
    before.lane.submit(append(1));
    before.lane.submit(append(2));
    before.storage.completions[0]?.(new Error("sync failed"));
    await before.lane.close();

    const after = setUp();
    after.lane.submit(append(1));
    after.lane.submit(append(2));
    const closed = outcomeOf(after.lane.close());
    await settled();
    after.storage.completions[1]?.(new Error("sync failed"));
    await settled();
    expect(closed.values).toHaveLength(1);
  });

  test("each append is a span that ends when it is durable, or failed, or thrown", () => {
    const tracer = new RecordingTracer();
    const { lane, storage } = setUp(new Instruments(7, silentLogger, tracer));
    lane.submit({ type: "append", ioSeq: 1, entries: [blank(1, 5), blank(1, 6)] });
    const [span] = tracer.spans;
    expect(span).toMatchObject({
      name: "raft.append",
      attributes: { "raft.node": 7, "raft.first_index": 5, "raft.entries": 2 },
      ends: 0,
    });
    storage.completions[0]?.(null);
    expect(span).toMatchObject({ ends: 1, exceptions: [] });
    storage.failure = new Error("broken");
    lane.submit(append(2));
    expect(tracer.spans[1]).toMatchObject({ ends: 1, exceptions: [storage.failure] });
  });
});

describe("storage that hangs", () => {
  test.each<[StorageVerb, LogWrite]>([
    ["save vote", vote(1)],
    ["append", append(1)],
    ["truncate", { type: "truncate", ioSeq: 1, since: 2 }],
    ["purge", { type: "purge", ioSeq: 1, upto: logId(1, 1) }],
    ["save committed", committed(1)],
  ])("in %s is noticed, and so is its end", async (verb, write) => {
    const { lane, storage, clock, stalls } = setUp();
    storage.slow = true;
    lane.submit(write);
    await clock.advance(999);
    expect(stalls).toEqual([]);
    await clock.advance(1);
    expect(stalls).toEqual([verb]);
    await clock.advance(60_000);
    expect(stalls).toEqual([verb]);
    storage.running[0]?.resolve();
    storage.completions[0]?.(null);
    await settled();
    expect(stalls).toEqual([verb, null]);
  });

  test("in the sync of an append whose call has ended is noticed too, until its completion comes", async () => {
    const { lane, storage, persisted, clock, stalls } = setUp();
    lane.submit(append(1));
    lane.submit(vote(2));
    await clock.advance(1000);
    expect(stalls).toEqual(["append"]);
    storage.completions[0]?.(null);
    expect(stalls).toEqual(["append", null]);
    expect(persisted).toEqual([2]);
    await clock.advance(60_000);
    expect(stalls).toEqual(["append", null]);
  });

  test("a completion within the call, and calls that end in time, are no stall", async () => {
    const { lane, storage, clock, stalls } = setUp();
    storage.slow = true;
    for (let seq = 1; seq <= 5; seq++) {
      lane.submit(vote(seq));
      await clock.advance(900);
      storage.running[seq - 1]?.resolve();
      await settled();
    }
    await clock.advance(60_000);
    expect(stalls).toEqual([]);
  });

  test("and fails at last has ended: what follows is the failure", async () => {
    const { lane, storage, failures, clock, stalls } = setUp();
    storage.slow = true;
    lane.submit(vote(1));
    await clock.advance(1000);
    storage.running[0]?.reject(new Error("gone"));
    await settled();
    expect(stalls).toEqual(["save vote", null]);
    expect(failures).toMatchObject([
      { verb: "save vote", message: expect.stringContaining("gone") as string },
    ]);
  });

  test("holds back at most one hint of what is committed, however many come", async () => {
    const { lane, storage } = setUp();
    storage.slow = true;
    lane.submit(vote(1));
    for (let index = 1; index <= 10_000; index++) lane.submit(committed(index));
    storage.slow = false;
    storage.running[0]?.resolve();
    await settled();
    expect(storage.calls).toEqual(["saveVote", "saveCommitted 10000"]);
  });
});
