import { describe, expect, test } from "vitest";
import { entry, FakeNode, membershipAt } from "../../test/support/fake-node.js";
import { Oracle } from "./oracle.js";
import { Violation } from "./violation.js";

/** Three voters of which node 1 leads term 1. */
function three(): { oracle: Oracle; one: FakeNode; two: FakeNode; three: FakeNode } {
  const oracle = new Oracle();
  const [one, two, three] = [1, 2, 3].map((id) => new FakeNode(oracle, id).start()) as [
    FakeNode,
    FakeNode,
    FakeNode,
  ];
  one.leads(1);
  two.inTerm(1, 1);
  three.inTerm(1, 1);
  expect(oracle.violation).toBeNull();
  return { oracle, one, two, three };
}

/** What says that a snapshot up to `index` is installed: the request, and its answer. */
const installed = (index: number): [never, never] => [
  { meta: { lastLogId: { term: 1, index } } } as never,
  { type: "installed", term: 1 } as never,
];

type Nodes = ReturnType<typeof three>;

/** All have `upto` entries of term 1, and know them to be committed. */
function committedUpto(upto: number): Nodes {
  const nodes = three();
  const entries = Array.from({ length: upto }, (_, i) => entry(1, i + 1));
  for (const node of [nodes.one, nodes.two, nodes.three]) node.append(entries);
  for (const node of [nodes.one, nodes.two, nodes.three]) node.commit(upto);
  expect(nodes.oracle.violation).toBeNull();
  return nodes;
}

