import type { RaftTypeConfig } from "@seshat/common";
import { CaseRandom } from "./case-random.js";
import { check, checkEqual } from "./check.js";
import { LogModel, writeAtRandom } from "./log-model.js";
import type { StorageBench, StorageRule, Store } from "./storage-bench.js";
import { IDENTITY, contentOf, noPause } from "./storage-bench.js";

/** A crash by chance does not always do its worst: each rule is tried this often with each fate, where as many rounds are wanted. */
const MAX_TRIES = 8;

async function eachFate<C extends RaftTypeConfig>(
  bench: StorageBench<C>,
  attempt: (crash: (store: Store<C>) => Promise<void>) => Promise<void>,
): Promise<void> {
  for (const fate of bench.fates) {
    for (let n = 0; n < Math.min(MAX_TRIES, bench.rounds); n++) {
      await attempt((store) => store.crash(fate));
      await bench.dispose();
    }
  }
}

/** Rules about what is there after the power failed. */
export const CRASH_RULES: readonly StorageRule[] = [
  {
    name: "an identity and a vote are durable when the calls that save them end",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await crash(store);
        checkEqual("the identity", await store.log.readIdentity(), IDENTITY);
        const vote = { term: 5, votedFor: 3, committed: false };
        await store.log.saveVote({ term: 4, votedFor: 1, committed: true });
        await store.log.saveVote(vote);
        await crash(store);
        checkEqual("the vote", await store.log.readVote(), vote);
      }),
  },
  {
    name: "entries that were reported durable survive a crash",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await store.append(bench.normals(1, 1, 3));
        await store.append(bench.normals(2, 4, 6));
        await crash(store);
        checkEqual("the log", await store.entries(), [...bench.normals(1, 1, 3), ...bench.normals(2, 4, 6)]);
      }),
  },
  {
    name: "entries that were not reported durable vanish from some point on, if at all",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await store.append(bench.normals(1, 1, 2));
        for (let index = 3; index <= 12; index += 2) await store.begin(bench.normals(1, index, index + 1));
        await crash(store);
        const entries = await store.entries();
        check(entries.length >= 2, `of the two durable entries ${entries.length} are there`);
        checkEqual("the log", entries, bench.normals(1, 1, entries.length));
        await store.append([bench.normal(2, entries.length + 1)]);
        await crash(store);
        checkEqual("the last log id", (await store.logState()).lastLogId, {
          term: 2,
          index: entries.length + 1,
        });
      }),
  },
  {
    name: "a write is never durable without those before it: a vote brings the entries before it with it",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await store.begin(bench.normals(1, 1, 4));
        await store.log.saveVote({ term: 2, votedFor: 2, committed: false });
        await crash(store);
        checkEqual("the vote", (await store.log.readVote())?.term, 2);
        checkEqual("the log", await store.entries(), bench.normals(1, 1, 4));
      }),
  },
  {
    name: "a truncation is durable when it ends",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await store.append(bench.normals(1, 1, 8));
        await store.log.truncate(4);
        await crash(store);
        checkEqual("the log", await store.entries(), bench.normals(1, 1, 3));
        await store.append([bench.normal(2, 4, 40)]);
        await crash(store);
        checkEqual("the log", await store.entries(), [...bench.normals(1, 1, 3), bench.normal(2, 4, 40)]);
      }),
  },
  {
    name: "a purge is durable when it ends, and the snapshot before it too",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        const entries = bench.normals(1, 1, 10);
        await store.append(entries);
        const upto = { term: 1, index: 7 };
        await store.purgeBehind(entries, upto);
        const state = await store.state();
        await crash(store);
        checkEqual("what was purged", (await store.logState()).lastPurgedLogId, upto);
        checkEqual("the log", await store.entries(), entries.slice(7));
        await store.recover();
        checkEqual("the state", await store.state(), state);
        await store.applyAll(...entries.slice(7));
      }),
  },
  {
    name: "a snapshot that was installed is durable when the call ends, and one that was only received is not",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const { donor, snapshot } = await bench.snapshotUpto({ term: 2, index: 20 });
        const content = await contentOf(snapshot.data);
        const store = await bench.store();
        await store.applyAll(...bench.normals(1, 1, 4));
        const built = await store.build();
        await store.receive(snapshot.meta, content);
        await crash(store);
        checkEqual("the current snapshot", (await store.machine.readCurrentSnapshot())?.meta, built.meta);
        await store.recover();
        await store.machine.installSnapshot(await store.receive(snapshot.meta, content), noPause);
        await crash(store);
        const current = await store.machine.readCurrentSnapshot();
        check(current !== null, "the snapshot that was installed is gone");
        checkEqual("the current snapshot", current.meta, snapshot.meta);
        checkEqual("its content", await contentOf(current.data), content);
        await store.recover();
        checkEqual("the state", await store.state(), await donor.state());
      }),
  },
  {
    name: "whatever is written, a crash leaves what some moment since the last acknowledgement held",
    run: (bench) => randomRuns(bench),
  },
];

/**
 * Rules about a process that was killed, after which the power fails in the life of the next. What that one read it has told others by then,
 * and nobody will write it again: so it has to be durable, whoever wrote it.
 */
export const KILL_RULES: readonly StorageRule[] = [
  {
    name: "what is read after a kill is durable, also entries that the process before had not synced",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await store.append(bench.normals(1, 1, 2));
        for (let index = 3; index <= 12; index += 2) await store.begin(bench.normals(1, index, index + 1));
        await store.kill();
        const entries = await store.entries();
        check(entries.length >= 2, `of the two durable entries ${entries.length} are there`);
        const { lastLogId } = await store.logState();
        await crash(store);
        checkEqual("the last log id", (await store.logState()).lastLogId, lastLogId);
        checkEqual("the log", await store.entries(), entries);
      }),
  },
  {
    name: "what is appended after a kill is durable with all that was read before it",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await store.begin(bench.normals(1, 1, 4));
        await store.kill();
        const entries = await store.entries();
        const next = bench.normal(2, entries.length + 1);
        await store.append([next]);
        await crash(store);
        checkEqual("the log", await store.entries(), [...entries, next]);
      }),
  },
  {
    name: "a vote that is read after a kill is durable, also one whose saving had not ended",
    run: (bench) =>
      eachFate(bench, async (crash) => {
        const store = await bench.store();
        await store.log.saveVote({ term: 4, votedFor: 1, committed: true });
        // It may never end.
        void Promise.resolve(store.log.saveVote({ term: 5, votedFor: 3, committed: false })).catch(() => {});
        await store.kill();
        const vote = await store.log.readVote();
        await crash(store);
        checkEqual("the vote", await store.log.readVote(), vote);
      }),
  },
];

async function randomRuns<C extends RaftTypeConfig>(bench: StorageBench<C>): Promise<void> {
  for (let round = 0; round < bench.rounds; round++) {
    const random = new CaseRandom(round);
    const store = await bench.store();
    const model = new LogModel<C>();
    for (let life = 0; life < 4; life++) {
      const writes = random.integer(1, 12);
      for (let n = 0; n < writes; n++) await writeAtRandom(bench, store, model, random);
      model.endLife();
      await store.crash(random.pick(bench.fates));
      await store.recover();
      await model.checkAfterCrash(store);
    }
    await bench.dispose();
  }
}
