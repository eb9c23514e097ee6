import { NotLeaderError, UnknownOutcomeError } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Owner } from "./lane.js";
import { Lane } from "./lane.js";
import type { Outcome } from "./outcome.js";

interface Sent {
  readonly ops: readonly string[];
  answer(outcome: Outcome): Promise<void>;
}

let now: number;
let isReady: boolean;
let gathers: boolean;
let sent: Sent[];
let delivered: string[];
/** How often a lane asked for its pump. */
let scheduled: number;

const refused: Outcome = { type: "refused", error: new NotLeaderError(null, null) };
const unknown: Outcome = { type: "unknown", error: new UnknownOutcomeError("gone") };
const done = (...replies: string[]): Outcome => ({
  type: "done",
  replies: replies.map((text) => Buffer.from(text)),
});

class Client implements Owner {
  readonly name: string;
  resumed = 0;

  constructor(name: string) {
    this.name = name;
  }

  deliver(reply: RespValue): void {
    delivered.push(`${this.name} ${Buffer.from(reply as Uint8Array).toString()}`);
  }

  resume(): void {
    this.resumed += 1;
  }
}

function lane(
  options: {
    repeatable?: boolean;
    waitingBytes?: number;
    inFlight?: number;
    enoughOps?: number;
    returnPauseMs?: number;
    gatherMs?: number;
    groupOps?: number;
  } = {},
): Lane<string> {
  return new Lane<string>({
    ready: () => isReady,
    send: (ops) =>
      new Promise((resolve) => {
        sent.push({
          ops,
          answer: async (outcome) => {
            resolve(outcome);
            await Promise.resolve();
          },
        });
      }),
    repeatable: options.repeatable ?? false,
    limits: {
      groupOps: options.groupOps ?? 2,
      groupBytes: 100,
      inFlight: options.inFlight ?? 3,
      enoughOps: options.enoughOps ?? 0,
      returnPauseMs: options.returnPauseMs ?? 0.1,
      gatherMs: options.gatherMs ?? 1000,
      waitingBytes: options.waitingBytes ?? 1000,
      timeoutMs: 1000,
    },
    failure: ({ type }) => Buffer.from(type),
    gathers: () => gathers,
    schedule: () => {
      scheduled += 1;
    },
    delivered: () => {},
    now: () => now,
  });
}

afterEach(() => {
  vi.useRealTimers();
});

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  isReady = true;
  gathers = true;
  sent = [];
  delivered = [];
  scheduled = 0;
});

/** Adds operations, each a group of its own, and sends them. */
function send(to: Lane<string>, owner: Owner, ...ops: readonly string[]): void {
  for (const op of ops) to.add(op, 100, owner);
  to.pump();
}