const broken: readonly [property: string, how: string, breakIt: (nodes: Nodes) => unknown][] = [
  [
    "A1 order of the log",
    "something is applied that is not committed",
    ({ one }) => {
      one.append([entry(1, 1)]);
      one.applied = { term: 1, index: 1 };
      one.step();
    },
  ],
  [
    "A1 applied within durable",
    "something is applied that is not durable",
    ({ one, two, three: third }) => {
      for (const node of [one, two]) node.append([entry(1, 1)]);
      one.commit(1);
      third.append([entry(1, 1)], false).commit(1);
      third.dispatchedIndex = 1;
      third.step();
    },
  ],
  [
    "A2 terms never fall",
    "a term falls",
    ({ two }) => {
      two.inTerm(5);
      two.inTerm(4);
    },
  ],
  [
    "A2 later terms are taken over",
    "an answer of a later term changes nothing",
    ({ one }) =>
      one.step({
        event: {
          type: "appendEntriesResponse",
          from: 2,
          requestTerm: 1,
          seq: 1,
          incarnation: 7,
          response: { type: "refused", term: 9 },
        },
      }),
  ],
  [
    "A3 one vote a term",
    "a node changes its mind",
    ({ two }) => {
      two.inTerm(2, 1);
      two.vote = { term: 2, votedFor: 3, committed: false };
      two.step();
    },
  ],
  [
    "A3 one vote a term",
    "two votes of one term become durable",
    ({ two, oracle }) => {
      for (const votedFor of [1, 3])
        oracle.storageOf(two.id).voteSaved({ term: 2, votedFor, committed: false });
    },
  ],
  [
    "A5 applied moves on one by one",
    "an entry is left out",
    ({ one, two }) => {
      for (const node of [one, two]) node.append([entry(1, 1), entry(1, 2)]);
      one.commit(2);
      one.dispatchedIndex = 2;
      one.step({ commands: [{ type: "apply", since: 2, upto: 2 }] });
    },
  ],
  [
    "A6 terms rise along the log, without a gap",
    "an index is left out",
    ({ one }) => one.append([entry(1, 2)]),
  ],
  [
    "A6 terms rise along the log, without a gap",
    "an entry is of a term to come",
    ({ one }) => one.append([entry(2, 1)]),
  ],
  ["A7 a leader only appends", "a leader truncates", ({ one }) => one.append([entry(1, 1)]).truncate(1)],
  [
    "A12 durable before said",
    "a snapshot is said to be installed that is not durable",
    ({ oracle }) => oracle.response(3, 1, "installSnapshot", ...installed(2)),
  ],
  [
    "A13 what was durable is read back",
    "a recovery takes the place of what was durable",
    ({ oracle, two }) => {
      two.append([entry(1, 1)]);
      oracle.recovering(2, [entry(2, 1)]);
    },
  ],
  [
    "A10 one membership change at a time",
    "a second change begins before the first is committed",
    ({ one }) => one.appendMembership(1, 1, [[1, 2, 3]]).appendMembership(1, 2, [[1, 2, 3]]),
  ],
  [
    "A10 the last membership is in force",
    "an appended membership is not gone by",
    ({ two }) => {
      const { membership } = membershipAt(1, [[1, 2, 3]]);
      const added = { logId: { term: 1, index: 1 }, payload: { type: "membership", membership } } as const;
      two.entries.push(added);
      two.step({ commands: [{ type: "append", ioSeq: 1, entries: [added] }] });
    },
  ],
  [
    "A10 the last membership is in force",
    "a membership is gone by whose entry is truncated",
    ({ two }) => {
      two.appendMembership(1, 1, [[1, 2, 3]]);
      two.entries.pop();
      two.step({ commands: [{ type: "truncate", ioSeq: 2, since: 1 }] });
    },
  ],
  [
    "A10 the last membership is in force",
    "a membership is gone by whose entry is truncated, and the log is purged before it",
    ({ two }) => {
      two.append([entry(1, 1)]).appendMembership(1, 2, [[1, 2, 3]]);
      two.entries.pop();
      const upto = { term: 1, index: 1 };
      two.step({
        commands: [
          { type: "truncate", ioSeq: 2, since: 2 },
          { type: "purge", ioSeq: 3, upto },
        ],
      });
    },
  ],
  [
    "A11 only voters stand and lead",
    "a node that does not vote stands",
    ({ oracle }) => {
      const four = new FakeNode(oracle, 4).start();
      four.role = "preCandidate";
      four.step();
    },
  ],
  [
    "A11 only voters stand and lead",
    "a leader that was removed leads on when that is committed",
    ({ one, two, three: third }) => {
      for (const node of [one, two, third])
        node.appendMembership(1, 1, [
          [1, 2, 3],
          [2, 3],
        ]);
      for (const node of [one, two, third]) node.commit(1);
      for (const node of [two, third, one]) node.appendMembership(1, 2, [[2, 3]]);
      one.commit(2);
    },
  ],
  [
    "A12 durable before said",
    "a vote is granted that is not durable",
    ({ two, oracle }) => {
      two.vote = { term: 2, votedFor: 1, committed: false };
      two.step();
      oracle.response(2, 1, "vote", { term: 2, candidateId: 1 } as never, { granted: true } as never);
    },
  ],
  [
    "A12 durable before said",
    "an append is acknowledged that is not durable",
    ({ two, oracle }) => {
      two.append([entry(1, 1)], false);
      const answer = { type: "success", term: 1, matchIndex: 1 };
      oracle.response(2, 1, "appendEntries", {} as never, answer as never);
    },
  ],
  [
    "A13 what was durable is read back",
    "a durable entry is gone after a restart",
    ({ two }) => {
      two.append([entry(1, 1)]);
      two.entries.pop();
      two.start();
    },
  ],
  [
    "A13 what was durable is read back",
    "the durable vote is gone after a restart",
    ({ two }) => {
      two.vote = { term: 1, votedFor: 3, committed: false };
      two.start();
    },
  ],
  [
    "A13 what was durable is read back",
    "a truncated entry is there again after a restart",
    ({ two }) => {
      const again = entry(1, 2);
      two.append([entry(1, 1), again]).truncate(2);
      two.entries.push(again);
      two.start();
    },
  ],
  [
    "B1 election safety",
    "two lead one term",
    ({ two }) => {
      two.role = "leader";
      two.step();
    },
  ],
  [
    "B2 log matching",
    "one log id has two payloads",
    ({ one, two }) => {
      one.append([entry(1, 1)]);
      two.append([entry(1, 1, "another")]);
    },
  ],
  [
    "B5 state machine safety",
    "two state machines differ",
    ({ oracle }) => {
      oracle.machineOf(1).applied(1, 11, {}, null);
      oracle.machineOf(2).applied(1, 12, {}, null);
    },
  ],
  [
    "B6 committed on a quorum",
    "a leader commits what it alone has",
    ({ one }) => one.append([entry(1, 1)]).commit(1),
  ],
  [
    "B6 committed on a quorum",
    "a leader counts a copy that is not durable",
    ({ one, two }) => {
      two.append([entry(1, 1)], false);
      one.append([entry(1, 1)]).commit(1);
    },
  ],
  [
    "B6 committed on a quorum",
    "a leader counts a copy in the place of which another entry is durable",
    ({ one, two }) => {
      two.append([entry(1, 1)]);
      for (const node of [one, two]) node.inTerm(2, 1);
      two.entries.splice(0, 1, entry(2, 1));
      // Its storage hangs, and has not been asked to truncate.
      two.step({
        commands: [
          { type: "truncate", ioSeq: 3, since: 1 },
          { type: "append", ioSeq: 4, entries: [entry(2, 1)] },
        ],
      });
      one
        .leads(2)
        .append([entry(2, 1)])
        .commit(1);
    },
  ],
  [
    "B6 committed on a quorum",
    "a leader counts what another store of a voter has than the membership names",
    ({ one, two }) => {
      one.memberships = [membershipAt(0, [[1, 2, 3]], 0, [[2, 8]])];
      one.step();
      for (const node of [one, two]) node.append([entry(1, 1)]);
      one.commit(1);
    },
  ],
  [
    "B8 only entries of the leader's own term",
    "a leader commits an entry of before by counting",
    ({ one, two }) => {
      for (const node of [one, two]) node.append([entry(1, 1)]);
      two.inTerm(2, 2).leads(2);
      two.commit(1);
    },
  ],
  [
    "B10 successive memberships overlap",
    "voters change without a joint membership",
    ({ one }) => one.appendMembership(1, 1, [[1, 2, 4]]),
  ],
  [
    "B11 terms are durable before they are said",
    "a term is said that is not durable",
    ({ oracle }) => oracle.request(1, 2, "appendEntries", { term: 2 } as never),
  ],
  [
    "B11 terms are durable before they are said",
    "a refusal says a term that is not durable",
    ({ oracle }) =>
      oracle.response(
        2,
        1,
        "vote",
        { term: 2, candidateId: 1 } as never,
        { term: 2, granted: false } as never,
      ),
  ],
  [
    "B11 only its leader speaks for a term",
    "entries come from one that does not lead",
    ({ oracle }) => oracle.request(2, 3, "appendEntries", { term: 1 } as never),
  ],
  [
    "B11 only its leader speaks for a term",
    "a snapshot comes in a term that nobody leads",
    ({ oracle, one }) => {
      one.role = "follower";
      one.inTerm(2);
      oracle.request(1, 3, "installSnapshot", { term: 2 } as never);
    },
  ],
  [
    "A12 durable before said",
    "a vote is asked for by one that voted for another",
    ({ oracle }) => oracle.request(2, 3, "vote", { term: 1 } as never),
  ],
  [
    "A13 what was durable is read back",
    "a storage gives another entry than was appended",
    ({ oracle, one }) => {
      one.append([entry(1, 1)]);
      oracle.storageOf(1).read([entry(1, 1, "another")]);
    },
  ],
  [
    "A4 committed never falls",
    "what was stored as committed is not, after a restart",
    ({ oracle, two }) => {
      two.append([entry(1, 1)]);
      oracle.storageOf(2).committedRead({ term: 1, index: 1 });
      two.start();
    },
  ],
];

