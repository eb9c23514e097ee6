import { describe, expect, test } from "vitest";
import type { Act } from "../src/faults/act.js";
import type { Plan } from "../src/faults/plan.js";
import type { SimulationOptions } from "../src/simulation.js";
import { simulate } from "../src/simulation.js";
import { jsonCodec } from "../src/storage/codec.js";
import { DamagedFileError } from "../src/storage/damaged-file-error.js";
import { SimNodeStore } from "../src/storage/sim-node-store.js";
import type { SimCommand } from "../src/workload/sim-machine.js";
import type { SimTypes } from "../src/workload/sim-types.js";
import { calmPlan } from "./support/calm-plan.js";

/** What came of these acts, in a cluster that kept every promise meanwhile. */
async function outcome(
  acts: readonly (readonly [at: number, act: Act])[],
  changes: Partial<Plan> = {},
): Promise<(what: string) => number> {
  const { violation, coverage } = await simulate(calmPlan(acts, changes));
  expect(violation).toBeNull();
  return (what) => coverage.get(what) ?? 0;
}

describe("without faults", () => {
  test("nobody crashes, no message is lost, and one leader is elected", async () => {
    const count = await outcome([]);
    // At the end of the run.
    expect(count("disk machineCrash")).toBe(5);
    expect([count("messages lost"), count("messages cut"), count("election: won")]).toStrictEqual([0, 0, 1]);
    expect(count("histories ok")).toBe(1);
  });
});

describe("a crash", () => {
  test("takes the machine with it, or only the process, as it is told to", async () => {
    const crashes = (what: "machine" | "process"): (readonly [number, Act])[] =>
      [500, 800, 1_100, 1_400].flatMap((at) => [
        [at, { type: "crash", target: "leader", what }],
        [at + 200, { type: "restart", target: 0 }],
      ]);
    const machine = await outcome(crashes("machine"));
    const process = await outcome(crashes("process"));
    expect([machine("disk machineCrash"), machine("disk processCrash")]).toStrictEqual([4 + 5, 0]);
    expect([process("disk machineCrash"), process("disk processCrash")]).toStrictEqual([5, 4]);
  });

  test("comes between any two calls to the disk, during recovery too", async () => {
    const acts: (readonly [number, Act])[] = [1, 3, 5, 8, 13].flatMap((operations, i) => {
      const act = { target: "leader", operations, what: "machine" } as const;
      const at = 400 + 300 * i;
      return [
        [at, { type: "crashInDisk", ...act }],
        [at + 100, { type: "crashInRecovery", ...act }],
        [at + 200, { type: "restart", target: 0 }],
        [at + 210, { type: "restart", target: 0 }],
      ];
    });
    const count = await outcome(acts);
    expect(count("crash between two disk operations")).toBeGreaterThan(4);
    expect(count("crash during recovery")).toBeGreaterThan(0);
  });

  test("can be followed by an outage so long that what was missed is purged: the node comes back by a snapshot", async () => {
    const count = await outcome(
      [
        [400, { type: "outage", target: "leader", ms: 2_000 }],
        [500, { type: "restart", target: 0 }],
      ],
      { spares: [], faultyMs: 2_500 },
    );
    // Nobody starts it before.
    expect([count("restart"), count("restart: not possible")]).toStrictEqual([0, 1]);
    expect(count("snapshot: installed")).toBeGreaterThan(0);
  });
});

describe("clocks", () => {
  test("that leap let all timers fire that were due by then, and elections begin without need", async () => {
    const leaps = [600, 1_200].flatMap((at): (readonly [number, Act])[] =>
      [0.1, 0.5, 0.9].map((target) => [at, { type: "jump", target, ms: 5_000 }]),
    );
    const count = await outcome(leaps);
    expect(count("jump")).toBe(6);
    expect(count("role: preCandidate")).toBeGreaterThan(1);
  });
});

describe("links", () => {
  test("that flap come and go as often as they are told to", async () => {
    const flap = {
      type: "flap",
      kind: "isolate",
      target: "leader",
      second: 0,
      everyMs: 100,
      times: 5,
    } as const;
    const count = await outcome([[500, flap]]);
    expect(count("partition isolate")).toBe(5);
    expect(count("messages cut")).toBeGreaterThan(5);
  });

  test("are clogged node by node and released in another order, by the end all of them", async () => {
    const swizzle: Act = {
      type: "swizzle",
      clogged: [0.1, 0.3, 0.2, 0.9, 0.9],
      released: [0.2, 0.1, 0.3, 0, 0],
      gapMs: 100,
    };
    const count = await outcome([[500, swizzle]]);
    expect(count("messages clogged")).toBeGreaterThan(10);
    expect(count("election: won")).toBeGreaterThan(0);
  });
});

