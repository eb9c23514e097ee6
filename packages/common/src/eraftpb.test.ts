import { expect, test } from "vitest";
import { nodesFor } from "../test/arbitraries.js";
import * as eraftpb from "./eraftpb.js";
import type { ConfState, Entry, EntryType } from "./eraftpb.js";

const { EntryNormal, EntryConfChangeV2 } = eraftpb.EntryType;

function entry(term: number, index: number, entryType: EntryType, data: number[] = []): Entry {
  return { entryType, term, index, data: Uint8Array.from(data), context: new Uint8Array(0) };
}

test("a whole raft-rs node comes over: its log through a joint change, its hard state, its configuration", () => {
  const joint: ConfState = {
    voters: [1, 2, 4],
    learners: [],
    votersOutgoing: [1, 2, 3],
    learnersNext: [3],
    autoLeave: true,
  };
  const confStates = new Map([
    [6, joint],
    [7, eraftpb.leaveJoint(joint)],
  ]);
  const entries = [
    entry(2, 4, EntryNormal),
    entry(2, 5, EntryNormal, [1]),
    entry(2, 6, EntryConfChangeV2, [8, 1]),
    entry(2, 7, EntryConfChangeV2),
    entry(3, 8, EntryNormal),
  ];
  const nodes = nodesFor([1, 2, 3, 4]);

  const log = entries.map((it) =>
    eraftpb.entryToLogEntry(it, (index) => {
      const state = confStates.get(index);
      return state && eraftpb.confStateToMembership(state, nodes);
    }),
  );
  const state = eraftpb.hardStateToVote(
    { term: 3n, vote: 2n, commit: 7n },
    (index) => log.find(({ logId }) => logId.index === index)?.logId.term,
  );

  expect(log.map(({ payload }) => payload.type)).toEqual([
    "blank",
    "normal",
    "membership",
    "membership",
    "blank",
  ]);
  expect(
    log.map(({ payload }) => (payload.type === "membership" ? payload.membership.configs : null)),
  ).toEqual([
    null,
    null,
    [
      [1, 2, 3],
      [1, 2, 4],
    ],
    [[1, 2, 4]],
    null,
  ]);
  expect(state).toEqual({
    vote: { term: 3, votedFor: 2, committed: false },
    committed: { term: 2, index: 7 },
  });
});
