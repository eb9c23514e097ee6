import { describe, expect, test } from "vitest";
import { GrpcNode, found, leaderOf, write } from "./grpc-cluster.js";

describe("three nodes over gRPC", () => {
  test("elect a leader, replicate, read by a follower, and hand the leadership over", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await start(stack, [1, 2, 3]);
    await found(nodes);
    const leader = await leaderOf(nodes);
    const index = await write(nodes, "colour", "blue");
    for (const node of nodes) {
      await node.applied(index);
      expect(node.get("colour")).toBe("blue");
    }
    const follower = nodes.find((node) => node !== leader) as GrpcNode;
    await follower.node.ensureLinearizable();
    await leader.node.transferLeader({ to: follower.id });
    expect(follower.node.isLeader()).toBe(true);
  });

  test("go on when every connection is cut, again and again", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await start(stack, [1, 2, 3]);
    await found(nodes);
    let index = 0;
    for (let round = 0; round < 5; round++) {
      index = await write(nodes, "round", `${round}`);
      for (const { proxy } of nodes) proxy.cut();
    }
    index = await write(nodes, "round", "last");
    for (const node of nodes) {
      await node.applied(index);
      expect(node.get("round")).toBe("last");
    }
  });

  test("notice links that are half-open, and go on over new ones", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await start(stack, [1, 2, 3], { grpc: { keepaliveTimeMs: 200, keepaliveTimeoutMs: 300 } });
    await found(nodes);
    await write(nodes, "when", "before");
    // What is connected stays so, and carries nothing any more. Nobody is told.
    for (const { proxy } of nodes) {
      proxy.hold();
      proxy.mend();
    }
    const index = await write(nodes, "when", "after");
    for (const node of nodes) {
      await node.applied(index);
      expect(node.get("when")).toBe("after");
    }
  });

  test("bring a follower that was away far too long up to date by a snapshot of several parts", async () => {
    await using stack = new AsyncDisposableStack();
    const raft = { maxInSnapshotLogToKeep: 0, maxLogToKeepForFollowers: 0, snapshotChunkBytes: 64 * 1024 };
    const nodes = await start(stack, [1, 2], { raft });
    await found(nodes);
    for (let i = 0; i < 40; i++) await write(nodes, `key-${i}`, new Uint8Array(16 * 1024).fill(i));
    const leader = await leaderOf(nodes);
    await leader.node.triggerSnapshot();
    const [late] = await start(stack, [3], { raft });
    if (late === undefined) throw new Error("no node was started");
    await leader.node.addLearner(late.id, { addr: late.address }, { blocking: true });
    expect(late.node.metrics().snapshot.index).toBeGreaterThanOrEqual(41);
    expect(late.kv.get(new TextEncoder().encode("key-39"))).toEqual(new Uint8Array(16 * 1024).fill(39));
  });

  test("reach a member that has moved at its new address, and no longer at the old one", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await start(stack, [1, 2, 3]);
    await found(nodes);
    const leader = await leaderOf(nodes);
    const moved = nodes.find((node) => node !== leader) as GrpcNode;
    const addr = moved.listener.address;
    await leader.node.changeMembership({ type: "setNodes", nodes: [[moved.id, { addr }]] });
    // From here on nobody gets through to it by the old way.
    moved.proxy.refuse(true);
    moved.proxy.cut();
    const index = await write(nodes, "where", "elsewhere");
    await moved.applied(index);
    expect(moved.get("where")).toBe("elsewhere");
  });
});

async function start(
  stack: AsyncDisposableStack,
  ids: readonly number[],
  options: Parameters<typeof GrpcNode.start>[1] = {},
): Promise<GrpcNode[]> {
  const nodes: GrpcNode[] = [];
  for (const id of ids) nodes.push(stack.use(await GrpcNode.start(id, options)));
  return nodes;
}