describe("a disaster", () => {
  test("leaves one node, which is recovered, and with it everything that was promised", async () => {
    const disasters = [600, 3_600].map((at): readonly [number, Act] => [at, { type: "disaster", target: 0 }]);
    const count = await outcome(disasters, { faultyMs: 6_500 });
    expect([count("disaster"), count("disaster: recovered")]).toStrictEqual([2, 2]);
    expect(count("disaster: voter added")).toBe(4);
    expect(count("histories ok")).toBe(1);
  });
});

describe("two foundings at once", () => {
  test("come to one cluster, whoever is first", async () => {
    const outcomes = await Promise.all(
      [0, 2, 10].flatMap((afterMs) =>
        [3, 4].map((by) => outcome([], { rival: { by, voters: [3, 4], afterMs, latencyMs: 2 } })),
      ),
    );
    const won = (which: string): number =>
      outcomes.reduce((sum, count) => sum + count(`rival founding: the ${which} succeeds`), 0);
    expect(won("first") + won("second")).toBe(6);
    expect(won("first")).toBeGreaterThan(0);
  });
});

describe("disks", () => {
  test("that are full stop a node, which serves again once there is room", async () => {
    const count = await outcome([[500, { type: "fullDisk", target: "leader", roomBytes: 500, ms: 1_000 }]]);
    expect(count("disk diskFull")).toBeGreaterThan(0);
    expect(count("node stopped by a disk error")).toBeGreaterThan(0);
  });

  test.each(["write", "rename", "sync directory"] as const)(
    "that fail a %s stop a node, which starts again with all that it had said",
    async (verb) => {
      const count = await outcome([
        [500, { type: "failDisk", target: "leader", verb }],
        [510, { type: "snapshot", target: "leader" }],
      ]);
      expect(count("node stopped by a disk error")).toBe(1);
    },
  );

  test("that fail a read do so while a node recovers, and it is started again", async () => {
    const count = await outcome([
      [500, { type: "failDisk", target: 0, verb: "read" }],
      [510, { type: "crash", target: 0 }],
      [520, { type: "restart", target: 0 }],
    ]);
    expect(count("disk failedRead")).toBe(1);
    expect(count("node stopped by a disk error")).toBe(1);
  });

  test("that write only a part of what they are given are asked for the rest", async () => {
    const faults = { shortWriteRate: 0.8 };
    const count = await outcome([[100, { type: "badDisk", target: 0, faults, ms: 1_500 }]]);
    expect(count("disk shortWrite")).toBeGreaterThan(50);
    expect(count("node stopped by a disk error")).toBe(0);
  });
});

describe("a damaged store", () => {
  test.each(["log", "snapshot", "vote"] as const)(
    "whose %s went bad refuses to start, and its voter is replaced by a new member",
    async (part) => {
      const count = await outcome([[1_000, { type: "corrupt", target: 0.5, part, ms: 0, what: "machine" }]]);
      expect([count("corrupt"), count("disk corruption"), count("damage: noticed")]).toStrictEqual([1, 1, 1]);
      expect(count("erased voter replaced")).toBe(1);
    },
  );

  test("is never two at once: a majority keeps what is committed", async () => {
    const damage: Act = { type: "corrupt", target: 0.5, part: "vote", ms: 500, what: "machine" };
    const count = await outcome([
      [1_000, damage],
      [1_001, damage],
      [1_002, { type: "erase", target: 0 }],
      [1_003, { type: "remove", target: 0 }],
      [1_004, { type: "move", target: 0 }],
    ]);
    expect([count("corrupt"), count("corrupt: not possible")]).toStrictEqual([1, 1]);
    expect(count("erase: not possible")).toBe(1);
    expect(count("remove: not possible")).toBe(1);
    expect(count("move: not possible")).toBe(1);
  });

  test("does not come to a cluster of two, where no majority would be left", async () => {
    const count = await outcome(
      [
        [1_000, { type: "corrupt", target: 0.5, part: "log", ms: 20, what: "machine" }],
        [1_100, { type: "misdirect", target: 0.5, ms: 20, what: "machine" }],
        [1_200, { type: "erase", target: 0.5 }],
      ],
      { voters: [1, 2] },
    );
    expect(count("disk corruption") + count("disk misdirectedWrite") + count("erase")).toBe(0);
  });

  test("by a write that went astray is noticed, or can do without what was hit", async () => {
    const acts = [600, 1_200, 1_800].map((at, i): readonly [number, Act] => [
      at,
      { type: "misdirect", target: i * 0.4, ms: 50, what: "process" },
    ]);
    const count = await outcome(acts);
    expect(count("misdirect")).toBeGreaterThan(0);
    expect(count("disk misdirectedWrite")).toBe(count("misdirect"));
    expect(count("damage: noticed") + count("damage: did not matter")).toBe(count("misdirect"));
  });
});

