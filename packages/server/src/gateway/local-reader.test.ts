import { NEEDS_TICK } from "@seshat/kv";
import type { RespValue } from "@seshat/resp";
import { beforeEach, describe, expect, it } from "vitest";
import { LeaderClock } from "./leader-clock.js";
import { LocalReader } from "./local-reader.js";
import { NOT_AT_ONCE } from "./op.js";

const GET = [Buffer.from("GET"), Buffer.from("key")];

let isFree: boolean;
let reply: RespValue | typeof NEEDS_TICK;
let scheduled: number;
let reader: LocalReader;

beforeEach(() => {
  isFree = true;
  reply = Buffer.from("value");
  scheduled = 0;
  const unused = (): never => expect.unreachable();
  reader = new LocalReader({
    raft: { mayReadAtOnce: () => isFree, ensureLinearizable: unused },
    machine: { version: unused, clockMs: 0 },
    read: () => reply,
    clock: new LeaderClock(
      () => 1,
      () => 0,
    ),
    writer: { tick: unused },
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
    reply = new Uint8Array(1024 * 1024);
    let answered = 0;
    while (reader.readAtOnce(GET) !== NOT_AT_ONCE) answered += 1;
    expect(answered).toBe(5);
    expect(scheduled).toBe(5);
    reader.flush();
    expect(reader.readAtOnce(GET)).toBe(reply);
  });
});