const brokenOnceCommitted: typeof broken = [
  ["A4 committed never falls", "the commit index falls", ({ two }) => two.commit(1)],
  [
    "A5 applied moves on one by one",
    "what is applied falls",
    ({ two }) => {
      two.applied = { term: 1, index: 2 };
      two.dispatchedIndex = 2;
      two.step();
      two.applied = { term: 1, index: 1 };
      two.step();
    },
  ],
  ["A8 committed entries stay", "a node truncates what it has committed", ({ two }) => two.truncate(2)],
  [
    "A9 the state never goes back",
    "a snapshot takes the state back",
    ({ oracle }) => {
      const machine = oracle.machineOf(1);
      machine.applied(1, 11, {}, null);
      machine.applied(2, 12, {}, null);
      machine.restored(1, 11);
    },
  ],
  [
    "B4 leader completeness",
    "a node leads without what is committed",
    ({ oracle }) => new FakeNode(oracle, 4, [1, 2, 3, 4]).start().leads(2),
  ],
  [
    "B7 committed is immutable",
    "another entry is committed in the place of one",
    ({ oracle }) => {
      new FakeNode(oracle, 4)
        .start()
        .append([entry(0, 1)])
        .commit(1);
    },
  ],
  [
    "B12 a snapshot stands for its entries",
    "the state of a snapshot is another",
    ({ oracle }) => {
      oracle.machineOf(1).applied(1, 11, {}, null);
      oracle.machineOf(2).restored(1, 99);
    },
  ],
  [
    "B12 a snapshot stands for its entries",
    "a snapshot lacks a command",
    ({ oracle, three: third }) => {
      const machine = oracle.machineOf(1);
      machine.applied(1, 11, {}, null);
      machine.applied(2, 12, {}, null);
      oracle.machineOf(3).restored(1, 11);
      const lastLogId = { term: 1, index: 2 };
      third.step({
        event: {
          type: "snapshotInstalled",
          lastLogId,
          lastMembership: membershipAt(0, [[1, 2, 3]], 0),
          installed: true,
        },
      });
    },
  ],
  [
    "C4 reads see what was committed before them",
    "a leader serves a read at an older index",
    ({ one }) =>
      one.step({
        event: { type: "readIndex", requestId: 1, policy: "readIndex", forwarded: false },
        commands: [{ type: "readReady", requestId: 1, readIndex: { term: 1, index: 1 } }],
      }),
  ],
];

