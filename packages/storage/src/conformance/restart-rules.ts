import { check, checkEqual, checkFails } from "./check.js";
import { findDifference } from "./difference.js";
import type { StorageRule } from "./storage-bench.js";
import { IDENTITY, contentOf, noPause } from "./storage-bench.js";

const VOTE = Object.freeze({ term: 3, votedFor: 2, committed: true });

/** Rules about a store that is closed in good order and opened again. */
export const RESTART_RULES: readonly StorageRule[] = [
  {
    name: "a restart finds identity, vote, log and what was purged",
    run: async (bench) => {
      const store = await bench.store();
      const entries = bench.normals(1, 1, 6);
      await store.append(entries);
      await store.log.saveVote(VOTE);
      await store.purgeBehind(entries, { term: 1, index: 2 });
      const state = await store.logState();
      for (const life of [2, 3]) {
        await store.restart();
        checkEqual(`the identity in life ${life}`, await store.log.readIdentity(), IDENTITY);
        checkEqual(`the vote in life ${life}`, await store.log.readVote(), VOTE);
        checkEqual(`the log state in life ${life}`, await store.logState(), state);
        checkEqual(`the log in life ${life}`, await store.entries(), entries.slice(2));
      }
      await store.append([bench.normal(3, 7)]);
      checkEqual("the log", await store.entries(), [...entries.slice(2), bench.normal(3, 7)]);
    },
  },
  {
    name: "a restart of an empty store finds it empty",
    run: async (bench) => {
      const store = await bench.emptyStore();
      const state = await store.logState();
      await store.restart();
      checkEqual("the identity", await store.log.readIdentity(), null);
      checkEqual("the vote", await store.log.readVote(), null);
      checkEqual("the log state", await store.logState(), state);
      checkEqual("the current snapshot", await store.machine.readCurrentSnapshot(), null);
    },
  },
  {
    name: "what was truncated stays so after a restart, also where later entries took its place",
    run: async (bench) => {
      const store = await bench.store();
      await store.append(bench.normals(1, 1, 8));
      await store.log.truncate(4);
      await store.append([bench.normal(2, 4, 40)]);
      await store.restart();
      checkEqual("the log", await store.entries(), [...bench.normals(1, 1, 3), bench.normal(2, 4, 40)]);
      checkEqual("the last log id", (await store.logState()).lastLogId, { term: 2, index: 4 });
      await checkFails("a read of what was truncated", () => store.log.readEntries(5, 5));
    },
  },
  {
    name: "a purge past the end is remembered after a restart, and the log goes on after it",
    run: async (bench) => {
      const store = await bench.store();
      await store.append(bench.normals(1, 1, 3));
      const upto = { term: 4, index: 9 };
      const { snapshot } = await bench.snapshotUpto(upto);
      await store.machine.installSnapshot(snapshot, noPause);
      await store.log.purge(upto);
      await store.restart();
      checkEqual("the log state", await store.logState(), { lastPurgedLogId: upto, lastLogId: upto });
      await store.append([bench.normal(4, 10)]);
      checkEqual("the log", await store.entries(), [bench.normal(4, 10)]);
    },
  },
  {
    name: "a hint of what is committed is one that was saved, or gone, after a restart",
    run: async (bench) => {
      const store = await bench.store();
      await store.log.saveCommitted?.({ term: 1, index: 1 });
      await store.log.saveCommitted?.({ term: 1, index: 2 });
      await store.restart();
      const hint = (await store.log.readCommitted?.()) ?? null;
      const allowed = [null, { term: 1, index: 1 }, { term: 1, index: 2 }];
      check(
        allowed.some((one) => findDifference(hint, one) === null),
        `the hint is ${JSON.stringify(hint)}, which nobody saved`,
      );
    },
  },
  {
    name: "a restart finds the newest snapshot, and comes to the same state from it and the entries after it",
    run: async (bench) => {
      const store = await bench.store();
      const entries = [bench.membershipEntry(0, 1, 1), ...bench.normals(1, 2, 20)];
      await store.applyAll(...entries.slice(0, 10));
      await store.build();
      await store.applyAll(...entries.slice(10, 15));
      const snapshot = await store.build();
      const content = await contentOf(snapshot.data);
      await store.applyAll(...entries.slice(15));
      const [state, applied] = [await store.state(), await store.machine.readAppliedState()];
      await store.restart();
      const found = await store.machine.readCurrentSnapshot();
      check(found !== null, "the snapshot is gone");
      checkEqual("the current snapshot", found.meta, snapshot.meta);
      checkEqual("its content", await contentOf(found.data), content);
      await store.recover();
      await store.applyAll(...entries.slice(15));
      checkEqual("the state", await store.state(), state);
      checkEqual("the applied state", await store.machine.readAppliedState(), applied);
    },
  },
];
