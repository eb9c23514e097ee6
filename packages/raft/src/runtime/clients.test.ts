import type { LogId } from "@seshat/common";
import { OverloadedError } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logId } from "../../test/support/values.js";
import type { ClientWriteResponse } from "./clients.js";
import { Clients } from "./clients.js";

/** A client that notes everything it is told. */
class Caller<T> {
  readonly answers: (T | Error)[] = [];

  resolve(value: T): void {
    this.answers.push(value);
  }
  reject(error: Error): void {
    this.answers.push(error);
  }
}

type Writer = Caller<ClientWriteResponse<string>>;

const REFUSED = new Error("refused");
const UNKNOWN = new Error("unknown");

function write(clients: Clients<string>, name = "x"): Writer {
  const writer: Writer = new Caller();
  clients.write({ type: "normal", data: name }, writer);
  return writer;
}

function read(clients: Clients<string>): Caller<LogId> {
  const reader = new Caller<LogId>();
  clients.read(reader);
  return reader;
}

describe("writes", () => {
  test("all of a turn become one event, in order, and each gets its own entry's response", () => {
    const clients = new Clients<string>(10);
    const writers = ["a", "b", "c"].map((name) => write(clients, name));
    expect(clients.collectWrites()).toEqual({
      type: "clientWrite",
      payloads: ["a", "b", "c"].map((data) => ({ type: "normal", data })),
    });
    expect(clients.acceptWrites(5)).toBe(7);
    writers.forEach((_, i) => clients.applied(logId(2, 5 + i), `r${i}`));
    expect(writers.map(({ answers }) => answers)).toEqual([
      [{ logId: logId(2, 5), response: "r0" }],
      [{ logId: logId(2, 6), response: "r1" }],
      [{ logId: logId(2, 7), response: "r2" }],
    ]);
  });

  test("there is no event when nobody wrote, and what was collected is not collected again", () => {
    const clients = new Clients<string>(10);
    expect(clients.hasNew).toBe(false);
    expect(clients.collectWrites()).toBeNull();
    write(clients);
    expect(clients.hasNew).toBe(true);
    expect(clients.collectWrites()).not.toBeNull();
    expect(clients.hasNew).toBe(false);
    expect(clients.collectWrites()).toBeNull();
  });

  test("turns are accepted and refused in the order in which they were proposed", () => {
    const clients = new Clients<string>(10);
    const first = write(clients);
    clients.collectWrites();
    const second = write(clients);
    clients.collectWrites();
    const third = write(clients);
    clients.collectWrites();
    clients.acceptWrites(1);
    clients.refuseWrites(REFUSED);
    clients.acceptWrites(2);
    clients.applied(logId(1, 1), "one");
    clients.applied(logId(1, 2), "two");
    expect([first, second, third].map(({ answers }) => answers)).toEqual([
      [{ logId: logId(1, 1), response: "one" }],
      [REFUSED],
      [{ logId: logId(1, 2), response: "two" }],
    ]);
  });

  test("giving up leaves what was accepted before that index", () => {
    const clients = new Clients<string>(10);
    const [a, b] = [write(clients), write(clients)];
    clients.collectWrites();
    clients.acceptWrites(3);
    clients.abandonWrites(4, UNKNOWN);
    clients.applied(logId(1, 3), "applied");
    clients.applied(logId(2, 4), "of somebody else");
    expect(a.answers).toEqual([{ logId: logId(1, 3), response: "applied" }]);
    expect(b.answers).toEqual([UNKNOWN]);
  });

  test("at the end what may be in the log has an unknown outcome, and what certainly is not is refused", () => {
    const clients = new Clients<string>(10);
    const accepted = write(clients);
    clients.collectWrites();
    clients.acceptWrites(1);
    const deciding = write(clients);
    clients.collectWrites();
    const proposed = write(clients);
    clients.collectWrites();
    const fresh = write(clients);
    clients.decideWrites();
    clients.settleAll(REFUSED, UNKNOWN);
    expect([accepted, deciding, proposed, fresh].map(({ answers }) => answers)).toEqual([
      [UNKNOWN],
      [UNKNOWN],
      [REFUSED],
      [REFUSED],
    ]);
  });

  test("what was decided before is not held against what is only proposed", () => {
    for (const decide of [
      (clients: Clients<string>) => clients.acceptWrites(1),
      (clients: Clients<string>) => clients.refuseWrites(REFUSED),
    ]) {
      const clients = new Clients<string>(10);
      write(clients);
      clients.collectWrites();
      clients.decideWrites();
      decide(clients);
      const proposed = write(clients);
      clients.collectWrites();
      clients.settleAll(REFUSED, UNKNOWN);
      expect(proposed.answers).toEqual([REFUSED]);
    }
  });
});

