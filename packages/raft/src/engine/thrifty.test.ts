import { describe, expect, test } from "vitest";
import { elect, elected, flow, id, memberships, only, sentTo, voters } from "../../test/engine-harness.js";
import type { StartOptions, TestEngine } from "../../test/engine-harness.js";
import type { Command } from "./command.js";

const DELAY_MS = 10;

function thrifty({ config, ...options }: StartOptions = {}): StartOptions {
  return { ...options, config: { thriftyDelayMs: DELAY_MS, maxPayloadEntries: 100, ...config } };
}

/** Node 1 leads 2 and 3. Both have everything; 2 answered first, so 3 is spare. */
function leading(options: StartOptions = {}): TestEngine {
  return elected(thrifty(options));
}

/** Who was sent entries, and which: [node, first, last]. */
function entriesSent(commands: readonly Command[]): [number, number, number][] {
  return only(commands, "sendAppendEntries")
    .filter(({ prevLogId, upto }) => upto > prevLogId.index)
    .map(({ to, prevLogId, upto }) => [to, prevLogId.index + 1, upto]);
}

/** Moves time on, with nothing due. */
function wait(node: TestEngine, ms: number): void {
  node.now += ms;
  expect(node.engine.nextDeadline()).toBeGreaterThan(node.now);
}

describe("what a client writes", () => {
  test("goes at once to as many as make a quorum, and to the others a moment later, all in one message", () => {
    const node = leading();
    const first = node.write("a");
    expect(entriesSent(first)).toEqual([[2, 2, 2]]);
    expect(node.engine.nextDeadline()).toBe(node.now + DELAY_MS);
    node.persist();
    expect(entriesSent(node.accept(sentTo(first, 2)))).toEqual([]);
    expect(node.state.committed).toEqual(id(1, 2));
    wait(node, 4);
    expect(entriesSent(node.write("b"))).toEqual([[2, 3, 3]]);
    expect(entriesSent(node.pass(6))).toEqual([[3, 2, 3]]);
    expect(node.engine.nextDeadline()).toBeGreaterThan(node.now + DELAY_MS);
  });

  test("takes with it what waits, when its time has come: no timer is needed", () => {
    const node = leading();
    node.write("a");
    node.now += DELAY_MS;
    expect(entriesSent(node.write("b"))).toEqual([
      [2, 3, 3],
      [3, 2, 3],
    ]);
  });

  test("waits for a spare follower from the first entry on that it lacks, not from the last", () => {
    const node = leading();
    node.write("a");
    wait(node, 9);
    node.write("b");
    expect(entriesSent(node.pass(1))).toEqual([[3, 2, 3]]);
    // And anew after that.
    node.write("c");
    expect(node.engine.nextDeadline()).toBe(node.now + DELAY_MS);
  });

  test("does not follow on the answer of a spare follower", () => {
    const node = leading();
    flow(node, node.write("a"));
    const sent = sentTo(node.pass(DELAY_MS), 3);
    node.write("b");
    wait(node, 1);
    expect(entriesSent(node.accept(sent))).toEqual([]);
    expect(entriesSent(node.pass(9))).toEqual([[3, 3, 3]]);
  });

  test("waits no longer once there is as much of it as a message carries, or 32 entries", () => {
    const few = leading({ config: { maxPayloadEntries: 3 } });
    expect(entriesSent(few.write("a", "b"))).toEqual([[2, 2, 3]]);
    expect(entriesSent(few.write("c"))).toEqual([
      [2, 4, 4],
      [3, 2, 4],
    ]);
    const many = leading({ config: { maxPayloadEntries: 4096 } });
    const writes = Array.from({ length: 31 }, (_, i) => `${i}`);
    expect(entriesSent(many.write(...writes))).toEqual([[2, 2, 32]]);
    expect(entriesSent(many.write("last"))).toEqual([
      [2, 33, 33],
      [3, 2, 33],
    ]);
  });

  test("goes to all at once where nothing may wait", () => {
    const node = leading({ config: { thriftyDelayMs: 0 } });
    expect(entriesSent(node.write("a"))).toEqual([
      [2, 2, 2],
      [3, 2, 2],
    ]);
  });

  test("commits with a spare follower as with any other", () => {
    const node = leading();
    node.write("a");
    node.persist();
    node.accept(sentTo(node.pass(DELAY_MS), 3));
    expect(node.state.committed).toEqual(id(1, 2));
  });
});

