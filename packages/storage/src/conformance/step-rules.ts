import type { RaftTypeConfig } from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";
import { check } from "./check.js";
import { findDifference } from "./difference.js";
import type { StorageBench, StorageRule, Store } from "./storage-bench.js";
import { contentOf, noPause } from "./storage-bench.js";

/** More steps than a call can need, so that a sweep over them ends. */
const MAX_STEPS = 500;

interface Attempt<C extends RaftTypeConfig> {
  readonly store: Store<C>;
  /** The call in which the power fails. */
  readonly call: () => Promise<unknown>;
}

/** Has the power fail at each step of a call, until it ends before that. Then the store shows what it did before the call, or after it. */
async function sweep<C extends RaftTypeConfig>(
  bench: StorageBench<C>,
  prepare: () => Promise<Attempt<C>>,
  show: (store: Store<C>) => Promise<unknown>,
): Promise<void> {
  const reference = await prepare();
  const before = await show(reference.store);
  await reference.call();
  const after = await show(reference.store);
  await bench.dispose();
  for (let step = 1; step <= MAX_STEPS; step++) {
    const { store, call } = await prepare();
    const armed = store.medium.crashAt(step);
    const outcome = await Promise.race([armed.happened.then(() => "crashed"), call().then(() => "ended")]);
    await armed.disarm();
    if (outcome === "ended") {
      await bench.dispose();
      check(step > 1, "the call never touches the medium, or the crash that was asked for does not come");
      return;
    }
    await store.open();
    await store.recover();
    const found = await show(store);
    const [fromBefore, fromAfter] = [findDifference(found, before), findDifference(found, after)];
    check(
      fromBefore === null || fromAfter === null,
      `a crash at step ${step} leaves what was neither before nor after the call: it${String(fromBefore)}; it${String(fromAfter)}`,
    );
    await bench.dispose();
  }
  check(false, `the call does not end within ${MAX_STEPS} steps`);
}

const showLog = async <C extends RaftTypeConfig>(store: Store<C>): Promise<unknown> => ({
  vote: await store.log.readVote(),
  log: await store.logState(),
  entries: await store.entries(),
});

const showMachine = async <C extends RaftTypeConfig>(store: Store<C>): Promise<unknown> => ({
  snapshot: (await store.machine.readCurrentSnapshot())?.meta ?? null,
  applied: await store.machine.readAppliedState(),
  state: await store.state(),
});

/** Rules about a crash within a call. */
export const STEP_RULES: readonly StorageRule[] = [
  {
    name: "a crash at any step of a vote leaves the old one or the new one",
    run: (bench) =>
      sweep(
        bench,
        async () => {
          const store = await bench.store();
          await store.log.saveVote({ term: 1, votedFor: 1, committed: true });
          return { store, call: async () => store.log.saveVote({ term: 2, votedFor: 2, committed: false }) };
        },
        showLog,
      ),
  },
  {
    name: "a crash at any step of an append of one entry leaves it, or nothing of it",
    run: (bench) =>
      sweep(
        bench,
        async () => {
          const store = await bench.store();
          await store.append(bench.normals(1, 1, 3));
          return { store, call: () => store.append([bench.normal(2, 4)]) };
        },
        showLog,
      ),
  },
  {
    name: "a crash at any step of a truncation leaves all of what it removes, or none",
    run: (bench) =>
      sweep(
        bench,
        async () => {
          const store = await bench.store();
          await store.append(bench.normals(1, 1, 30));
          return { store, call: async () => store.log.truncate(4) };
        },
        showLog,
      ),
  },
  {
    name: "a crash at any step of a purge leaves the log as it was or purged, and never with a hole",
    run: (bench) =>
      sweep(
        bench,
        async () => {
          const store = await bench.store();
          const entries = bench.normals(1, 1, 30);
          for (let at = 0; at < entries.length; at += 5) await store.append(entries.slice(at, at + 5));
          await store.applyAll(...entries);
          await store.build();
          return { store, call: async () => store.log.purge({ term: 1, index: 24 }) };
        },
        showLog,
      ),
  },
  {
    name: "a crash at any step of an installation leaves the old state and snapshot, or the new ones",
    run: (bench) =>
      sweep(
        bench,
        async () => {
          const { snapshot } = await bench.snapshotUpto({ term: 2, index: 20 });
          const content = await contentOf(snapshot.data);
          const store = await bench.store();
          await store.applyAll(...bench.normals(1, 1, 4));
          await store.build();
          const received = await store.receive(snapshot.meta, content);
          return { store, call: async () => store.machine.installSnapshot(received, noPause) };
        },
        showMachine,
      ),
  },
  {
    name: "a crash at any step of a build leaves the old snapshot or the new one, and no log without either",
    run: (bench) =>
      sweep(
        bench,
        async () => {
          const store = await bench.store();
          await store.append(bench.normals(1, 1, 8));
          await store.applyAll(...bench.normals(1, 1, 4));
          await store.build();
          await store.applyAll(...bench.normals(1, 5, 8));
          return { store, call: () => store.build() };
        },
        async (store) => {
          const snapshot = await store.machine.readCurrentSnapshot();
          const { lastAppliedLogId } = await store.machine.readAppliedState();
          const missing = bench.normals(1, 1, 8).slice(lastAppliedLogId.index);
          if (missing.length > 0) await store.applyAll(...missing);
          const content = snapshot === null ? null : await contentOf(snapshot.data);
          return { upto: snapshot?.meta.lastLogId ?? ZERO_LOG_ID, content, state: await store.state() };
        },
      ),
  },
];
