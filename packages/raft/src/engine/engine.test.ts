import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  TEST_CONFIG,
  TestEngine,
  elected,
  entries,
  id,
  memberships,
  newNode,
  snapshotMeta,
  trail,
  voters,
  sentTo,
} from "../../test/engine-harness.js";
import type { Command } from "./command.js";
import { DEFAULT_SWITCHES } from "./context.js";
import { Engine } from "./engine.js";
import type { Event, MembershipChange } from "./event.js";

const anyTerm = fc.integer({ min: 1, max: 4 });
const anyPeer = fc.constantFrom(2, 3);

const anyLogId = fc.tuple(anyTerm, fc.integer({ min: 1, max: 4 })).map(([term, index]) => id(term, index));

const anyChange: fc.Arbitrary<MembershipChange<unknown>> = fc.oneof(
  fc
    .tuple(fc.constantFrom("replaceVoters", "addVoters", "removeVoters"), fc.subarray([1, 2, 3, 4]))
    .map(([type, ids]): MembershipChange<unknown> => ({ type, ids })),
  fc.constant<MembershipChange<unknown>>({ type: "addNodes", nodes: [[4, { addr: "n4" }]] }),
);

/** Events as a network, an operator and an application may send them; what lanes report follows from what was asked for. */
const anyPlainEvent: fc.Arbitrary<Event> = fc.oneof(
  fc
    .tuple(fc.nat(), anyChange, fc.boolean(), fc.boolean())
    .map(([requestId, change, retain, allowLagging]): Event => ({
      type: "changeMembership",
      requestId,
      change,
      retain,
      allowLagging,
    })),
  fc
    .tuple(fc.nat(), fc.constantFrom(null, 1, 2, 3), fc.integer({ min: 1, max: 200 }))
    .map(([requestId, target, timeoutMs]): Event => ({
      type: "transferLeader",
      requestId,
      target,
      timeoutMs,
    })),
  fc.tuple(anyPeer, anyTerm, anyLogId).map(([leaderId, term, lastLogId]): Event => ({
    type: "timeoutNowRequest",
    rpcId: 1,
    request: { term, leaderId, lastLogId },
  })),
  fc.tuple(anyPeer, anyTerm, fc.boolean()).map(([from, term, accepted]): Event => ({
    type: "timeoutNowAnswered",
    from,
    requestTerm: term,
    term,
    accepted,
  })),
  fc
    .tuple(fc.constantFrom("tick", "heartbeat", "elect", "preVote"), fc.boolean())
    .map(([name, on]): Event => ({ type: "configure", switches: { [name]: on } })),
  fc.constantFrom(null, "append" as const).map((verb): Event => ({ type: "storageStalled", verb })),
  fc
    .tuple(anyPeer, anyTerm, fc.integer({ min: 1, max: 12 }))
    .map(([from, requestTerm, seq]): Event => ({ type: "installSnapshotFailed", from, requestTerm, seq })),
  fc.constant<Event>({ type: "timer" }),
  fc.constant<Event>({ type: "elect" }),
  fc.constant<Event>({ type: "clientWrite", payloads: [{ type: "blank" }] }),
  fc
    .tuple(fc.nat(), fc.constantFrom("readIndex", "lease"), fc.boolean())
    .map(([requestId, policy, forwarded]): Event => ({ type: "readIndex", requestId, policy, forwarded })),
  fc
    .tuple(fc.nat(), fc.option(anyLogId))
    .map(([requestId, readIndex]): Event => ({ type: "readIndexAnswered", requestId, readIndex })),
  fc.nat().map((requestId): Event => ({ type: "takeSnapshot", requestId })),
  fc.nat(9).map((upto): Event => ({ type: "purgeLog", upto })),
  fc
    .tuple(anyPeer, anyTerm, anyLogId, fc.boolean())
    .map(([candidateId, term, lastLogId, transfer]): Event => ({
      type: "voteRequest",
      rpcId: 1,
      request: { term, candidateId, lastLogId, transfer },
    })),
  fc.tuple(anyPeer, anyTerm, anyLogId).map(([candidateId, term, lastLogId]): Event => ({
    type: "preVoteRequest",
    rpcId: 1,
    request: { term, candidateId, lastLogId },
  })),
  fc.tuple(anyPeer, anyTerm, fc.boolean()).map(([from, term, granted]): Event => ({
    type: "voteResponse",
    from,
    requestTerm: term,
    response: { term, granted },
  })),
  fc.tuple(anyPeer, anyTerm, fc.boolean()).map(([from, term, granted]): Event => ({
    type: "preVoteResponse",
    from,
    requestTerm: term,
    response: { term: term - 1, granted },
  })),
  fc
    .tuple(anyPeer, anyTerm, fc.integer({ min: 1, max: 12 }))
    .map(([from, requestTerm, seq]): Event => ({ type: "appendEntriesFailed", from, requestTerm, seq })),
  fc
    .tuple(anyPeer, anyTerm, fc.integer({ min: 1, max: 12 }), fc.nat(4))
    .map(([from, term, seq, matchIndex]): Event => ({
      type: "appendEntriesResponse",
      from,
      requestTerm: term,
      seq,
      response: { type: "success", term, matchIndex },
      incarnation: 0,
    })),
);

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 10, arbitrary: anyPlainEvent },
  {
    weight: 1,
    arbitrary: fc.tuple(anyPeer, anyTerm, anyLogId).map(([leaderId, term, lastLogId]): Event => ({
      type: "installSnapshotRequest",
      rpcId: 1,
      term: Math.max(term, lastLogId.term),
      leaderId,
      meta: snapshotMeta(lastLogId),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(anyLogId, fc.constantFrom(null, 5)).map(([lastLogId, requestId]): Event => ({
      type: "snapshotReceived",
      meta: snapshotMeta(lastLogId),
      requestId,
    })),
  },
);

/** A recorded run: each step with its time, lane reports filled in as a lane would give them. */
function run(
  events: readonly Event[],
  random: readonly number[],
  leaseMs: number | null = null,
): { steps: [Event, number][]; out: Command[][] } {
  const node = new TestEngine({ random, config: { leaseMs } });
  const steps: [Event, number][] = [];
  const out: Command[][] = [];
  const step = (event: Event): void => {
    steps.push([event, node.now]);
    out.push(node.step(event));
  };
  for (const [i, event] of events.entries()) {
    node.now += 40;
    step(event);
    const { io, applied, dispatchedIndex, log } = node.state;
    if (i % 2 === 1 && io.issued > io.persisted) step({ type: "persisted", ioSeq: io.issued });
    if (i % 3 === 2 && dispatchedIndex > applied.index)
      step({ type: "applied", logId: log.at(dispatchedIndex), bytes: 10 });
    const { installing } = node.state.snapshot;
    if (i % 5 === 4 && installing !== null)
      step({ type: "snapshotInstalled", ...installing, installed: true });
  }
  return { steps, out };
}

describe("the engine is deterministic", () => {
  test("the same start, events, times and random numbers give the same commands and the same state", () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 40 }),
        fc.array(fc.nat(99), { minLength: 1 }),
        fc.constantFrom(null, 140),
        (events, draws, leaseMs) => {
          const random = draws.map((draw) => draw / 100);
          const { steps, out } = run(events, random, leaseMs);
          const again = new TestEngine({ random, config: { leaseMs } });
          for (const [i, [event, now]] of steps.entries()) {
            again.now = now;
            expect(again.step(structuredClone(event))).toEqual(out[i]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("events and commands are plain data: what is recorded as JSON replays the run", () => {
    fc.assert(
      fc.property(fc.array(anyPlainEvent, { maxLength: 30 }), (events) => {
        const { steps, out } = run(events, [0.5]);
        const recorded = JSON.parse(JSON.stringify(steps)) as [Event, number][];
        const again = new TestEngine();
        const replayed = recorded.map(([event, now]) => {
          again.now = now;
          return again.step(event);
        });
        expect(JSON.parse(JSON.stringify(replayed))).toEqual(JSON.parse(JSON.stringify(out)));
      }),
      { numRuns: 50 },
    );
  });

  test("no event changes when a step takes it", () => {
    const node = elected();
    const event: Event = {
      type: "clientWrite",
      payloads: Object.freeze([Object.freeze({ type: "blank" as const })]),
    };
    node.step(Object.freeze(event));
    const append: Event = {
      type: "appendEntriesRequest",
      rpcId: 1,
      request: Object.freeze({
        term: 2,
        leaderId: 2,
        prevLogId: id(1, 1),
        entries: Object.freeze(entries(2, 2).map(Object.freeze)) as ReturnType<typeof entries>,
        leaderCommit: 0,
      }),
    };
    node.step(append);
    expect(node.state.log.last).toEqual(id(2, 2));
  });
});

test("every step returns its own commands, and none of an earlier one", () => {
  const node = elected({ membership: voters(1) });
  const first = node.write("a");
  const copy = structuredClone(first);
  expect(node.write("b").filter(({ type }) => type === "acceptWrites")).toEqual([
    { type: "acceptWrites", firstIndex: 3 },
  ]);
  expect(first).toEqual(copy);
});

describe("a node starts", () => {
  test("as a follower where it votes and as a learner where it does not, restarted or new", () => {
    expect(new TestEngine({ membership: voters(1, 2) }).role).toBe("follower");
    expect(new TestEngine({ membership: memberships([[2, 3]], 3) }).role).toBe("learner");
    expect(newNode().role).toBe("learner");
    expect(
      new TestEngine({
        membership: memberships([
          [2, 3],
          [1, 2],
        ]),
      }).role,
    ).toBe("follower");
  });

  test("as a follower also where it led before: a leader has to be elected again", () => {
    const node = new TestEngine({ vote: { term: 3, votedFor: 1, committed: true } });
    expect(node.state.role).toEqual({ type: "follower", leaderId: null });
  });

  test("with an election a random timeout away, and none on a learner", () => {
    expect(new TestEngine({ random: [0] }).engine.nextDeadline()).toBe(1150);
    expect(newNode().engine.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test("with an election at once where it is the only voter, learners or not", () => {
    const node = new TestEngine({ membership: memberships([[1]], 3) });
    expect(node.engine.nextDeadline()).toBe(1000);
    node.pass(0);
    expect(node.role).toBe("candidate");
  });

  test("with its log durable, and applies what it knew to be committed, no more", () => {
    const node = new TestEngine({ terms: [1, 1, 1, 1], applied: 1, committed: 3 });
    expect(node.state.io).toMatchObject({ durableIndex: 4, issued: 0, persisted: 0 });
    expect(node.engine.resume()).toEqual([{ type: "apply", since: 2, upto: 3 }]);
    expect(node.engine.resume()).toEqual([]);
  });

  test("by purging what its snapshot stands for, where a crash came between the two", () => {
    const start = { terms: [1, 1, 1, 1], snapshot: 3, applied: 3 } as const;
    const node = new TestEngine({ ...start, config: { logsToKeep: 1 } });
    expect(node.engine.resume()).toEqual([{ type: "purge", ioSeq: 1, upto: id(1, 2) }]);
    expect(node.state.log.purged).toEqual(id(1, 2));
    expect(node.engine.resume()).toEqual([]);
    expect(new TestEngine({ ...start, config: { logsToKeep: 3 } }).engine.resume()).toEqual([]);
  });

  test("with nothing to apply where all is applied", () => {
    expect(new TestEngine({ terms: [1, 1], applied: 2 }).engine.resume()).toEqual([]);
  });

  test("not from a state that contradicts itself", () => {
    expect(() => new TestEngine({ terms: [3], vote: { term: 2 } })).toThrow("log term within term: 3 > 2");
    expect(() => new TestEngine({ terms: [1, 1], applied: 2, committed: 1 })).toThrow("order of the log");
  });
});

describe("the invariants", () => {
  test("of a state are checked after every step", () => {
    const node = elected({ membership: voters(1) });
    Object.assign(node.state, { committed: id(1, 9) });
    expect(() => node.step({ type: "timer" })).toThrow("order of the log");
  });

  test("from state to state are checked after every step", () => {
    const node = elected({ membership: voters(1) });
    node.write("a");
    let reads = 0;
    Object.defineProperty(node.state, "committed", { get: () => id(1, reads++ === 0 ? 2 : 1) });
    expect(() => node.step({ type: "timer" })).toThrow("committed never falls: 2 > 1");
  });

  test("are not checked where they are switched off", () => {
    const unsound = {
      id: 1,
      incarnation: 0,
      vote: { term: 0, votedFor: null, committed: false },
      log: trail([3]),
      memberships: [{ logId: id(0, 0), membership: voters(1) }],
      snapshot: id(0, 0),
      applied: id(0, 0),
      committed: id(0, 0),
    };
    const options = {
      config: TEST_CONFIG,
      switches: DEFAULT_SWITCHES,
      random: () => 0.5,
      checkInvariants: false,
    };
    const engine = new Engine(unsound, options, 1000);
    expect(() => engine.step({ type: "timer" }, 900)).not.toThrow();
    expect(() => new Engine(unsound, { ...options, checkInvariants: true }, 1000)).toThrow(
      "log term within term",
    );
  });
});

test("deadlines follow the role: an election on a voter, a heartbeat on a leader", () => {
  const node = elected();
  expect(node.engine.nextDeadline()).toBe(node.now + 50);
  node.append({ term: 9, leaderId: 2, prevLogId: id(9, 9) });
  expect(node.engine.nextDeadline()).toBe(node.now + 225);
});

describe("who asks a leader only for deadlines before a time", () => {
  const DUE = 50;

  test("may be told an older one while followers answer, for it has moved away", () => {
    const node = elected();
    const known = node.engine.nextDeadline();
    expect(known).toBe(node.now + DUE);
    node.now += 10;
    const sent = node.write("a");
    node.accept(sentTo(sent, 2));
    expect(node.engine.nextDeadline(known)).toBeGreaterThanOrEqual(known);
    expect(node.engine.nextDeadline()).toBe(node.now + DUE);
  });

  test.each<[string, (node: TestEngine, sent: Command[]) => void]>([
    ["one that does not answer", (node, sent) => node.fail(sentTo(sent, 2))],
    ["one that refuses", (node, sent) => node.answer(sentTo(sent, 2), { type: "refused", term: 1 })],
  ])("is told of that for %s, which is tried again sooner", (_, happen) => {
    const node = elected();
    // With heartbeats the next one tries again.
    node.step({ type: "configure", switches: { heartbeat: false } });
    const sent = node.write("a");
    const known = node.engine.nextDeadline();
    happen(node, sent);
    expect(node.engine.nextDeadline(known)).toBeLessThan(known);
    expect(node.engine.nextDeadline(known)).toBe(node.progress(2).retryAt);
  });
});

test("a timer that is due is so once: whatever has happened, the next deadline is later", () => {
  fc.assert(
    fc.property(
      fc.array(anyEvent, { maxLength: 40 }),
      fc.constantFrom(voters(1), voters(1, 2, 3), memberships([[1, 2]], 4), memberships([[2, 3]], 3)),
      (events, membership) => {
        const node = new TestEngine({ membership, config: { leaseMs: 140 } });
        for (const [i, event] of events.entries()) {
          node.now += 70;
          node.step(event);
          const { io, snapshot } = node.state;
          if (i % 2 === 1 && io.issued > io.persisted) node.persist();
          if (i % 7 === 6 && snapshot.installing !== null) node.snapshotInstalled(snapshot.installing);
          if (node.engine.nextDeadline() > node.now) continue;
          node.pass(0);
          expect(node.engine.nextDeadline()).toBeGreaterThan(node.now);
        }
      },
    ),
    { numRuns: 400 },
  );
});