describe("reads", () => {
  test("all of a turn share one event and are released together when the state machine is there", () => {
    const clients = new Clients<string>(10);
    const [a, b] = [read(clients), read(clients)];
    const event = clients.collectReads();
    expect(event).toMatchObject({ type: "readIndex" });
    expect(clients.collectReads()).toBeNull();
    clients.confirmReads(event?.requestId as number, logId(1, 4));
    clients.releaseReads(3);
    expect([a.answers, b.answers]).toEqual([[], []]);
    clients.releaseReads(4);
    clients.releaseReads(5);
    expect([a.answers, b.answers]).toEqual([[logId(1, 4)], [logId(1, 4)]]);
  });

  test("the reads of different turns are told apart", () => {
    const clients = new Clients<string>(10);
    const a = read(clients);
    const first = clients.collectReads()?.requestId as number;
    const b = read(clients);
    const second = clients.collectReads()?.requestId as number;
    clients.refuseReads(second, REFUSED);
    clients.confirmReads(first, logId(1, 1));
    clients.releaseReads(1);
    expect([a.answers, b.answers]).toEqual([[logId(1, 1)], [REFUSED]]);
  });

  test("a read that was answered is not answered again", () => {
    const clients = new Clients<string>(10);
    const a = read(clients);
    const id = clients.collectReads()?.requestId as number;
    clients.confirmReads(id, logId(1, 1));
    clients.confirmReads(id, logId(1, 1));
    clients.refuseReads(id, REFUSED);
    clients.releaseReads(1);
    expect(a.answers).toEqual([logId(1, 1)]);
  });
});

describe("the limit", () => {
  test("counts writes and reads together; one more is refused at once and takes no place", () => {
    const clients = new Clients<string>(2);
    write(clients);
    read(clients);
    const late: Writer = new Caller();
    expect(clients.write({ type: "normal", data: "late" }, late)).toBe(false);
    expect(late.answers).toHaveLength(1);
    expect(late.answers[0]).toBeInstanceOf(OverloadedError);
    const lateReader = new Caller<LogId>();
    expect(clients.read(lateReader)).toBe(false);
    expect(lateReader.answers[0]).toBeInstanceOf(OverloadedError);
    expect(clients.collectWrites()?.payloads).toHaveLength(1);
  });

  test.each<[string, (clients: Clients<string>) => void]>([
    [
      "applied",
      (clients) => {
        clients.acceptWrites(1);
        clients.applied(logId(1, 1), "done");
      },
    ],
    ["refused", (clients) => clients.refuseWrites(REFUSED)],
    [
      "given up",
      (clients) => {
        clients.acceptWrites(1);
        clients.abandonWrites(1, UNKNOWN);
      },
    ],
  ])("a place is free again when its write is %s", (_, settle) => {
    const clients = new Clients<string>(1);
    write(clients);
    clients.collectWrites();
    settle(clients);
    expect(write(clients).answers).toEqual([]);
    expect(write(clients).answers).toHaveLength(1);
  });

  test.each<[string, (clients: Clients<string>, id: number) => void]>([
    [
      "released",
      (clients, id) => {
        clients.confirmReads(id, logId(1, 1));
        clients.releaseReads(1);
      },
    ],
    ["refused", (clients, id) => clients.refuseReads(id, REFUSED)],
  ])("a place is free again when its read is %s", (_, settle) => {
    const clients = new Clients<string>(1);
    read(clients);
    settle(clients, clients.collectReads()?.requestId as number);
    expect(read(clients).answers).toEqual([]);
    expect(read(clients).answers).toHaveLength(1);
  });
});

