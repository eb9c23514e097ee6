import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { ListMachine, appended, codec, entry, readAll } from "../../test/sim-storage-fixture.js";
import type { Types } from "../../test/sim-storage-fixture.js";
import { DamagedFileError } from "./damaged-file-error.js";
import type { SimStorage } from "./open-sim-storage.js";
import { SimNodeStore } from "./sim-node-store.js";

function setUp(seed = 3): {
  clock: VirtualClock;
  store: SimNodeStore<Types>;
  open: () => Promise<SimStorage<Types>>;
} {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const runtime = clock.runtime(random.fork());
  const store = new SimNodeStore<Types>({ random: random.fork(), runtime, codec, segmentBytes: 100 });
  const open = async (): Promise<SimStorage<Types>> =>
    (await clock.runUntilSettled(store.open(runtime, new ListMachine()), 10_000)) as SimStorage<Types>;
  return { clock, store, open };
}

test("a node's store outlives its lives: what was acknowledged in one is there in the next", async () => {
  const { clock, store, open } = setUp();
  const first = await open();
  for (let index = 1; index <= 5; index++)
    await clock.runUntilSettled(appended(first, entry(1, index, "x")), 10_000);
  store.crash();
  const second = await open();
  expect(await readAll(second)).toHaveLength(5);
  expect((await store.disk.list()).length).toBeGreaterThan(2);
  expect(store.disk.counts.machineCrash).toBe(1);
});

test("the beginning of a life ends the one before", async () => {
  const { clock, open } = setUp();
  const first = await open();
  await open();
  let ended = false;
  appended(first, entry(1, 1, "x")).then(
    () => (ended = true),
    () => (ended = true),
  );
  await clock.advance(10_000);
  expect(ended).toBe(false);
});

test("syncs hang, are released, fail and take as long as they are told to", async () => {
  const { clock, store, open } = setUp();
  const first = await open();
  store.hang();
  let durable = false;
  appended(first, entry(1, 1, "x")).then(
    () => (durable = true),
    () => {},
  );
  await clock.advance(10_000);
  expect(durable).toBe(false);
  store.release();
  await clock.advance(1_000);
  expect(durable).toBe(true);
  store.setFaults({ syncMs: 500, meanSyncMs: 0, slowRate: 0 });
  const before = clock.now;
  await clock.runUntilSettled(appended(first, entry(1, 2, "x")), 10_000);
  expect(clock.now - before).toBe(500);
  store.failNextSync();
  await expect(clock.runUntilSettled(appended(first, entry(1, 3, "x")), 10_000)).rejects.toThrow(/EIO/);
  store.crash();
  expect((await readAll(await open())).length).toBeGreaterThanOrEqual(2);
});

test("a life on a clock that stands still hears nothing from the disk", async () => {
  const { clock, store } = setUp();
  const held: (() => void)[] = [];
  let stands = false;
  const base = clock.runtime(new SeededRandom(1));
  const run = (callback: () => void): void => (stands ? void held.push(callback) : callback());
  const runtime = {
    ...base,
    setTimer: (delayMs: number, callback: () => void) => base.setTimer(delayMs, () => run(callback)),
    soon: (callback: () => void) => base.soon(() => run(callback)),
  };
  const life = (await clock.runUntilSettled(
    store.open(runtime, new ListMachine()),
    10_000,
  )) as SimStorage<Types>;
  stands = true;
  let durable = false;
  store.hang();
  appended(life, entry(1, 1, "x")).then(
    () => (durable = true),
    () => {},
  );
  await clock.advance(1_000);
  store.release();
  await clock.advance(1_000);
  expect(durable).toBe(false);
  stands = false;
  for (let i = 0; i < 5; i++) {
    for (const callback of held.splice(0)) callback();
    await clock.advance(1_000);
  }
  expect(durable).toBe(true);
});