describe("a lane", () => {
  it("puts what comes in one turn into as few groups as it fits in", () => {
    const one = lane();
    const client = new Client("a");
    for (const op of ["1", "2", "3"]) one.add(op, 1, client);
    one.add("large", 1000, client);
    one.pump();
    expect(sent.map(({ ops }) => ops)).toEqual([["1", "2"], ["3"], ["large"]]);
  });

  it("keeps a small group until those under way were answered; one that is large enough goes at the end of its turn", async () => {
    const one = lane({ enoughOps: 3, groupOps: 8 });
    const client = new Client("a");
    one.add("1", 1, client);
    one.pump();
    one.add("2", 1, client);
    one.pump();
    one.add("3", 1, client);
    expect(sent).toHaveLength(1);
    scheduled = 0;
    one.add("4", 1, client);
    expect(scheduled).toBe(1);
    one.pump();
    expect(sent.map(({ ops }) => ops)).toEqual([["1"], ["2", "3", "4"]]);
    one.add("5", 1, client);
    one.pump();
    await sent[0]?.answer(done("a"));
    expect(sent).toHaveLength(2);
    await sent[1]?.answer(done("b", "c", "d"));
    expect(sent[2]?.ops).toEqual(["5"]);
  });

  it("keeps a small group back for so long and no longer, however long those under way take", () => {
    const one = lane({ enoughOps: 8, groupOps: 8, gatherMs: 2 });
    const client = new Client("a");
    for (const op of ["1", "2", "3", "4"]) one.add(op, 1, client);
    one.pump();
    one.add("5", 1, client);
    one.pump();
    now = 1.9;
    vi.advanceTimersByTime(1);
    one.pump();
    expect(sent).toHaveLength(1);
    now = 2;
    vi.advanceTimersByTime(1);
    expect(sent.map(({ ops }) => ops)).toEqual([["1", "2", "3", "4"], ["5"]]);
    one.close(new Error("closed"));
  });

  it.each([
    ["as many operations as one takes", { groupOps: 2 }, [1, 1]],
    ["as many bytes as one takes", {}, [50, 50]],
    ["one that is larger than that", {}, [1000]],
  ])("keeps no group back in which are %s, though nobody is behind it", (_, limits, [first, second]) => {
    const one = lane({ enoughOps: 8, groupOps: 8, ...limits });
    const client = new Client("a");
    one.add("1", 1, client);
    one.pump();
    scheduled = 0;
    one.add("2", first as number, client);
    one.pump();
    if (second !== undefined) {
      expect(sent).toHaveLength(1);
      expect(scheduled).toBe(1);
      one.add("3", second, client);
      expect(scheduled).toBe(2);
      one.pump();
    }
    expect(sent).toHaveLength(2);
    one.close(new Error("closed"));
  });

  it("keeps no group back that is full, and none once nothing is under way", async () => {
    const one = lane({ enoughOps: 8, groupOps: 3, inFlight: 8 });
    const client = new Client("a");
    for (let op = 1; op <= 10; op++) one.add(String(op), 2, client);
    one.pump();
    // Of the four, the last can still grow, until one comes that does not fit into it.
    expect(sent).toHaveLength(3);
    one.add("11", 99, client);
    one.pump();
    expect(sent).toHaveLength(4);
    expect(sent[3]?.ops).toEqual(["10"]);
    for (const each of sent.slice(0, 4)) await each.answer(done("x", "y", "z"));
    expect(sent[4]?.ops).toEqual(["11"]);
  });

  describe("of which everything was answered", () => {
    const [a, b] = [new Client("a"), new Client("b")];
    const groups = (): string[] => sent.map(({ ops }) => ops.join(" "));

    /** Two clients were answered together. */
    async function answered(options: Parameters<typeof lane>[0] = {}): Promise<Lane<string>> {
      const one = lane({ enoughOps: 8, groupOps: 8, ...options });
      one.add("1", 1, a);
      one.add("2", 1, b);
      one.pump();
      scheduled = 0;
      await sent[0]?.answer(done("x", "y"));
      expect(groups()).toEqual(["1 2"]);
      return one;
    }

    /** Two clients are under way together, and another operation waits behind them. */
    function behind(one: Lane<string>): void {
      one.add("1", 1, a);
      one.add("2", 1, b);
      one.pump();
      one.add("3", 1, b);
      one.pump();
    }

    /** One client was answered while another waited. */
    async function answeredBeside(): Promise<Lane<string>> {
      const one = lane({ enoughOps: 8, groupOps: 8 });
      one.add("1", 1, a);
      one.pump();
      one.add("2", 1, b);
      one.pump();
      await sent[0]?.answer(done("x"));
      expect(groups()).toEqual(["1"]);
      return one;
    }

    it("waits two turns for the first who asks again, and then until none has come for a while", async () => {
      const one = await answered();
      one.pump();
      one.pump();
      one.add("3", 1, a);
      one.pump();
      now = 0.1;
      one.pump();
      one.add("4", 1, b);
      one.pump();
      now = 0.2;
      one.pump();
      expect(groups()).toEqual(["1 2"]);
      // At the end of each turn the next was asked for; one more for the first who came.
      expect(scheduled).toBe(8);
      now = 0.21;
      one.pump();
      expect(groups()).toEqual(["1 2", "3 4"]);
      expect(scheduled).toBe(8);
    });

    it("without a pause waits until a turn brings nobody", async () => {
      const one = await answered({ returnPauseMs: 0 });
      for (const op of ["3", "4", "5"]) {
        now += 0.01;
        one.add(op, 1, a);
        one.pump();
      }
      expect(groups()).toEqual(["1 2"]);
      now += 0.01;
      one.pump();
      expect(groups()).toEqual(["1 2", "3 4 5"]);
    });

    it("takes what has waited along", async () => {
      const one = await answeredBeside();
      one.pump();
      one.add("3", 1, a);
      one.pump();
      now = 0.11;
      one.pump();
      expect(groups()).toEqual(["1", "2 3"]);
    });

    it("goes on once nobody came, and sends who comes later at the end of the turn", async () => {
      const one = await answered();
      for (let turn = 1; turn <= 3; turn++) one.pump();
      expect(scheduled).toBe(3);
      one.add("3", 1, a);
      one.pump();
      expect(groups()).toEqual(["1 2", "3"]);
    });

    it.each([
      ["there are enough", (one: Lane<string>) => ["3", "4", "5"].forEach((op) => one.add(op, 1, a))],
      [
        "more come than fit into a group",
        (one: Lane<string>) => ["3", "4"].forEach((op) => one.add(op, 60, a)),
      ],
      [
        "they were answered too long ago",
        (one: Lane<string>) => {
          one.add("3", 1, a);
          now = 2;
        },
      ],
      [
        "it does not lead any more",
        (one: Lane<string>) => {
          one.add("3", 1, a);
          gathers = false;
        },
      ],
    ])("waits for nobody when %s", async (_, happens) => {
      const one = await answered({ enoughOps: 3, gatherMs: 2 });
      happens(one);
      one.pump();
      expect(sent.length).toBeGreaterThan(1);
      one.close(new Error("closed"));
    });

    it("sends at once when enough waits, or more than fits into a group", async () => {
      for (const bytes of [1, 60]) {
        sent = [];
        const one = lane({ enoughOps: 2, groupOps: 8 });
        one.add("1", 1, a);
        one.pump();
        one.add("2", bytes, b);
        one.pump();
        one.add("3", bytes, b);
        expect(groups()).toEqual(["1"]);
        await sent[0]?.answer(done("x"));
        expect(groups().slice(1).join(" ")).toMatch(/^2/);
        one.close(new Error("closed"));
      }
    });

    it("does not begin to wait while another is under way", async () => {
      const one = lane({ enoughOps: 3, groupOps: 8, inFlight: 3 });
      for (const [op, client] of [
        ["1", a],
        ["2", b],
        ["3", a],
      ] as const)
        one.add(op, 1, client);
      one.pump();
      for (const op of ["4", "5", "6"]) one.add(op, 1, a);
      one.pump();
      expect(groups()).toEqual(["1 2 3", "4 5 6"]);
      scheduled = 0;
      await sent[0]?.answer(done("x", "y", "z"));
      expect(scheduled).toBe(0);
      // What comes now waits until the rest was answered, or is enough.
      for (const op of ["7", "8", "9"]) one.add(op, 1, b);
      one.pump();
      expect(groups()).toEqual(["1 2 3", "4 5 6", "7 8 9"]);
      one.close(new Error("closed"));
    });

    it("does not wait when it was not done", async () => {
      behind(lane({ enoughOps: 8, groupOps: 8 }));
      await sent[0]?.answer(unknown);
      expect(groups()).toEqual(["1 2", "3"]);
    });

    it("does not take what has waited for somebody who came", async () => {
      const one = await answeredBeside();
      for (let turn = 1; turn <= 3; turn++) one.pump();
      expect(groups()).toEqual(["1", "2"]);
    });

    it("does not wait where it does not lead", async () => {
      gathers = false;
      behind(lane({ enoughOps: 8, groupOps: 8, inFlight: 1 }));
      await sent[0]?.answer(done("x", "y"));
      expect(groups()).toEqual(["1 2", "3"]);
    });

    it("waits as long after an answer that took long", async () => {
      const one = lane({ enoughOps: 8, groupOps: 8, gatherMs: 2 });
      one.add("1", 1, a);
      one.add("2", 1, b);
      one.pump();
      now = 3;
      await sent[0]?.answer(done("x", "y"));
      one.add("3", 1, a);
      one.pump();
      now = 3.1;
      one.pump();
      expect(groups()).toEqual(["1 2"]);
      now = 5;
      one.pump();
      expect(groups()).toEqual(["1 2", "3"]);
    });

    it("counts the turns anew each time", async () => {
      const one = await answered();
      for (let turn = 1; turn <= 3; turn++) one.pump();
      one.add("3", 1, a);
      one.add("4", 1, b);
      one.pump();
      await sent[1]?.answer(done("x", "y"));
      one.pump();
      one.pump();
      one.add("5", 1, a);
      one.pump();
      expect(groups()).toEqual(["1 2", "3 4"]);
      one.close(new Error("closed"));
    });

    it("ends when nobody can be asked, and what came is sent once somebody can", async () => {
      const one = await answered();
      isReady = false;
      one.add("3", 1, a);
      one.pump();
      now = 0.11;
      for (let turn = 1; turn <= 3; turn++) one.pump();
      const asked = scheduled;
      one.pump();
      expect(scheduled).toBe(asked);
      isReady = true;
      one.leaderChanged();
      expect(groups()).toEqual(["1 2", "3"]);
    });

    it("keeps a client waiting for nobody that is alone, whatever its pipeline", async () => {
      const one = lane({ enoughOps: 8, groupOps: 8 });
      one.add("1", 1, a);
      one.add("2", 1, a);
      one.pump();
      one.add("3", 1, a);
      one.pump();
      await sent[0]?.answer(done("x", "y"));
      expect(groups()).toEqual(["1 2", "3"]);
    });

    it("is closed like any other", async () => {
      const one = await answered();
      one.add("3", 1, a);
      one.close(new Error("closed"));
      expect(delivered.at(-1)).toBe("a refused");
      const asked = scheduled;
      one.pump();
      expect(groups()).toEqual(["1 2"]);
      expect(scheduled).toBe(asked);
    });
  });

  it("sends so many groups at once, and gathers the rest in the next", async () => {
    const one = lane({ inFlight: 1 });
    const client = new Client("a");
    send(one, client, "1");
    one.add("2", 1, client);
    one.pump();
    one.add("3", 1, client);
    one.pump();
    expect(sent).toHaveLength(1);
    await sent[0]?.answer(done("x"));
    expect(sent[1]?.ops).toEqual(["2", "3"]);
  });

  it("gathers what comes soon after others have left, until those are answered or its time is up; a full group waits for nobody", async () => {
    const one = lane({ enoughOps: 100, gatherMs: 2 });
    const client = new Client("a");
    const add = (...ops: readonly string[]): void => {
      for (const op of ops) one.add(op, 1, client);
      one.pump();
    };
    const groups = (): string[] => sent.map(({ ops }) => ops.join(" "));
    add("1");
    now = 1;
    add("2");
    expect(groups()).toEqual(["1"]);
    await sent[0]?.answer(done("x"));
    expect(groups()).toEqual(["1", "2"]);
    add("3");
    now = 3;
    vi.advanceTimersByTime(2);
    expect(groups()).toEqual(["1", "2", "3"]);
    add("4");
    add("5", "6");
    expect(groups()).toEqual(["1", "2", "3", "4 5"]);
    one.close(new Error("closed"));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gathers only where that is worth while", () => {
    gathers = false;
    const one = lane({ enoughOps: 100, gatherMs: 2 });
    for (const op of ["1", "2"]) {
      one.add(op, 1, new Client("a"));
      one.pump();
    }
    expect(sent).toHaveLength(2);
  });

  it("delivers in the order of the asking, whatever is answered first", async () => {
    const one = lane();
    const [a, b] = [new Client("a"), new Client("b")];
    send(one, a, "1");
    send(one, b, "2");
    await sent[1]?.answer(done("second"));
    expect(delivered).toEqual([]);
    await sent[0]?.answer(done("first"));
    expect(delivered).toEqual(["a first", "b second"]);
  });

  it("sends what was refused again, all of it and in its order, once somebody leads", async () => {
    const one = lane();
    const client = new Client("a");
    send(one, client, "1", "2");
    await sent[0]?.answer(refused);
    // What became of the second is not known yet.
    send(one, client, "3");
    expect(sent).toHaveLength(2);
    await sent[1]?.answer(refused);
    one.leaderChanged();
    expect(sent.slice(2).map(({ ops }) => ops)).toEqual([["1"], ["2"], ["3"]]);
    for (const group of sent.slice(2)) await group.answer(done(group.ops[0] ?? ""));
    expect(delivered).toEqual(["a 1", "a 2", "a 3"]);
  });

  it("does not send a write again when one behind it was made, or may have been", async () => {
    for (const outcome of [done("made"), unknown]) {
      delivered = [];
      sent = [];
      const one = lane();
      const client = new Client("a");
      send(one, client, "1", "2");
      await sent[0]?.answer(refused);
      await sent[1]?.answer(outcome);
      expect(delivered).toEqual(["a refused", outcome.type === "done" ? "a made" : "a unknown"]);
      one.leaderChanged();
      expect(sent).toHaveLength(2);
    }
  });

  it("never sends a write again whose outcome is unknown, but a read", async () => {
    const writes = lane();
    send(writes, new Client("w"), "1");
    await sent[0]?.answer(unknown);
    writes.leaderChanged();
    expect([sent.length, delivered]).toEqual([1, ["w unknown"]]);

    sent = [];
    delivered = [];
    const reads = lane({ repeatable: true });
    send(reads, new Client("r"), "1", "2");
    await sent[0]?.answer(unknown);
    await sent[1]?.answer(done("newer"));
    reads.leaderChanged();
    // The second is read again too: it must not see more than what is read after it.
    expect(sent.slice(2).map(({ ops }) => ops)).toEqual([["1"], ["2"]]);
    expect(delivered).toEqual([]);
  });

  it("answers what was not sent in time as not made, and what was as unknown; an answer that comes later is for nobody", async () => {
    const one = lane();
    send(one, new Client("a"), "1");
    isReady = false;
    send(one, new Client("b"), "2");
    now = 2000;
    vi.advanceTimersByTime(1000);
    expect(delivered).toEqual(["a unknown", "b refused"]);
    await sent[0]?.answer(done("late"));
    expect(delivered).toHaveLength(2);
  });

  it("gives who comes late a time of their own, whatever waits before them", async () => {
    isReady = false;
    const one = lane({ groupOps: 8 });
    one.add("1", 1, new Client("a"));
    one.pump();
    now = 50;
    one.add("2", 1, new Client("b"));
    now = 900;
    one.add("3", 1, new Client("c"));
    // As it is asked to, once there is a group that nobody has looked at.
    one.pump();
    now = 1000;
    vi.advanceTimersByTime(1000);
    expect(delivered).toEqual(["a refused", "b refused"]);
    now = 1899;
    isReady = true;
    one.leaderChanged();
    expect(sent.map(({ ops }) => ops)).toEqual([["3"]]);
    await sent[0]?.answer(done("made"));
    expect(delivered.at(-1)).toBe("c made");
  });

  it("lets nobody in while too much waits, and says when there is room", async () => {
    const one = lane({ waitingBytes: 150 });
    const client = new Client("a");
    expect(one.admits(client)).toBe(true);
    send(one, client, "1", "2");
    expect(one.admits(client)).toBe(false);
    await sent[0]?.answer(done("x"));
    expect(client.resumed).toBe(1);
    expect(one.admits(client)).toBe(true);
  });

  it("answers everything when it is closed", () => {
    const one = lane({ inFlight: 1 });
    send(one, new Client("a"), "1", "2");
    one.close(new Error("closed"));
    expect(delivered).toEqual(["a unknown", "a refused"]);
    send(one, new Client("b"), "3");
    expect(delivered.at(-1)).toBe("b refused");
  });
});
