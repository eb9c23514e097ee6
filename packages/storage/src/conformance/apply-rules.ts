import type { RaftTypeConfig } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP, ZERO_LOG_ID } from "@seshat/common";
import { SessionRefusal } from "../sessions/session-refusal.js";
import { check, checkEqual, checkFails } from "./check.js";
import { findDifference } from "./difference.js";
import type { StorageRule, Store } from "./storage-bench.js";

const applied = async <C extends RaftTypeConfig>({ machine }: Store<C>): Promise<unknown> =>
  machine.readAppliedState();

export const APPLY_RULES: readonly StorageRule[] = [
  {
    name: "a new state machine has applied nothing, and has no snapshot",
    run: async (bench) => {
      const store = await bench.emptyStore();
      const nothing = { lastAppliedLogId: ZERO_LOG_ID, lastMembership: EMPTY_STORED_MEMBERSHIP };
      checkEqual("the applied state", await applied(store), nothing);
      checkEqual("the current snapshot", await store.machine.readCurrentSnapshot(), null);
    },
  },
  {
    name: "each command that is applied shows in the state, and counts as the last applied entry",
    run: async (bench) => {
      const store = await bench.store();
      let before = await store.state();
      for (let index = 1; index <= 4; index++) {
        const answers = await store.applyAll(bench.normal(1, index));
        checkEqual("the number of answers", answers.length, 1);
        const after = await store.state();
        check(findDifference(after, before) !== null, `command ${index} does not show in the state`);
        before = after;
        const { lastAppliedLogId } = await store.machine.readAppliedState();
        checkEqual("the last applied entry", lastAppliedLogId, { term: 1, index });
      }
    },
  },
  {
    name: "each entry has its answer, undefined for those without a command, and all count as applied",
    run: async (bench) => {
      const store = await bench.store();
      const other = await bench.store();
      const [first] = await other.applyAll(bench.normal(1, 1));
      check(first !== undefined, "a command was answered with undefined");
      const answers = await store.applyAll(
        bench.normal(1, 1),
        bench.blank(1, 2),
        bench.membershipEntry(1, 3, 1, 2),
      );
      checkEqual("the answers", answers, [first, undefined, undefined]);
      checkEqual("the applied state", await applied(store), {
        lastAppliedLogId: { term: 1, index: 3 },
        lastMembership: { logId: { term: 1, index: 3 }, membership: bench.members(1, 2) },
      });
      await store.applyAll(bench.blank(2, 4));
      const { lastAppliedLogId } = await store.machine.readAppliedState();
      checkEqual("the last applied entry", lastAppliedLogId, { term: 2, index: 4 });
    },
  },
  {
    name: "the membership is the last one applied, with its entry",
    run: async (bench) => {
      const store = await bench.store();
      await store.applyAll(
        bench.membershipEntry(0, 1, 1),
        bench.membershipEntry(1, 2, 1, 2),
        bench.normal(1, 3),
      );
      const { lastMembership } = await store.machine.readAppliedState();
      checkEqual("the membership", lastMembership, {
        logId: { term: 1, index: 2 },
        membership: bench.members(1, 2),
      });
    },
  },
  {
    name: "what stands in the log only is not applied, and what is applied does not stand in the log",
    run: async (bench) => {
      const store = await bench.store();
      await store.append([bench.membershipEntry(0, 1, 1, 2), bench.normal(1, 2)]);
      const nothing = { lastAppliedLogId: ZERO_LOG_ID, lastMembership: EMPTY_STORED_MEMBERSHIP };
      checkEqual("the applied state", await applied(store), nothing);
      const other = await bench.store();
      await other.applyAll(bench.membershipEntry(0, 1, 1, 2), bench.normal(1, 2));
      checkEqual("the last log id", (await other.logState()).lastLogId, ZERO_LOG_ID);
    },
  },
  {
    name: "entries that were applied before are skipped, and answered with undefined",
    run: async (bench) => {
      const store = await bench.store();
      const entries = [bench.membershipEntry(0, 1, 1), ...bench.normals(1, 2, 5)];
      await store.applyAll(...entries);
      const [state, before] = [await store.state(), await applied(store)];
      checkEqual("the answers", await store.applyAll(...entries), [
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
      checkEqual("the state", await store.state(), state);
      checkEqual("the applied state", await applied(store), before);
    },
  },
  {
    name: "of entries old and new the new ones are applied",
    run: async (bench) => {
      const [store, other] = [await bench.store(), await bench.store()];
      const entries = bench.normals(1, 1, 6);
      const expected = await other.applyAll(...entries);
      await store.applyAll(...entries.slice(0, 4));
      const answers = await store.applyAll(...entries.slice(2));
      checkEqual("the answers", answers, [undefined, undefined, ...expected.slice(4)]);
      checkEqual("the state", await store.state(), await other.state());
    },
  },
  {
    name: "a gap, before the entries or between them, is an error, and nothing is applied",
    run: async (bench) => {
      const store = await bench.store();
      await store.applyAll(...bench.normals(1, 1, 2));
      const [state, before] = [await store.state(), await applied(store)];
      await checkFails("entry 4 after 2", () => store.applyAll(bench.normal(1, 4)));
      await checkFails("entry 5 after 3", () => store.applyAll(bench.normal(1, 3), bench.normal(1, 5)));
      checkEqual("the state", await store.state(), state);
      checkEqual("the applied state", await applied(store), before);
    },
  },
  {
    name: "the same entries give the same answers and the same state, however they are cut into calls",
    run: async (bench) => {
      const [store, other] = [await bench.store(), await bench.store()];
      const entries = [bench.membershipEntry(0, 1, 1), ...bench.normals(1, 2, 40)];
      const expected = await other.applyAll(...entries);
      const answers: unknown[] = [];
      for (let at = 0; at < entries.length; at += 7) {
        answers.push(...(await store.applyAll(...entries.slice(at, at + 7))));
      }
      checkEqual("the answers", answers, expected);
      checkEqual("the state", await store.state(), await other.state());
    },
  },
  {
    name: "a command that its session carried out is not applied again, or sessions are refused as unsupported",
    run: async (bench) => {
      const store = await bench.store();
      const session = { sessionId: 1, sequence: 1, answeredBelow: 1 };
      // The number says which command it is: that its content is another one shows whether it took effect again.
      const command = (index: number, n: number) =>
        bench.entry(1, index, { type: "normal", data: bench.command(n), session });
      const [opened] = await store.applyAll(bench.entry(1, 1, { type: "openSession", expiresAfter: 100 }));
      const before = await store.state();
      const [first] = await store.applyAll(command(2, 3));
      const after = await store.state();
      const [again] = await store.applyAll(command(3, 4));
      checkEqual("the state after the command came again", await store.state(), after);
      if (opened === undefined) {
        check(findDifference(after, before) !== null, "the first time the command did not take effect");
        checkEqual("the answer to the command that came again", again, first);
        return;
      }
      for (const answer of [opened, first, again]) {
        check(answer instanceof SessionRefusal, "one answer is a refusal, and another is none");
        checkEqual("the refusal", answer.problem, "unsupported");
      }
      checkEqual("the state after refused commands", after, before);
    },
  },
];