describe("a store that refuses to start though nothing damaged it", () => {
  test("is a violation: it would cost a healthy voter", async () => {
    let opened = 0;
    const makeStore: SimulationOptions["makeStore"] = (_, random, clock) => {
      const store = new SimNodeStore<SimTypes>({
        random: random.fork(),
        runtime: clock.runtime(random),
        codec: { command: jsonCodec<SimCommand>() },
      });
      const open = store.open.bind(store);
      return Object.assign(store, {
        open: (...parts: Parameters<typeof open>) => {
          opened += 1;
          if (opened > 3) throw new DamagedFileError("read log", "log-000000000001", 33, "no reason");
          return open(...parts);
        },
      });
    };
    const crash = { type: "crash", target: "leader" } as const;
    const plan = calmPlan([
      [500, crash],
      [600, { type: "restart", target: 0 }],
    ]);
    const { violation } = await simulate({ ...plan, spares: [] }, { makeStore });
    expect(violation?.message).toMatch(
      /^A13 what was durable is read back: node \d cannot read its disk, .*no reason/,
    );
  });
});

describe("members", () => {
  test("that move are not found until the membership is told where they are", async () => {
    const count = await outcome([[1_000, { type: "move", target: "leader" }]]);
    expect([count("move"), count("move: done")]).toStrictEqual([1, 1]);
    expect(count("messages misaddressed")).toBeGreaterThan(0);
  });

  test("that were removed can come back under their id with an empty store", async () => {
    const count = await outcome([
      [600, { type: "addVoter" }],
      [1_000, { type: "remove", target: 0.1 }],
      [1_400, { type: "reuse", target: 0 }],
    ]);
    expect([count("remove: done"), count("reuse: done")]).toStrictEqual([1, 1]);
    // Three founders, two spares, and that one again.
    expect(count("start: empty")).toBe(6);
  });
});

describe("load", () => {
  test("of large values is replicated, snapshotted and read back", async () => {
    const [small, large] = await Promise.all([
      simulate(calmPlan([])),
      simulate(calmPlan([], { largeBytes: 5_000 })),
    ]);
    expect([small.violation, large.violation]).toStrictEqual([null, null]);
    // The same requests in fewer steps or more: the trace tells that the run was another one.
    expect(large.traceHash).not.toBe(small.traceHash);
  });

  test("a log that is compacted to its tip leaves followers that lag to snapshots", async () => {
    const count = await outcome([
      [400, { type: "pause", target: 0.9, ms: 600 }],
      [900, { type: "compact", target: "leader" }],
    ]);
    expect(count("compact: done")).toBe(1);
    expect(count("log: purged")).toBeGreaterThan(0);
  });
});

describe("snapshots that are brought by hand", () => {
  test("are installed where they are news, and dropped where as much is committed already", async () => {
    const bring = (at: number, from: number, target: number, ms = 0): readonly [number, Act] => [
      at,
      { type: "bringSnapshot", from, target, ms },
    ];
    const count = await outcome([
      bring(10, 0, 0.9),
      // Node 3 hears of nothing, while the others go on and take snapshots.
      [400, { type: "partition", kind: "isolate", target: 0.9, second: 0 }],
      [900, { type: "snapshot", target: 0 }],
      bring(1_200, 0, 0.9),
      [1_400, { type: "heal" }],
      bring(1_800, 0, 0.9, 100),
    ]);
    expect(count("bringSnapshot: there is none")).toBe(1);
    expect(count("bringSnapshot: done")).toBe(1);
    expect(count("bringSnapshot: snapshotOutdated")).toBe(1);
    expect(count("snapshot: dropped")).toBe(1);
  });
});

describe("slow links", () => {
  test("to a node delay what it hears, and after a while it is not heard at all", async () => {
    const slow = (muteAfterMs: number | null): readonly [number, Act] => [
      500,
      { type: "slowLinks", target: "leader", slowerMs: 80, muteAfterMs, ms: 1_000 },
    ];
    const heard = await outcome([slow(null)]);
    expect(heard("messages slowed")).toBeGreaterThan(10);
    expect([heard("messages cut"), heard("election: won")]).toStrictEqual([0, 1]);
    const muted = await outcome([slow(200)]);
    expect(muted("messages cut")).toBeGreaterThan(0);
    expect(muted("election: won")).toBeGreaterThan(1);
  });
});