describe("every client", () => {
  const operation = fc.oneof(
    fc.record({ type: fc.constant("write" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant("read" as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.constant({ type: "collect" as const }),
    fc.record({ type: fc.constant("decide" as const), refuse: fc.boolean() }),
    fc.record({ type: fc.constant("apply" as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ type: fc.constant("abandon" as const), back: fc.nat(4) }),
    fc.record({ type: fc.constant("decideRead" as const), pick: fc.nat(), refuse: fc.boolean() }),
  );

  test("is settled exactly once, in every order of events, and never before its time (property)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.array(operation, { maxLength: 60 }),
        (limit, operations) => {
          const clients = new Clients<string>(limit);
          const everybody: Caller<unknown>[] = [];
          const proposed: Writer[][] = [];
          const accepted = new Map<number, Writer>();
          let fresh: Writer[] = [];
          const reads = new Map<number, Caller<LogId>[]>();
          let freshReads: Caller<LogId>[] = [];
          let last = 0;
          let applied = 0;
          for (const op of operations) {
            switch (op.type) {
              case "write":
                for (let i = 0; i < op.count; i++) {
                  const writer = write(clients);
                  everybody.push(writer);
                  if (writer.answers.length === 0) fresh.push(writer);
                }
                break;
              case "read":
                for (let i = 0; i < op.count; i++) {
                  const reader = read(clients);
                  everybody.push(reader);
                  if (reader.answers.length === 0) freshReads.push(reader);
                }
                break;
              case "collect": {
                expect(clients.collectWrites()?.payloads.length ?? 0).toBe(fresh.length);
                if (fresh.length > 0) proposed.push(fresh);
                fresh = [];
                const event = clients.collectReads();
                if (event !== null) reads.set(event.requestId, freshReads);
                freshReads = [];
                break;
              }
              case "decide": {
                const batch = proposed.shift();
                if (batch === undefined) break;
                clients.decideWrites();
                if (op.refuse) {
                  clients.refuseWrites(REFUSED);
                  for (const { answers } of batch) expect(answers).toEqual([REFUSED]);
                } else {
                  expect(clients.acceptWrites(last + 1)).toBe(last + batch.length);
                  batch.forEach((writer, i) => accepted.set(last + 1 + i, writer));
                  last += batch.length;
                }
                break;
              }
              case "apply":
                for (let i = 0; i < op.count && applied < last; i++) {
                  applied += 1;
                  const writer = accepted.get(applied);
                  expect(writer?.answers ?? []).toEqual([]);
                  clients.applied(logId(1, applied), `r${applied}`);
                  if (writer !== undefined)
                    expect(writer.answers).toEqual([{ logId: logId(1, applied), response: `r${applied}` }]);
                  accepted.delete(applied);
                }
                clients.releaseReads(applied);
                break;
              case "abandon": {
                const since = Math.max(applied + 1, last - op.back);
                clients.abandonWrites(since, UNKNOWN);
                for (const [index, writer] of accepted) {
                  if (index < since) continue;
                  expect(writer.answers).toEqual([UNKNOWN]);
                  accepted.delete(index);
                }
                break;
              }
              case "decideRead": {
                const ids = [...reads.keys()];
                const id = ids[op.pick % ids.length];
                if (id === undefined) break;
                const readers = reads.get(id) as Caller<LogId>[];
                reads.delete(id);
                if (op.refuse) {
                  clients.refuseReads(id, REFUSED);
                  for (const { answers } of readers) expect(answers).toEqual([REFUSED]);
                } else {
                  clients.confirmReads(id, logId(1, last));
                  clients.releaseReads(applied);
                  for (const { answers } of readers)
                    expect(answers).toEqual(applied >= last ? [logId(1, last)] : []);
                }
                break;
              }
            }
            expect(everybody.every(({ answers }) => answers.length <= 1)).toBe(true);
          }
          clients.settleAll(REFUSED, UNKNOWN);
          expect(everybody.map(({ answers }) => answers.length)).toEqual(everybody.map(() => 1));
          // Every place is free again.
          for (let i = 0; i < limit; i++) expect(write(clients).answers).toEqual([]);
          expect(write(clients).answers).toHaveLength(1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
