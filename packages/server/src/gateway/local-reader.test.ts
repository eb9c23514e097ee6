import { NEEDS_TICK } from "@seshat/kv";
import type { RespValue } from "@seshat/resp";
import { beforeEach, describe, expect, it } from "vitest";
import { LeaderClock } from "./leader-clock.js";
import { LocalReader } from "./local-reader.js";
import { NOT_AT_ONCE } from "./op.js";

const GET = [Buffer.from("GET"), Buffer.from("key")];

let isFree: boolean;
let reply: RespValue | typeof NEEDS_TICK;
let work: number;
let order: string[];
let scheduled: number;
let ahead: number[];
let reader: LocalReader;

beforeEach(() => {
  isFree = true;
  reply = Buffer.from("value");
  work = 700;
  order = [];
  ahead = [];
  scheduled = 0;
  const unused = (): never => expect.unreachable();
  reader = new LocalReader({
    raft: { mayReadAtOnce: () => isFree, ensureLinearizable: () => Promise.resolve({ term: 1, index: 1 }) },
    machine: {
      version: unused,
      clockMs: 0,
      lookAhead: (keys) => {
        ahead.push(keys.length);
      },
      get work() {
        return work;
      },
    },
    read: () => {
      const mine = order;
      mine.push("read");
      setImmediate(() => mine.push("turn"));
      return reply;
    },
    clock: new LeaderClock(
      () => 1,
      () => 0,
    ),
    writer: {
      tick: () => {
        order.push("tick");
        reply = Buffer.from("later");
        return Promise.resolve({ type: "done", replies: [] });
      },
    },
    schedule: () => {
      scheduled += 1;
    },
  });
});

describe("a read at once", () => {
  it("is answered by what the state holds", () => {
    expect(reader.readAtOnce(GET)).toEqual(Buffer.from("value"));
    expect(scheduled).toBe(0);
  });

  it("waits its turn where somebody else could lead", () => {
    isFree = false;
    expect(reader.readAtOnce(GET)).toBe(NOT_AT_ONCE);
  });

  it("waits for the log to tell the time where the answer depends on it", () => {
    reply = NEEDS_TICK;
    expect(reader.readAtOnce(GET)).toBe(NOT_AT_ONCE);
  });

  it("waits its turn once others have read a lot in this one", () => {
    work = 1_000_001;
    let answered = 0;
    while (reader.readAtOnce(GET) !== NOT_AT_ONCE) answered += 1;
    expect(answered).toBe(5);
    expect(scheduled).toBe(5);
    reader.flush();
    expect(reader.readAtOnce(GET)).toBe(reply);
  });
});

describe("reads that share a round", () => {
  const serve = (...ops: (typeof GET)[]): ReturnType<LocalReader["submit"]> => {
    const outcome = reader.submit(ops);
    reader.flush();
    return outcome;
  };

  it("leave others their turns where they take long, those of one client too", async () => {
    work = 6_000_000;
    expect(await serve(GET, GET, GET)).toMatchObject({ type: "done", replies: [reply, reply, reply] });
    expect(order).toEqual(["read", "turn", "read", "turn", "read"]);
    order = [];
    work = 1000;
    await serve(GET, GET, GET);
    expect(order).toEqual(["read", "read", "read"]);
  });

  it("are looked up together, 64 at a time, and their keys are let go of", async () => {
    await serve(...Array.from({ length: 65 }, () => GET));
    expect(ahead).toEqual([64, 1, 0]);
    ahead = [];
    await serve(GET);
    expect(ahead).toEqual([]);
    reply = NEEDS_TICK;
    await serve(GET, GET);
    expect(ahead).toEqual([2, 0]);
  });

  it("wait for the log to tell the time, and go on where they were", async () => {
    const first = serve(GET);
    reply = NEEDS_TICK;
    expect(await serve(GET, GET)).toEqual({
      type: "done",
      replies: [Buffer.from("later"), Buffer.from("later")],
    });
    expect(await first).toMatchObject({ type: "done" });
    expect(order.filter((event) => event === "tick")).toEqual(["tick"]);
  });
});
