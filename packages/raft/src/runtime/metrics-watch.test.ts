import type { AsyncRuntime, NodeId, SeshatError } from "@seshat/common";
import { ShutdownError, TimeoutError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { outcomeOf, rejection, settled } from "../../test/support/promises.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { VirtualClock } from "../testing/virtual-clock.js";
import type { RaftMetrics } from "./metrics.js";
import { MetricsWatch } from "./metrics-watch.js";

/** A node of which only the term and the leader are known. */
class Node {
  term = 1;
  leader: NodeId | null = null;
  stopped: SeshatError | null = null;
  readonly watchers = new Set<() => void>();

  metrics(): RaftMetrics<never> {
    return { term: this.term } as RaftMetrics<never>;
  }

  leaderId(): NodeId | null {
    return this.leader;
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  turn(term: number): void {
    this.term = term;
    for (const watcher of this.watchers) watcher();
  }
}

function setUp() {
  const clock = new VirtualClock();
  const virtual = clock.runtime(new SeededRandom(1));
  let timers = 0;
  const runtime: AsyncRuntime = {
    ...virtual,
    setTimer: (delayMs, callback) => {
      const timer = virtual.setTimer(delayMs, callback);
      timers += 1;
      return {
        cancel: () => {
          timers -= 1;
          timer.cancel();
        },
      };
    },
  };
  const node = new Node();
  const failures: Error[] = [];
  const watch = new MetricsWatch<never>(node, runtime, (error) => failures.push(error));
  return { clock, node, watch, failures, timers: () => timers };
}

const term = (least: number) => ({
  what: `term ${least}`,
  holds: (metrics: RaftMetrics<unknown>) => metrics.term >= least,
});

describe("waiting for a condition leaves no watcher, no timer and no listener behind", () => {
  test.each<[string, (world: ReturnType<typeof setUp>, controller: AbortController) => unknown]>([
    ["when it comes true", ({ node }) => node.turn(5)],
    ["when time is over", ({ clock }) => clock.advance(1000)],
    ["when its caller gives up", (_, controller) => controller.abort(new Error("enough"))],
    [
      "when the node stops",
      ({ node }) => {
        node.stopped = new ShutdownError();
        node.turn(1);
      },
    ],
    [
      "when the condition throws",
      ({ node }) => {
        node.metrics = () => {
          throw new Error("broken");
        };
        node.turn(1);
      },
    ],
  ])("%s", async (_, end) => {
    const world = setUp();
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
    const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
    signal.addEventListener = (...args: unknown[]) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners -= 1;
      remove(...args);
    };
    const waited = outcomeOf(world.watch.until(term(5), 1000, signal));
    expect([world.node.watchers.size, world.timers(), listeners]).toEqual([1, 1, 1]);
    await end(world, controller);
    await settled();
    expect(waited.values.length + waited.errors.length).toBe(1);
    expect([world.node.watchers.size, world.timers(), listeners]).toEqual([0, 0, 0]);
  });

  test("not even where there is nothing to wait for", async () => {
    const { node, watch, timers } = setUp();
    await watch.until(term(1), 1000);
    const reason = new Error("no");
    expect(await rejection(watch.until(term(1), 1000, AbortSignal.abort(reason)))).toBe(reason);
    node.stopped = new ShutdownError();
    expect(await rejection(watch.until(term(9), 1000))).toBe(node.stopped);
    // What holds, holds, also of a node that has stopped.
    await watch.until(term(1), 1000);
    expect([node.watchers.size, timers()]).toEqual([0, 0]);
  });

  test("says what it waited for, and for how long", async () => {
    const { clock, watch } = setUp();
    const waited = outcomeOf(watch.until(term(5), 250));
    await clock.advance(249);
    expect(waited.errors).toEqual([]);
    await clock.advance(1);
    expect(waited.errors).toEqual([new TimeoutError("term 5", 250)]);
  });
});

test("that the node stops is told when it does, or has, and leaves no watcher behind", async () => {
  const { node, watch } = setUp();
  let told = 0;
  const stops = watch.whenStopped().then(() => (told += 1));
  node.turn(2);
  await settled();
  expect([told, node.watchers.size]).toEqual([0, 1]);
  node.stopped = new ShutdownError();
  node.turn(3);
  await stops;
  await watch.whenStopped();
  expect(node.watchers.size).toBe(0);
});

describe("the leader", () => {
  test("is told when it is another one; what a listener throws is told elsewhere", () => {
    const { node, watch, failures } = setUp();
    node.leader = 3;
    const seen: unknown[] = [];
    const end = watch.onLeaderChange((id) => {
      seen.push(id);
      if (id === 2) throw new Error("bug");
    });
    node.turn(1);
    for (const leader of [2, 2, null, 1]) {
      node.leader = leader;
      node.turn(1);
    }
    expect(seen).toEqual([2, null, 1]);
    expect(failures).toMatchObject([{ message: "bug" }]);
    end();
    expect(node.watchers.size).toBe(0);
  });
});
