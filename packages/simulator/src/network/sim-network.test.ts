import type { NodeId, TypeConfig } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import { describe, expect, test } from "vitest";
import { Life } from "../world/life.js";
import type { NetworkFaults } from "./network-faults.js";
import { CALM } from "./network-faults.js";
import { SimNetwork } from "./sim-network.js";

type Types = TypeConfig<string, string>;

/** Two nodes that answer every read request with how many they have seen. */
class Bench {
  readonly clock = new VirtualClock();
  readonly told: string[] = [];
  readonly network: SimNetwork<Types>;
  readonly outcomes: string[] = [];
  readonly #random = new SeededRandom(5);
  #calls = 0;

  constructor(faults: Partial<NetworkFaults> = {}) {
    this.network = new SimNetwork(this.clock, new SeededRandom(3), {
      request: (from, to, rpc) => void this.told.push(`${rpc} ${from}>${to}`),
      response: (from, to) => void this.told.push(`answer ${from}>${to}`),
    });
    this.network.links.faults = { ...CALM, ...faults };
  }

  /** @param ready what an answer waits for. */
  start(id: NodeId, seen: unknown[] = [], ready: Promise<void> = Promise.resolve()): Life {
    const life = new Life(this.clock, this.#random.fork(), 1);
    const raft = {
      readIndex: (request: unknown) => {
        seen.push(request);
        return ready.then(() => ({ body: { seen: seen.length } }));
      },
    } as unknown as Raft<Types>;
    this.network.join(id, { raft, life });
    return life;
  }

  /** Calls 2 from 1. */
  call(life: Life, node = { addr: "" }): void {
    this.#calls += 1;
    const name = `call ${this.#calls}`;
    this.network
      .from(1, life)
      .connect(2, node)
      .readIndex({ call: this.#calls } as never)
      .then(
        () => void this.outcomes.push(`${name} answered`),
        (error: unknown) => void this.outcomes.push(`${name} ${(error as Error).name}`),
      );
  }
}

describe("the simulated network", () => {
  test("carries a request there and its answer back, each in its own time", async () => {
    const bench = new Bench({ minLatencyMs: 10, meanLatencyMs: 0 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.call(life);
    await bench.clock.advance(10);
    expect([seen.length, bench.outcomes]).toStrictEqual([1, []]);
    await bench.clock.advance(10);
    expect(bench.outcomes).toStrictEqual(["call 1 answered"]);
    expect(bench.told).toStrictEqual(["readIndex 1>2", "answer 2>1"]);
    expect(bench.network.links.counts).toMatchObject({ sent: 2, delivered: 2 });
  });

  test("loses what it is to lose, and nobody hears of it", async () => {
    const bench = new Bench({ lossRate: 1 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.call(life);
    await bench.clock.advance(1_000);
    expect([seen, bench.outcomes]).toStrictEqual([[], []]);
    expect(bench.network.links.counts).toMatchObject({ sent: 1, lost: 1, delivered: 0 });
  });

  test("brings twice what it is to duplicate", async () => {
    const bench = new Bench({ duplicateRate: 1 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.call(life);
    await bench.clock.advance(1_000);
    expect(seen).toHaveLength(2);
    expect(bench.outcomes).toStrictEqual(["call 1 answered"]);
  });

  test("cuts one way only: the request arrives, and its answer does not", async () => {
    const bench = new Bench();
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.network.links.cut(2, 1);
    bench.call(life);
    await bench.clock.advance(1_000);
    expect([seen.length, bench.outcomes]).toStrictEqual([1, []]);
    bench.network.links.heal();
    bench.call(life);
    await bench.clock.advance(1_000);
    expect(bench.outcomes).toStrictEqual(["call 2 answered"]);
  });

  test("holds back what goes over a clogged link, and then brings all of it in order", async () => {
    const bench = new Bench({ meanLatencyMs: 0 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.network.links.clog(1, 2);
    for (let i = 0; i < 3; i += 1) bench.call(life);
    await bench.clock.advance(1_000);
    expect(seen).toStrictEqual([]);
    bench.network.links.unclog(1, 2);
    expect(seen).toStrictEqual([{ call: 1 }, { call: 2 }, { call: 3 }]);
    expect(bench.network.links.counts.clogged).toBe(3);
  });

  test("takes longer over a slow link, one way only, until that is mended", async () => {
    const bench = new Bench({ minLatencyMs: 10, meanLatencyMs: 0 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.network.links.slow(2, 1, 100);
    bench.call(life);
    await bench.clock.advance(119);
    expect([seen.length, bench.outcomes]).toStrictEqual([1, []]);
    await bench.clock.advance(1);
    expect(bench.outcomes).toStrictEqual(["call 1 answered"]);
    expect(bench.network.links.counts.slowed).toBe(1);
    bench.network.links.heal();
    bench.call(life);
    await bench.clock.advance(20);
    expect(bench.outcomes).toStrictEqual(["call 1 answered", "call 2 answered"]);
  });

  test("mends one link, and leaves the others cut", async () => {
    const bench = new Bench({ meanLatencyMs: 0 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.network.links.cut(1, 2);
    bench.network.links.cut(2, 1);
    bench.network.links.mend(1, 2);
    bench.call(life);
    await bench.clock.advance(1_000);
    expect([seen.length, bench.outcomes]).toStrictEqual([1, []]);
  });

  test("lets later messages overtake one that is held up", async () => {
    const bench = new Bench({ meanLatencyMs: 0, delayRate: 1, delayMs: 500 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    bench.call(life);
    bench.network.links.faults = { ...CALM, meanLatencyMs: 0 };
    bench.call(life);
    await bench.clock.advance(1_000);
    expect(seen).toStrictEqual([{ call: 2 }, { call: 1 }]);
  });

  test("loses what is more than a link holds", async () => {
    const bench = new Bench({ linkCapacity: 2 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2, seen);
    for (let i = 0; i < 5; i += 1) bench.call(life);
    await bench.clock.advance(1_000);
    expect(seen).toHaveLength(2);
    expect(bench.network.links.counts.overflowed).toBe(3);
    // What was on its way has arrived, so there is room again.
    bench.call(life);
    await bench.clock.advance(1_000);
    expect(seen).toHaveLength(3);
  });

  test("brings a message of before a restart to the new life, and counts it as late", async () => {
    const bench = new Bench({ minLatencyMs: 10 });
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.start(2).end();
    bench.call(life);
    bench.start(2, seen);
    await bench.clock.advance(1_000);
    expect(seen).toHaveLength(1);
    expect(bench.network.links.counts.late).toBe(1);
  });

  test("says that nobody is there where no node runs, or where it was before it moved", async () => {
    const bench = new Bench();
    const seen: unknown[] = [];
    const life = bench.start(1);
    bench.call(life);
    await bench.clock.advance(1_000);
    expect(bench.outcomes).toStrictEqual([`call 1 ${UnreachableError.name}`]);
    bench.start(2, seen);
    bench.network.place(2, { addr: "new" });
    bench.call(life, { addr: "old" });
    bench.call(life, { addr: "new" });
    await bench.clock.advance(1_000);
    expect(bench.outcomes.slice(1).sort()).toStrictEqual(["call 2 UnreachableError", "call 3 answered"]);
    expect(bench.network.links.counts.misaddressed).toBe(1);
  });

  test("brings no answer of a node that crashed, and none to one that did", async () => {
    const bench = new Bench({ minLatencyMs: 10, meanLatencyMs: 0 });
    const life = bench.start(1);
    const other = bench.start(2);
    bench.call(life);
    await bench.clock.advance(5);
    other.end();
    await bench.clock.advance(100);
    expect(bench.outcomes).toStrictEqual([]);
    bench.start(2);
    bench.call(life);
    await bench.clock.advance(15);
    life.end();
    await bench.clock.advance(100);
    expect(bench.outcomes).toStrictEqual([]);
  });

  test("brings no answer that a node came to only after it crashed", async () => {
    const bench = new Bench();
    const seen: unknown[] = [];
    let answer = (): void => {};
    const ready = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const life = bench.start(1);
    const other = bench.start(2, seen, ready);
    bench.call(life);
    await bench.clock.advance(100);
    expect(seen).toHaveLength(1);
    other.end();
    answer();
    await bench.clock.advance(100);
    expect([bench.outcomes, bench.told]).toStrictEqual([[], ["readIndex 1>2"]]);
  });

  test("carries nothing over a connection that is closed", async () => {
    const bench = new Bench();
    const life = bench.start(1);
    bench.start(2);
    const connection = bench.network.from(1, life).connect(2, { addr: "" });
    connection.close?.();
    await expect(connection.readIndex({} as never)).rejects.toThrow(UnreachableError);
    expect(bench.network.links.counts.sent).toBe(0);
  });
});