describe("the oracle objects", () => {
  test.each(broken)("%s: when %s", (property, _, breakIt) => {
    const nodes = three();
    breakIt(nodes);
    expect(nodes.oracle.violation).toBeInstanceOf(Violation);
    expect((nodes.oracle.violation as Violation).property).toBe(property);
  });

  test.each(brokenOnceCommitted)("%s: when %s", (property, _, breakIt) => {
    const nodes = committedUpto(2);
    breakIt(nodes);
    expect(nodes.oracle.violation).toBeInstanceOf(Violation);
    expect((nodes.oracle.violation as Violation).property).toBe(property);
  });

  test("A8: when a node truncates what others have committed, and it does not know of", () => {
    const nodes = three();
    for (const node of [nodes.one, nodes.two]) node.append([entry(1, 1)]);
    nodes.one.commit(1);
    nodes.two.truncate(1);
    expect((nodes.oracle.violation as Violation).property).toBe("A8 committed entries stay");
  });

  test("B9: when a log that is as up to date lacks what another knows to be committed", () => {
    const nodes = three();
    for (const node of [nodes.one, nodes.two]) node.append([entry(1, 1)]);
    nodes.one.commit(1);
    nodes.two.commit(1);
    // Node 3 holds an entry of a later term that no leader with the committed one can have made.
    nodes.three.inTerm(2).append([entry(2, 1)]);
    expect((nodes.oracle.violation as Violation).property).toBe("B9 up-to-date logs hold what is committed");
  });

  test("B12: when a snapshot brings another membership than was in force", () => {
    const nodes = three();
    for (const node of [nodes.one, nodes.two]) node.appendMembership(1, 1, [[1, 2, 3]]);
    nodes.one.commit(1);
    const event = {
      type: "snapshotInstalled",
      lastLogId: { term: 1, index: 1 },
      lastMembership: membershipAt(0, [[1, 2, 3]], 0),
      installed: true,
    } as const;
    nodes.three.step({ event });
    expect((nodes.oracle.violation as Violation).property).toBe("B12 a snapshot stands for its entries");
  });
});

