import type { LogId } from "@seshat/common";
import { OverloadedError, SessionError } from "@seshat/common";
import { SessionRefusal } from "@seshat/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blank, logId } from "../../test/support/values.js";
import type { ClientWriteEvent, ReadIndexEvent, WriteExpectation } from "../engine/event.js";
import type { ClientWriteResponse } from "./clients.js";
import { Clients } from "./clients.js";

/** A client that notes everything it is told. */
class Caller<T> {
  readonly answers: (T | Error)[] = [];
  readonly bytes: number;

  constructor(bytes = 0) {
    this.bytes = bytes;
  }
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

function clientsFor(requests: number, bytes = Number.POSITIVE_INFINITY): Clients<string> {
  return new Clients<string>({ requests, bytes });
}

function write(
  clients: Clients<string>,
  name = "x",
  bytes = 0,
  expectation: WriteExpectation | null = null,
): Writer {
  const writer: Writer = new Caller(bytes);
  const admitted = clients.write({ type: "normal", data: name }, writer, expectation);
  expect(admitted).toBe(writer.answers.length === 0);
  return writer;
}

function read(
  clients: Clients<string>,
  policy: "readIndex" | "lease" = "readIndex",
  forwarded = false,
): Caller<LogId> {
  const reader = new Caller<LogId>();
  expect(clients.read(reader, policy, forwarded)).toBe(reader.answers.length === 0);
  return reader;
}

/** The only event of writes that there is, or null. */
function collectWrite(clients: Clients<string>): ClientWriteEvent | null {
  const events = clients.collectWrites();
  expect(events.length).toBeLessThan(2);
  return events[0] ?? null;
}

/** The only event of reads that there is, or null. */
function collectRead(clients: Clients<string>): ReadIndexEvent | null {
  const events = clients.collectReads();
  expect(events.length).toBeLessThan(2);
  return events[0] ?? null;
}

describe("writes", () => {
  test("all of a turn become one event, in order, and each gets its own entry's response", () => {
    const clients = clientsFor(10);
    const writers = ["a", "b", "c"].map((name) => write(clients, name));
    expect(collectWrite(clients)).toEqual({
      type: "clientWrite",
      payloads: ["a", "b", "c"].map((data) => ({ type: "normal", data })),
    });
    expect(clients.acceptWrites(5)).toBe(7);
    writers.forEach((_, i) => clients.applied([blank(2, 5 + i)], [`r${i}`]));
    expect(writers.map(({ answers }) => answers)).toEqual([
      [{ logId: logId(2, 5), response: "r0" }],
      [{ logId: logId(2, 6), response: "r1" }],
      [{ logId: logId(2, 7), response: "r2" }],
    ]);
  });

  test("there is no event when nobody wrote, and what was collected is not collected again", () => {
    const clients = clientsFor(10);
    expect(clients.hasNew).toBe(false);
    expect(collectWrite(clients)).toBeNull();
    write(clients);
    expect(clients.hasNew).toBe(true);
    expect(collectWrite(clients)).not.toBeNull();
    expect(clients.hasNew).toBe(false);
    expect(collectWrite(clients)).toBeNull();
  });

  test("turns are accepted and refused in the order in which they were proposed", () => {
    const clients = clientsFor(10);
    const first = write(clients);
    clients.collectWrites();
    const second = write(clients);
    clients.collectWrites();
    const third = write(clients);
    clients.collectWrites();
    clients.acceptWrites(1);
    clients.refuseWrites(REFUSED);
    clients.acceptWrites(2);
    clients.applied([blank(1, 1)], ["one"]);
    clients.applied([blank(1, 2)], ["two"]);
    expect([first, second, third].map(({ answers }) => answers)).toEqual([
      [{ logId: logId(1, 1), response: "one" }],
      [REFUSED],
      [{ logId: logId(1, 2), response: "two" }],
    ]);
  });

  test("giving up leaves what was accepted before that index", () => {
    const clients = clientsFor(10);
    const [a, b] = [write(clients), write(clients)];
    clients.collectWrites();
    clients.acceptWrites(3);
    clients.abandonWrites(4, UNKNOWN);
    clients.applied([blank(1, 3)], ["applied"]);
    clients.applied([blank(2, 4)], ["of somebody else"]);
    expect(a.answers).toEqual([{ logId: logId(1, 3), response: "applied" }]);
    expect(b.answers).toEqual([UNKNOWN]);
  });

  test("at the end what may be in the log has an unknown outcome, and what certainly is not is refused", () => {
    const clients = clientsFor(10);
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
      const clients = clientsFor(10);
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
    const clients = clientsFor(10);
    const [a, b] = [read(clients), read(clients)];
    const event = collectRead(clients);
    expect(event).toMatchObject({ type: "readIndex" });
    expect(collectRead(clients)).toBeNull();
    clients.confirmReads(event?.requestId as number, logId(1, 4));
    clients.releaseReads(3);
    expect([a.answers, b.answers]).toEqual([[], []]);
    clients.releaseReads(4);
    clients.releaseReads(5);
    expect([a.answers, b.answers]).toEqual([[logId(1, 4)], [logId(1, 4)]]);
  });

  test("the reads of different turns are told apart", () => {
    const clients = clientsFor(10);
    const a = read(clients);
    const first = collectRead(clients)?.requestId as number;
    const b = read(clients);
    const second = collectRead(clients)?.requestId as number;
    clients.refuseReads(second, REFUSED);
    clients.confirmReads(first, logId(1, 1));
    clients.releaseReads(1);
    expect([a.answers, b.answers]).toEqual([[logId(1, 1)], [REFUSED]]);
  });

  test("a read that was answered is not answered again", () => {
    const clients = clientsFor(10);
    const a = read(clients);
    const id = collectRead(clients)?.requestId as number;
    clients.confirmReads(id, logId(1, 1));
    clients.confirmReads(id, logId(1, 1));
    clients.refuseReads(id, REFUSED);
    clients.releaseReads(1);
    expect(a.answers).toEqual([logId(1, 1)]);
  });
});

describe("a write with an expectation of its own", () => {
  test("is an event of its own, in its place among the others", () => {
    const clients = clientsFor(10);
    const expectation = { leaderTerm: 3 };
    write(clients, "a");
    write(clients, "b", 0, expectation);
    write(clients, "c", 0, expectation);
    write(clients, "d");
    write(clients, "e");
    const payloads = (...names: string[]): object[] => names.map((data) => ({ type: "normal", data }));
    expect(clients.collectWrites()).toEqual([
      { type: "clientWrite", payloads: payloads("a") },
      { type: "clientWrite", payloads: payloads("b"), expect: expectation },
      { type: "clientWrite", payloads: payloads("c"), expect: expectation },
      { type: "clientWrite", payloads: payloads("d", "e") },
    ]);
  });

  test("is refused alone", () => {
    const clients = clientsFor(10);
    const [a, b, c] = [write(clients), write(clients, "b", 0, { leaderTerm: 3 }), write(clients)];
    clients.collectWrites();
    clients.acceptWrites(1);
    clients.refuseWrites(REFUSED);
    clients.acceptWrites(2);
    clients.applied([blank(1, 1)], ["one"]);
    clients.applied([blank(1, 2)], ["two"]);
    expect([a, b, c].map(({ answers }) => answers)).toEqual([
      [{ logId: logId(1, 1), response: "one" }],
      [REFUSED],
      [{ logId: logId(1, 2), response: "two" }],
    ]);
  });
});

describe("several writes of one client", () => {
  const three = ["a", "b", "c"].map((data) => ({ type: "normal" as const, data }));
  const callers = (bytes = 0): Writer[] => three.map(() => new Caller(bytes));

  test("are consecutive entries of the turn's event, and each gets its own response", () => {
    const clients = clientsFor(10);
    write(clients, "before");
    const writers = callers();
    expect(clients.writeMany(three, writers, null)).toBe(true);
    write(clients, "after");
    expect(collectWrite(clients)?.payloads).toEqual(
      ["before", "a", "b", "c", "after"].map((data) => ({ type: "normal", data })),
    );
    clients.acceptWrites(5);
    for (let index = 5; index < 10; index++) clients.applied([blank(1, index)], [`r${index}`]);
    expect(writers.map(({ answers }) => answers)).toEqual(
      [6, 7, 8].map((index) => [{ logId: logId(1, index), response: `r${index}` }]),
    );
  });

  test.each<[string, Clients<string>, number]>([
    ["requests", clientsFor(3), 0],
    ["bytes", clientsFor(10, 30), 10],
  ])("are admitted together or not at all, by %s", (what, clients, bytes) => {
    write(clients, "x", 1);
    const writers = callers(bytes);
    expect(clients.writeMany(three, writers, null)).toBe(false);
    for (const { answers } of writers) {
      expect(answers[0]).toBeInstanceOf(OverloadedError);
      expect((answers[0] as Error).message).toContain(`too many ${what} are waiting`);
    }
    expect(collectWrite(clients)?.payloads).toHaveLength(1);
    // They took no place.
    expect(write(clients).answers).toEqual([]);
  });
});

describe("taking back", () => {
  test("removes a write of this turn, and nobody else's; its place is free again", () => {
    const clients = clientsFor(3, 30);
    const [a, b, c] = [write(clients, "a", 10), write(clients, "b", 10), write(clients, "c", 10)];
    expect(clients.withdraw([b])).toBe(true);
    expect(clients.withdraw([b])).toBe(false);
    const d = write(clients, "d", 10);
    expect(write(clients, "e", 10).answers[0]).toBeInstanceOf(OverloadedError);
    expect(collectWrite(clients)?.payloads).toEqual(
      ["a", "c", "d"].map((data) => ({ type: "normal", data })),
    );
    clients.acceptWrites(1);
    for (let index = 1; index <= 3; index++) clients.applied([blank(1, index)], [`r${index}`]);
    expect(
      [a, b, c, d].map(({ answers }) => answers.map((answer) => (answer as { response: string }).response)),
    ).toEqual([["r1"], [], ["r2"], ["r3"]]);
  });

  test("removes all that came together, from the middle of a turn", () => {
    const clients = clientsFor(10, 100);
    write(clients, "a", 1);
    const together: Writer[] = [new Caller(49), new Caller(50)];
    clients.writeMany(
      together.map(() => ({ type: "normal", data: "x" })),
      together,
      null,
    );
    const b = write(clients, "b", 0);
    expect(clients.withdraw(together)).toBe(true);
    expect(collectWrite(clients)?.payloads).toEqual(["a", "b"].map((data) => ({ type: "normal", data })));
    expect(write(clients, "c", 99).answers).toEqual([]);
    clients.acceptWrites(1);
    clients.applied([blank(1, 2)], ["b's own"]);
    expect(b.answers).toEqual([{ logId: logId(1, 2), response: "b's own" }]);
    expect(together.map(({ answers }) => answers)).toEqual([[], []]);
  });

  test("a turn from which all was taken back is no event", () => {
    const clients = clientsFor(10);
    const a = write(clients);
    const b = write(clients, "b", 0, { leaderTerm: 1 });
    expect([clients.withdraw([a]), clients.withdraw([b])]).toEqual([true, true]);
    expect(clients.collectWrites()).toEqual([]);
    const c = write(clients);
    clients.collectWrites();
    clients.refuseWrites(REFUSED);
    expect(c.answers).toEqual([REFUSED]);
    expect([a.answers, b.answers]).toEqual([[], []]);
  });

  test("what is on its way to the log stays", () => {
    const clients = clientsFor(10);
    const a = write(clients);
    clients.collectWrites();
    expect(clients.withdraw([a])).toBe(false);
    clients.decideWrites();
    expect(clients.withdraw([a])).toBe(false);
    clients.acceptWrites(1);
    expect(clients.withdraw([a])).toBe(false);
    clients.applied([blank(1, 1)], ["done"]);
    expect(clients.withdraw([a])).toBe(false);
    expect(a.answers).toHaveLength(1);
  });
});

describe("reads of different kinds", () => {
  test("do not share an event: policies and askers are told apart", () => {
    const clients = clientsFor(10);
    for (const policy of ["readIndex", "lease"] as const)
      for (const forwarded of [false, true]) {
        read(clients, policy, forwarded);
        read(clients, policy, forwarded);
      }
    expect(clients.collectReads()).toMatchObject([
      { policy: "readIndex", forwarded: false },
      { policy: "readIndex", forwarded: true },
      { policy: "lease", forwarded: false },
      { policy: "lease", forwarded: true },
    ]);
  });

  test("a follower that asks is told the index, whether it is applied here or not", () => {
    const clients = clientsFor(1);
    const asked = read(clients, "readIndex", true);
    clients.confirmReads(collectRead(clients)?.requestId as number, logId(1, 9));
    expect(asked.answers).toEqual([logId(1, 9)]);
    clients.releaseReads(9);
    expect(asked.answers).toHaveLength(1);
    expect(read(clients).answers).toEqual([]);
  });

  test("answers of a leader that overtake each other are released by their index", () => {
    const clients = clientsFor(10);
    const readers = [7, 5, 6, 5].map((index) => {
      const reader = read(clients);
      clients.confirmReads(collectRead(clients)?.requestId as number, logId(1, index));
      return reader;
    });
    const released = (): boolean[] => readers.map(({ answers }) => answers.length === 1);
    clients.releaseReads(4);
    expect(released()).toEqual([false, false, false, false]);
    clients.releaseReads(5);
    expect(released()).toEqual([false, true, false, true]);
    clients.releaseReads(7);
    expect(released()).toEqual([true, true, true, true]);
  });
});

describe("what a session does not allow", () => {
  test("is an error that says which session and why, and frees the place", () => {
    const clients = clientsFor(1, 5);
    const session = { sessionId: 4, sequence: 2, answeredBelow: 1 };
    const command = write(clients, "x", 5);
    clients.collectWrites();
    clients.acceptWrites(8);
    const payload = { type: "normal", data: "x", session } as const;
    clients.applied([{ logId: logId(1, 8), payload }], [new SessionRefusal("expired")]);
    expect(command.answers[0]).toBeInstanceOf(SessionError);
    expect(command.answers[0]).toMatchObject({ sessionId: 4, problem: "expired" });

    const opening = write(clients, "x", 5);
    clients.collectWrites();
    clients.acceptWrites(9);
    const open = { type: "openSession", expiresAfter: 1 } as const;
    clients.applied([{ logId: logId(1, 9), payload: open }], [new SessionRefusal("unsupported")]);
    expect(opening.answers[0]).toMatchObject({ sessionId: 9, problem: "unsupported" });
    expect(write(clients).answers).toEqual([]);
  });
});

describe("the limit on bytes", () => {
  test("refuses what does not fit any more, to the byte, and not what counts nothing", () => {
    const clients = clientsFor(10, 100);
    write(clients, "a", 60);
    expect(write(clients, "b", 41).answers[0]).toBeInstanceOf(OverloadedError);
    expect(write(clients, "c", 40).answers).toEqual([]);
    expect(write(clients, "d", 1).answers[0]).toBeInstanceOf(OverloadedError);
    expect(write(clients, "e", 0).answers).toEqual([]);
  });

  test("lets one through alone that is larger by itself", () => {
    const clients = clientsFor(10, 100);
    expect(write(clients, "huge", 500).answers).toEqual([]);
    expect(write(clients, "a", 1).answers[0]).toBeInstanceOf(OverloadedError);
    clients.collectWrites();
    clients.refuseWrites(REFUSED);
    expect(write(clients, "a", 1).answers).toEqual([]);
    expect(write(clients, "huge", 500).answers[0]).toBeInstanceOf(OverloadedError);
  });
});

describe("the limit", () => {
  test("counts writes and reads together; one more is refused at once and takes no place", () => {
    const clients = clientsFor(2);
    write(clients);
    read(clients);
    const late = write(clients, "late");
    expect(late.answers).toHaveLength(1);
    expect(late.answers[0]).toBeInstanceOf(OverloadedError);
    const lateReader = read(clients);
    expect(lateReader.answers[0]).toBeInstanceOf(OverloadedError);
    expect(collectWrite(clients)?.payloads).toHaveLength(1);
  });

  test.each<[string, (clients: Clients<string>) => void]>([
    [
      "applied",
      (clients) => {
        clients.acceptWrites(1);
        clients.applied([blank(1, 1)], ["done"]);
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
    const clients = clientsFor(1);
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
    const clients = clientsFor(1);
    read(clients);
    settle(clients, collectRead(clients)?.requestId as number);
    expect(read(clients).answers).toEqual([]);
    expect(read(clients).answers).toHaveLength(1);
  });
});

describe("every client", () => {
  const operation = fc.oneof(
    fc.record({ type: fc.constant("write" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant("read" as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.constant({ type: "collect" as const }),
    fc.record({ type: fc.constant("many" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant("withdraw" as const), pick: fc.nat() }),
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
          const clients = clientsFor(limit, 10 * limit);
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
                  const writer = write(clients, "x", (i * 7) % 20);
                  everybody.push(writer);
                  if (writer.answers.length === 0) fresh.push(writer);
                }
                break;
              case "many": {
                const writers: Writer[] = Array.from({ length: op.count }, (_, i) => new Caller(i * 5));
                const payloads = writers.map(() => ({ type: "normal" as const, data: "x" }));
                everybody.push(...writers);
                if (clients.writeMany(payloads, writers, null)) fresh.push(...writers);
                break;
              }
              case "withdraw": {
                const writer = fresh[op.pick % fresh.length] ?? proposed[0]?.[0] ?? accepted.get(applied + 1);
                if (writer === undefined) break;
                expect(clients.withdraw([writer])).toBe(fresh.includes(writer));
                if (!fresh.includes(writer)) break;
                fresh = fresh.filter((other) => other !== writer);
                // Nobody answers it any more: whoever took it back does.
                writer.reject(REFUSED);
                break;
              }
              case "read":
                for (let i = 0; i < op.count; i++) {
                  const reader = read(clients);
                  everybody.push(reader);
                  if (reader.answers.length === 0) freshReads.push(reader);
                }
                break;
              case "collect": {
                expect(collectWrite(clients)?.payloads.length ?? 0).toBe(fresh.length);
                if (fresh.length > 0) proposed.push(fresh);
                fresh = [];
                const event = collectRead(clients);
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
                  clients.applied([blank(1, applied)], [`r${applied}`]);
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
          // Every place is free again, and every byte.
          for (let i = 0; i < limit; i++) expect(write(clients, "x", 10).answers).toEqual([]);
          expect(write(clients).answers).toHaveLength(1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