describe("as many as make a quorum", () => {
  test("are two others of five", () => {
    const node = leading({ membership: voters(1, 2, 3, 4, 5) });
    expect(entriesSent(node.write("a")).map(([to]) => to)).toEqual([2, 3]);
  });

  test("is the only other of two", () => {
    const node = leading({ membership: voters(1, 2) });
    expect(entriesSent(node.write("a")).map(([to]) => to)).toEqual([2]);
  });

  test("is nobody where this node alone votes: learners are spare", () => {
    const node = leading({ membership: memberships([[1]], 3) });
    expect(entriesSent(node.write("a"))).toEqual([]);
    expect(entriesSent(node.pass(DELAY_MS)).map(([to]) => to)).toEqual([2, 3]);
  });

  test("are those of both sets while joint", () => {
    const configs = [
      [1, 2, 3],
      [1, 4, 5],
    ];
    const node = leading({ membership: memberships([[1, 2, 3]], 5) });
    const joint = node.change(7, { type: "replaceVoters", ids: [1, 4, 5] });
    // A change of the membership goes to all.
    expect(entriesSent(joint).map(([to]) => to)).toEqual([2, 3, 4, 5]);
    expect(node.state.memberships.at(-1)?.membership.configs).toEqual(configs);
    expect(entriesSent(node.write("a")).map(([to]) => to)).toEqual([2, 4]);
  });

  test("are of the others alone where the leader is on its way out", () => {
    const node = leading({ membership: voters(1, 2, 3, 4) });
    const out = node.change(7, { type: "removeVoters", ids: [1] });
    node.persist();
    for (const to of [2, 3, 4]) node.accept(sentTo(out, to));
    expect(node.role).toBe("leader");
    // The joint membership is committed, and the one without this node under way: two of the three others.
    expect(entriesSent(node.write("a"))).toHaveLength(2);
  });
});

describe("who is chosen", () => {
  test("is who answered first when the leader began", () => {
    const { node, won } = elect(thrifty());
    const [two, three] = [sentTo(won, 2), sentTo(won, 3)];
    node.persist();
    node.accept(three);
    node.accept(two);
    flow(node, node.pass(50));
    expect(entriesSent(node.write("a")).map(([to]) => to)).toEqual([3]);
  });

  test("nobody is before it keeps up: a leader that has just begun sends to all that it finds", () => {
    const { node, won } = elect(thrifty());
    expect([2, 3].filter((follower) => node.progress(follower).spare)).toEqual([]);
    node.persist();
    node.accept(sentTo(won, 3));
    expect(entriesSent(node.write("a")).map(([to]) => to)).toEqual([3]);
    node.accept(sentTo(won, 2));
    expect(node.progress(3).spare).toBe(false);
    expect(node.progress(2).spare).toBe(true);
  });

  test("may be who comes to keep up by a snapshot", () => {
    const { node, won } = elect(thrifty({ purged: id(1, 5), terms: [1] }));
    flow(node, won, (peer) => peer === 3);
    const probe = sentTo(node.answer(sentTo(won, 2), { type: "conflict", hint: id(1, 2) }), 2);
    const [sent] = only(node.answer(probe, { type: "conflict", hint: id(1, 2) }), "sendSnapshot");
    if (sent === undefined) throw new Error("no snapshot");
    node.progress(3).tripMs = 8;
    flow(node, node.snapshotDone(sent, id(1, 5)));
    expect([2, 3].map((follower) => node.progress(follower).spare)).toEqual([false, true]);
  });

  test("is another at once when it fails, and that one gets what it was not sent", () => {
    const node = leading();
    const sent = sentTo(node.write("a"), 2);
    wait(node, 5);
    node.fail(sent);
    expect(node.engine.nextDeadline()).toBe(node.now);
    expect(entriesSent(node.pass(0))).toEqual([[3, 2, 2]]);
    expect(entriesSent(node.write("b"))).toEqual([[3, 3, 3]]);
    expect(node.engine.nextDeadline()).toBeGreaterThan(node.now);
  });

  test("is another soon when it hangs, and each entry waits no longer than the delay", () => {
    const node = leading();
    node.write("a");
    expect(entriesSent(node.pass(DELAY_MS))).toEqual([[3, 2, 2]]);
    expect(node.progress(2).spare).toBe(true);
    expect(entriesSent(node.write("b"))).toEqual([[3, 3, 3]]);
  });

  test("is another only when that answers in less than half the time", () => {
    const node = leading();
    Object.assign(node.progress(3), { tripMs: 2.1 });
    // 2 takes four milliseconds for its answers, 3 takes so long.
    const trips = (ms: number): void => {
      for (let i = 0; i < 40 && node.progress(3).spare; i++) {
        const write = sentTo(node.write("x"), 2);
        node.persist();
        node.now += 4;
        flow(node, node.accept(write));
        wait(node, 5);
        const rest = sentTo(node.pass(1), 3);
        node.now += ms;
        flow(node, node.accept(rest));
      }
    };
    trips(2.1);
    expect(node.progress(2)).toMatchObject({ tripMs: expect.closeTo(4, 1), spare: false });
    expect(node.progress(3)).toMatchObject({ tripMs: expect.closeTo(2.1, 1), spare: true });
    trips(1.5);
    expect(node.progress(2).spare).toBe(true);
    expect(entriesSent(node.write("y")).map(([to]) => to)).toEqual([3]);
  });

  test("stays chosen after one slow answer", () => {
    const node = leading();
    for (const follower of [2, 3]) Object.assign(node.progress(follower), { tripMs: 1 });
    const sent = sentTo(node.write("a"), 2);
    node.persist();
    node.now += 7;
    flow(node, node.accept(sent));
    expect(node.progress(2).tripMs).toBe(1.75);
    node.pass(3);
    expect(node.progress(2).spare).toBe(false);
  });
});