describe("the oracle lets pass", () => {
  test("a follower that truncates what was not committed, and the entries of the next leader in its place", () => {
    const { oracle, one, two, three: third } = committedUpto(1);
    one.append([entry(1, 2)]);
    for (const node of [two, third]) node.inTerm(2, 2);
    two.leads(2).append([entry(2, 2)]);
    third.append([entry(2, 2)]);
    two.commit(2);
    one.role = "follower";
    one
      .inTerm(2)
      .truncate(2)
      .append([entry(2, 2)])
      .commit(2);
    expect(oracle.violation).toBeNull();
  });

  test("a crash that loses what was not durable, and one that does not", () => {
    for (const kept of [true, false]) {
      const { oracle, two } = three();
      two.append([entry(1, 1)], false);
      if (!kept) two.entries.pop();
      two.start();
      expect(oracle.violation).toBeNull();
    }
  });

  test("a crash after a node decided to cut its log, and before its storage was asked to", () => {
    const { oracle, two } = three();
    const old = entry(1, 1);
    two.append([old]);
    two.inTerm(2);
    two.entries.splice(0, 1, entry(2, 1));
    // Storage still saves the vote, which comes first.
    two.step({
      commands: [
        { type: "truncate", ioSeq: 3, since: 1 },
        { type: "append", ioSeq: 4, entries: [entry(2, 1)] },
      ],
    });
    two.entries.splice(0, 1, old);
    two.start();
    expect(oracle.violation).toBeNull();
  });

  test("a change of voters by way of a joint membership, each step committed before the next", () => {
    const { oracle, one, two, three: third } = three();
    const configs = [
      [
        [1, 2, 3],
        [1, 2],
      ],
      [[1, 2]],
    ];
    for (const [i, next] of configs.entries()) {
      for (const node of [one, two, third]) node.appendMembership(1, i + 1, next);
      for (const node of [one, two, third]) node.commit(i + 1);
    }
    expect(oracle.violation).toBeNull();
  });

  test("a snapshot of what was applied, newer than what the node had", () => {
    const { oracle, three: third } = committedUpto(2);
    const machine = oracle.machineOf(1);
    machine.applied(1, 11, {}, null);
    machine.applied(2, 12, {}, null);
    oracle.machineOf(3).restored(2, 12);
    const lastMembership = membershipAt(0, [[1, 2, 3]], 0);
    third.step({
      event: { type: "snapshotInstalled", lastLogId: { term: 1, index: 2 }, lastMembership, installed: true },
    });
    expect(oracle.violation).toBeNull();
  });

  test("a snapshot that ends with the membership in force, in the place of entries that conflict with it", () => {
    const { oracle, one, two, three: third } = three();
    third.append([entry(1, 1)]);
    for (const node of [one, two]) node.inTerm(2, 2);
    two.leads(2);
    for (const node of [two, one]) node.appendMembership(2, 1, [[1, 2, 3]]);
    for (const node of [two, one]) node.commit(1);
    const logId = { term: 2, index: 1 };
    const lastMembership = membershipAt(1, [[1, 2, 3]], 2);
    third.inTerm(2);
    Object.assign(third, { entries: [], memberships: [lastMembership], dispatchedIndex: 1 });
    Object.assign(third, { purged: logId, snapshot: logId, applied: logId, committed: logId });
    third.step({
      event: { type: "snapshotInstalled", lastLogId: logId, lastMembership, installed: true },
      commands: [
        { type: "truncate", ioSeq: 2, since: 1 },
        { type: "purge", ioSeq: 3, upto: logId },
      ],
    });
    expect(oracle.violation).toBeNull();
  });

  test("a snapshot that is said to be installed once it is durable, or its entries are", () => {
    const { oracle, two, three: third } = three();
    oracle.installed(3, { term: 1, index: 2 });
    two.append([entry(1, 1), entry(1, 2)]);
    for (const { id } of [two, third]) oracle.response(id, 1, "installSnapshot", ...installed(2));
    expect(oracle.violation).toBeNull();
  });

  test("a commit that counts the stores that the membership names", () => {
    const { oracle, one, two } = three();
    one.memberships = [membershipAt(0, [[1, 2, 3]], 0, [[2, 7]])];
    one.step();
    for (const node of [one, two]) node.append([entry(1, 1)]);
    one.commit(1);
    expect(oracle.violation).toBeNull();
  });

  test("a recovery after what was durable, whatever else there was", () => {
    const { oracle, two } = three();
    two.append([entry(1, 1)]).append([entry(1, 2)], false);
    two.entries.pop();
    oracle.recovering(2, [entry(2, 2)]);
    two.vote = { term: 2, votedFor: 2, committed: false };
    two.saved();
    oracle.storageOf(2).appending([{ term: 2, index: 2 }])();
    two.entries.push(entry(2, 2));
    two.start();
    expect(oracle.violation).toBeNull();
  });

  test("a read that a leader serves at what is committed", () => {
    const { oracle, one } = committedUpto(2);
    one.step({
      event: { type: "readIndex", requestId: 1, policy: "readIndex", forwarded: false },
      commands: [{ type: "readReady", requestId: 1, readIndex: { term: 1, index: 2 } }],
    });
    expect(oracle.violation).toBeNull();
  });
});

test("a store keeps all promises alone when it has, durably, what was committed and the latest term: what a hung disk did not take does not count", () => {
  const { oracle, two, three: third } = committedUpto(2);
  expect([oracle.keepsAll(2, 1), oracle.keepsAll(9, 1)]).toEqual([true, false]);
  two.vote = { term: 4, votedFor: null, committed: false };
  two.step();
  expect(oracle.keepsAll(2, 4)).toBe(false);
  two.inTerm(4);
  expect(oracle.keepsAll(2, 4)).toBe(true);
  oracle.wiped(3);
  expect(oracle.keepsAll(third.id, 1)).toBe(false);
});
