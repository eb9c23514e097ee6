import { KeyValueStateMachine, OpenRaftMemStorage } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import { RaftNode } from "../src/raft-node.js";
import { systemRuntime } from "../src/runtime/clock.js";
import { nodesFor, setCommand } from "./support/values.js";

/** A node on the real clock. Storage is in memory, so that nothing but the runtime ever gives up its turn. */
async function start(): Promise<{ node: RaftNode; yields: () => number }> {
  let yields = 0;
  const runtime = {
    ...systemRuntime,
    yield: (callback: () => void) => {
      yields += 1;
      systemRuntime.yield(callback);
    },
  };
  const node = await RaftNode.start({
    id: 1,
    storage: new OpenRaftMemStorage(new KeyValueStateMachine()),
    config: { snapshotPolicy: { type: "never" } },
    runtime,
  });
  await node.initialize(nodesFor(1));
  await node.waitForLeader();
  return { node, yields: () => yields };
}

describe("a client loop that never stops writing", () => {
  test("lets the rest of the process have its turn, again and again", async () => {
    const { node } = await start();
    let turns = 0;
    let done = false;
    const next = (): void => {
      turns += 1;
      if (!done) setImmediate(next);
    };
    setImmediate(next);
    let writes = 0;
    while (turns < 10 && writes < 1_000_000) {
      await node.propose(setCommand("a", "1"));
      writes += 1;
    }
    expect(turns).toBe(10);
    done = true;
    await node.shutdown();
  });

  test("lets a timer fire", async () => {
    const { node } = await start();
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 0);
    let writes = 0;
    while (!fired && writes < 1_000_000) {
      await node.propose(setCommand("a", "1"));
      writes += 1;
    }
    expect(fired).toBe(true);
    await node.shutdown();
  });

  test("and a lone write does not wait for such a turn", async () => {
    const { node, yields } = await start();
    const before = yields();
    await node.propose(setCommand("a", "1"));
    expect(yields() - before).toBeLessThanOrEqual(1);
    await node.shutdown();
  });
});
