import type { BytesTypeConfig, LogFields } from "@seshat/common";
import { createMembership, silentLogger } from "@seshat/common";
import type { Condition, Raft } from "@seshat/raft";
import { expect, test } from "vitest";
import { handOver } from "./hand-over.js";

type Metrics = ReturnType<Raft<BytesTypeConfig>["metrics"]>;

/** A leader of term 5, of which a test says what becomes of it. */
function setUp() {
  const transfer = Promise.withResolvers<void>();
  const waits: { readonly condition: Condition; readonly resolve: (metrics: Metrics) => void }[] = [];
  const members = [1, 2, 3].map((id) => [id, { addr: `node${id}:1` }] as const);
  let metrics = {
    state: "leader",
    term: 5,
    membership: { membership: createMembership([[1, 2, 3]], members) },
  } as unknown as Metrics;
  const raft = {
    id: 1,
    isLeader: () => true,
    leaderId: () => 2,
    metrics: () => metrics,
    transferLeader: () => transfer.promise,
    wait: (condition: Condition) =>
      new Promise<Metrics>((resolve) => void waits.push({ condition, resolve })),
  } as unknown as Raft<BytesTypeConfig>;
  const logged: [string, LogFields[string]][] = [];
  const logger = {
    ...silentLogger,
    log: (_: unknown, event: string, { error }: LogFields) => void logged.push([event, error ?? null]),
  };
  return {
    done: handOver(raft, logger),
    transfer,
    logged,
    becomes: (now: Partial<Metrics>) => {
      metrics = { ...metrics, ...now };
      for (const { condition, resolve } of waits) if (condition.holds(metrics)) resolve(metrics);
    },
  };
}

test("a leader that lost its quorum waits for nobody to take over", async () => {
  const { done, becomes, logged } = setUp();
  becomes({ state: "follower" });
  await done;
  expect(logged).toEqual([["node.handOver.failed", "no majority answers any more"]]);
});

test("a leader that follows another of a later term waits until the transfer says whose", async () => {
  const { done, becomes, transfer, logged } = setUp();
  becomes({ state: "follower", term: 6 });
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  expect(logged).toEqual([]);
  transfer.resolve();
  await done;
  expect(logged).toEqual([["node.handedOver", null]]);
});

test("a leader that nobody takes over from in time goes all the same", async () => {
  const { done, transfer, logged } = setUp();
  transfer.reject(new Error("too late"));
  await done;
  expect(logged).toEqual([["node.handOver.failed", "too late"]]);
});
