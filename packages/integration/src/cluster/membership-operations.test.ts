import type { NodeId, TypeConfig } from "@seshat/common";
import {
  ChangeInProgressError,
  InvalidChangeError,
  LearnerLaggingError,
  NotLeaderError,
  ShutdownError,
  StorageStalledError,
  TimeoutError,
  TransferFailedError,
  TransferInProgressError,
  UnknownOutcomeError,
  createMembership,
} from "@seshat/common";
import type { Condition, RaftMetrics } from "@seshat/raft";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { ClusterClient } from "./cluster-client.js";
import type { OperatedNode } from "./membership-operations.js";
import { MembershipOperations } from "./membership-operations.js";

type Config = TypeConfig<string, string>;

const NODE = { addr: "n" };
const ZERO = { term: 0, index: 0 };

/** A leader that answers what the test says, in order; without an answer left, it does what it is asked. */
function setUp({ voters = [1, 2, 3] as readonly NodeId[] } = {}) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const answers: (Error | null)[] = [];
  const answer = (what: string): Promise<never> => {
    asked.push(what);
    const failure = answers.shift() ?? null;
    return failure === null ? (Promise.resolve(undefined) as Promise<never>) : Promise.reject(failure);
  };
  const membership = createMembership(
    [voters],
    voters.map((id) => [id, NODE]),
  );
  const metrics = {
    term: 1,
    committed: { term: 1, index: 5 },
    membership: { logId: ZERO, membership },
    replication: new Map([[4, { matchIndex: 5 }]]),
  } as unknown as RaftMetrics<typeof NODE>;
  const leader = {
    id: 1,
    isLeader: () => true,
    leaderId: () => 1,
    metrics: () => metrics,
    wait: async (condition: Condition, timeoutMs: number) => {
      if (!condition.holds(metrics)) throw new TimeoutError(condition.what, timeoutMs);
      return metrics;
    },
    addLearner: (id: NodeId) => answer(`learner ${id}`),
    changeMembership: (change: object) => answer(JSON.stringify(change)),
    transferLeader: ({ to, timeoutMs }: { to?: NodeId; timeoutMs: number }) =>
      answer(`transfer ${to ?? "any"} within ${timeoutMs}`),
  } as unknown as OperatedNode<Config>;
  const runtime = clock.runtime(new SeededRandom(1));
  const client = new ClusterClient<Config, OperatedNode<Config>>(() => [leader], runtime, {
    timeoutMs: 1000,
    attemptTimeoutMs: 100,
    pauseMs: 20,
  });
  const operations = new MembershipOperations<Config>(client, runtime, 2000);
  const settle = <T>(promise: Promise<T>): Promise<T> => clock.runUntilSettled(promise, 5000);
  const failure = (promise: Promise<unknown>): Promise<Error> =>
    settle(
      promise.then(
        () => Promise.reject(new Error("it succeeded")),
        (error: unknown) => error as Error,
      ),
    );
  return { operations, asked, answers, settle, failure, clock };
}

const NOT_LEADER = new NotLeaderError(null, null);
const LAGGING = new LearnerLaggingError(4, 1, 9000);
const UNKNOWN = new UnknownOutcomeError("the leader stopped");
const ADD = '{"type":"addVoters","ids":[4]}';
const REMOVE =
  '{"type":"batch","changes":[{"type":"removeVoters","ids":[2]},{"type":"removeNodes","ids":[2]}]}';

describe("an addition", () => {
  test("asks for a learner, then for a voter, each again while something is in its way", async () => {
    const { operations, asked, answers, settle } = setUp();
    answers.push(
      new ChangeInProgressError(null),
      new TransferInProgressError(2),
      NOT_LEADER,
      null,
      LAGGING,
      LAGGING,
    );
    await settle(operations.add(4, NODE));
    expect(asked).toEqual([...Array.from({ length: 4 }, () => "learner 4"), ADD, ADD, ADD]);
  });

  test("whose answer got lost is asked for again, and is done when that one is", async () => {
    const { operations, asked, answers, settle } = setUp();
    answers.push(UNKNOWN, null, UNKNOWN, null);
    await settle(operations.add(4, NODE));
    expect(asked).toEqual(["learner 4", "learner 4", ADD, ADD]);
  });

  test("that is refused for good has changed nothing", async () => {
    const { operations, answers, failure } = setUp();
    const error = new InvalidChangeError("it makes no sense");
    answers.push(NOT_LEADER, error);
    expect(await failure(operations.add(4, NODE))).toBe(error);
  });

  test("refused for good after a lost answer is not known, unless that was settled since", async () => {
    const { operations, answers, failure } = setUp();
    const error = new InvalidChangeError("it makes no sense");
    answers.push(UNKNOWN, error);
    expect(await failure(operations.add(4, NODE))).toMatchObject({ code: "nodeNotAdded", left: "unknown" });
    answers.push(UNKNOWN, null, error);
    expect(await failure(operations.add(4, NODE))).toMatchObject({ code: "nodeNotAdded", left: "learner" });
  });

  test("ends when its time is up, and both steps share it", async () => {
    const { operations, answers, failure, clock } = setUp();
    answers.push(...Array.from({ length: 50 }, () => NOT_LEADER), null);
    answers.push(...Array.from({ length: 500 }, () => LAGGING));
    const error = await failure(operations.add(4, NODE));
    expect(error).toMatchObject({ code: "nodeNotAdded", left: "learner", cause: LAGGING });
    expect(clock.now).toBe(2000);
  });
});

describe("a removal", () => {
  test("takes the node from the voters and from the members in one change, again until it is done", async () => {
    const { operations, asked, answers, settle } = setUp();
    answers.push(new ChangeInProgressError(null), new StorageStalledError("append"), LAGGING, UNKNOWN);
    await settle(operations.remove(2));
    expect(asked).toEqual([REMOVE, REMOVE, REMOVE, REMOVE, REMOVE]);
  });

  test("that is refused for good has changed nothing, and after a lost answer is not known", async () => {
    const { operations, answers, failure } = setUp();
    const error = new InvalidChangeError("it makes no sense");
    answers.push(error, UNKNOWN, error);
    expect(await failure(operations.remove(2))).toBe(error);
    expect(await failure(operations.remove(2))).toMatchObject({
      code: "nodeNotRemoved",
      nodeId: 2,
      cause: error,
    });
  });
});

describe("a transfer", () => {
  test("is asked for again after a refusal, and given a second", async () => {
    const { operations, asked, answers, settle } = setUp();
    answers.push(NOT_LEADER, new TransferInProgressError(3), new ShutdownError());
    expect(await settle(operations.transfer(2))).toBe(2);
    expect(asked).toEqual(Array.from({ length: 4 }, () => "transfer 2 within 1000"));
    expect(await settle(operations.transfer())).toBe(1);
    expect(asked.at(-1)).toBe("transfer any within 1000");
  });

  test.each([
    new TransferFailedError(2, "timeout"),
    new InvalidChangeError("no other voter answers"),
    new TimeoutError("it", 1),
    UNKNOWN,
  ])("that failed, or may have worked, is not handed on: %s", async (error) => {
    const { operations, asked, answers, failure } = setUp();
    answers.push(error);
    expect(await failure(operations.transfer())).toBe(error);
    expect(asked).toHaveLength(1);
  });
});
