import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { expect, test } from "vitest";
import { ListMachine, appended, codec, entry, readAll } from "../../test/sim-storage-fixture.js";
import type { Types } from "../../test/sim-storage-fixture.js";
import type { SimStorage } from "./open-sim-storage.js";
import { SimNodeStore } from "./sim-node-store.js";

function setUp(): {
  clock: VirtualClock;
  store: SimNodeStore<Types>;
  open: () => Promise<SimStorage<Types>>;
} {
  const clock = new VirtualClock();
  const random = new SeededRandom(3);
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