describe("trouble", () => {
  test.each(["log", "vote", "snapshot"] as const)("with the %s hits that file and no other", async (part) => {
    const { clock, store, open } = setUp();
    const first = await open();
    await clock.runUntilSettled(appended(first, entry(1, 1, "x")), 10_000);
    const saved = Promise.resolve(first.storage.saveVote({ term: 1, votedFor: null, committed: false }));
    await clock.runUntilSettled(saved, 10_000);
    first.stateMachine.apply([entry(1, 1, "x")]);
    const built = Promise.resolve(
      first.stateMachine.snapshotBuilder().buildSnapshot(() => Promise.resolve()),
    );
    await clock.runUntilSettled(built, 10_000);
    const content = async (): Promise<Map<string, string>> => {
      const pairs = store.disk.files.map(async (file) => {
        const bytes = await store.disk.read(file, 0, 10_000);
        return [file, bytes.join()] as const;
      });
      return new Map(await Promise.all(pairs));
    };
    const before = await content();
    expect(store.trouble.corrupt(part)).toBe(true);
    const changed = [...(await content())]
      .filter(([file, bytes]) => before.get(file) !== bytes)
      .map(([file]) => file);
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatch(new RegExp(`^${part}`));
  });

  test("finds nothing to damage where there is nothing", () => {
    expect(setUp().store.trouble.corrupt("snapshot")).toBe(false);
  });

  test("that has not come yet is taken back", async () => {
    const { clock, store, open } = setUp();
    const first = await open();
    store.trouble.failNext("write");
    store.trouble.misdirectNext();
    store.trouble.disarm();
    await clock.runUntilSettled(appended(first, entry(1, 1, "x")), 10_000);
    expect([store.disk.counts.failedWrite, store.disk.counts.misdirectedWrite]).toStrictEqual([0, 0]);
  });

  test("by a write that goes astray is never silent: what was acknowledged is all there, or the store refuses to start", async () => {
    const outcomes = { refused: 0, intact: 0 };
    for (let seed = 0; seed < 150; seed++) {
      const { clock, store, open } = setUp(seed);
      const first = await open();
      let acknowledged = 0;
      for (let index = 1; index <= 4; index++) {
        await clock.runUntilSettled(appended(first, entry(1, index, `entry ${index}`)), 10_000);
        acknowledged = index;
      }
      store.trouble.misdirectNext();
      // A hint is written without a sync, so that whoever wrote it does not notice that it went astray.
      const write =
        seed % 2 === 0
          ? appended(first, entry(1, 5, "astray"))
          : Promise.resolve(first.storage.saveCommitted({ term: 1, index: 2 }));
      await clock.runUntilSettled(
        write.then(
          () => {},
          () => {},
        ),
        10_000,
      );
      expect(store.disk.counts.misdirectedWrite).toBe(1);
      if (seed % 3 === 0) store.crash("process");
      else store.crash();
      const second: SimStorage<Types> | Error = await open().catch((thrown: unknown) => thrown as Error);
      if (second instanceof Error) {
        expect(second, `seed ${seed}`).toBeInstanceOf(DamagedFileError);
        outcomes.refused += 1;
        continue;
      }
      const indexes = (await readAll(second)).map(({ logId }) => logId.index);
      expect(indexes.slice(0, acknowledged), `seed ${seed}`).toStrictEqual([1, 2, 3, 4]);
      outcomes.intact += 1;
    }
    expect(outcomes.refused).toBeGreaterThan(10);
    expect(outcomes.intact).toBeGreaterThan(10);
  });

  test("is told of each call to the disk before it does anything", async () => {
    const { clock, store, open } = setUp();
    const first = await open();
    const verbs: string[] = [];
    store.trouble.watch(({ verb }) => verbs.push(verb));
    await clock.runUntilSettled(appended(first, entry(1, 1, "x")), 10_000);
    expect(verbs).toEqual(expect.arrayContaining(["write", "sync"]));
    store.trouble.watch(null);
    const { length } = verbs;
    await clock.runUntilSettled(appended(first, entry(1, 2, "x")), 10_000);
    expect(verbs).toHaveLength(length);
  });
});