describe("at once to all goes", () => {
  const all = (commands: readonly Command[]): number[] => entriesSent(commands).map(([to]) => to);

  test("the first entry of a leader", () => {
    expect(all(elect(thrifty()).won)).toEqual([2, 3]);
  });

  test("what waited, when the leadership is handed over", () => {
    const node = leading();
    node.write("a");
    expect(entriesSent(node.transferLeader(7, 3))).toEqual([[3, 2, 2]]);
  });

  test("what the window held back, while the leadership is handed over", () => {
    const node = leading({ config: { maxInFlightAppends: 1 } });
    flow(node, node.write("a"));
    const [first] = only(node.pass(DELAY_MS), "sendAppendEntries");
    if (first === undefined) throw new Error("node 3 was sent nothing");
    node.write("b");
    expect(entriesSent(node.transferLeader(7, 3))).toEqual([]);
    expect(entriesSent(node.accept(first))).toEqual([[3, 3, 3]]);
  });

  test("what waited, when time is made to stand still, and everything while it does", () => {
    const node = leading();
    node.write("a");
    expect(entriesSent(node.configure({ heartbeat: true }))).toEqual([]);
    expect(entriesSent(node.configure({ tick: false }))).toEqual([[3, 2, 2]]);
    const second = node.write("b");
    expect(all(second)).toEqual([2, 3]);
    flow(node, second);
    expect(entriesSent(node.configure({ tick: true }))).toEqual([]);
    expect(all(node.write("c"))).toEqual([2]);
  });

  test("what is to be purged: who lacks it would need the snapshot", () => {
    const node = leading();
    const sent = sentTo(node.write("a", "b"), 2);
    node.persist();
    node.accept(sent);
    node.applied(id(1, 3));
    node.step({ type: "takeSnapshot", requestId: 7 });
    const out = node.step({ type: "snapshotBuilt", lastLogId: id(1, 3) });
    expect(entriesSent(out)).toEqual([[3, 2, 3]]);
    const types = out.map(({ type }) => type);
    expect(types.indexOf("sendAppendEntries")).toBeLessThan(types.indexOf("purge"));
    expect(only(node.pass(DELAY_MS), "sendSnapshot")).toEqual([]);
  });

  test("what waited, when a follower asks for its readers: it has to have applied what it is told", () => {
    const node = leading();
    node.write("a");
    expect(entriesSent(node.read(7))).toEqual([]);
    expect(entriesSent(node.forwardedRead(8))).toEqual([[3, 2, 2]]);
  });
});

describe("a spare follower", () => {
  test("is not told of a commit while entries are on the way that tell it", () => {
    const node = leading();
    const sent = sentTo(node.write("a"), 2);
    node.persist();
    const committed = node.accept(sent);
    expect(only(committed, "sendAppendEntries").map(({ to }) => to)).toEqual([2]);
    expect(sentTo(node.pass(DELAY_MS), 3)).toMatchObject({ upto: 2, leaderCommit: 2 });
  });

  test("is told alone when it lacks nothing else", () => {
    const node = leading();
    const first = sentTo(node.write("a"), 2);
    const second = sentTo(node.pass(DELAY_MS), 3);
    node.accept(second);
    node.persist();
    expect(node.state.committed.index).toBe(2);
    expect(node.progress(3).toldCommit).toBe(2);
    node.accept(first);
    expect(node.progress(2).toldCommit).toBe(2);
  });

  test("that failed waits for no more than its pause", () => {
    const node = leading();
    flow(node, node.write("a"));
    node.fail(sentTo(node.pass(DELAY_MS), 3));
    // Nobody takes its place: there is nothing to hurry for.
    expect(node.engine.nextDeadline()).toBeGreaterThan(node.now);
    expect(node.progress(3)).toMatchObject({ mode: "probe", spare: true });
    node.now += 20;
    expect(entriesSent(node.write("b"))).toEqual([
      [2, 3, 3],
      [3, 2, 3],
    ]);
  });

  test("hears heartbeats as any other", () => {
    const node = leading();
    const beats = only(node.pass(50), "sendAppendEntries");
    expect(beats.map(({ to }) => to)).toEqual([2, 3]);
  });
});
