import type { SessionCommand } from "@seshat/common";
import { crc32 } from "@seshat/common/binary";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TEXT_CODEC, allBytes } from "../../test/helpers.js";
import { MAX_SESSIONS, MAX_UNANSWERED } from "./session.js";
import { SessionRefusal } from "./session-refusal.js";
import { SessionTable } from "./session-table.js";

function table(): SessionTable<string> {
  return SessionTable.empty(TEXT_CODEC);
}

function command(sessionId: number, sequence: number, answeredBelow = 1): SessionCommand {
  return { sessionId, sequence, answeredBelow };
}

/** Carries out a command that answers `response`; a refusal is given as its problem in brackets. */
function carryOut(
  sessions: SessionTable<string>,
  index: number,
  what: SessionCommand,
  response = "done",
): string {
  const outcome = sessions.carryOut(index, what, () => response);
  return outcome instanceof SessionRefusal ? `(${outcome.problem})` : outcome;
}

function captured(sessions: SessionTable<string>, index: number): Promise<Uint8Array> {
  return allBytes(sessions.capture(index).chunks());
}

describe("a command of a session (Raft thesis section 6.3)", () => {
  test("that is sent again takes effect once, and gets the first answer", () => {
    const sessions = table();
    sessions.open(1, 100);
    let applied = 0;
    const apply = (): string => `answer ${(applied += 1)}`;
    expect(sessions.carryOut(2, command(1, 1), apply)).toBe("answer 1");
    expect(sessions.carryOut(3, command(1, 1), apply)).toBe("answer 1");
    expect(sessions.carryOut(4, command(1, 2), apply)).toBe("answer 2");
    expect(sessions.carryOut(5, command(1, 1), apply)).toBe("answer 1");
    expect(applied).toBe(2);
  });

  test("takes effect in whatever order the commands come", () => {
    const sessions = table();
    sessions.open(1, 100);
    for (const [at, sequence] of [3, 1, 7, 2].entries()) {
      expect(carryOut(sessions, at + 2, command(1, sequence), `first ${sequence}`)).toBe(`first ${sequence}`);
    }
    for (const [at, sequence] of [1, 2, 3, 7].entries()) {
      expect(carryOut(sessions, at + 6, command(1, sequence), "second")).toBe(`first ${sequence}`);
    }
  });

  test("is told apart from one of the same number in another session", () => {
    const sessions = table();
    sessions.open(1, 100);
    sessions.open(2, 100);
    expect(carryOut(sessions, 3, command(1, 1), "one")).toBe("one");
    expect(carryOut(sessions, 4, command(2, 1), "two")).toBe("two");
  });

  test("below answeredBelow is refused, whether it was carried out or not, and that is never taken back", () => {
    const sessions = table();
    sessions.open(1, 100);
    carryOut(sessions, 2, command(1, 1));
    carryOut(sessions, 3, command(1, 3), "third");
    expect(carryOut(sessions, 4, command(1, 4, 3))).toBe("done");
    expect(carryOut(sessions, 5, command(1, 1))).toBe("(alreadyAnswered)");
    expect(carryOut(sessions, 6, command(1, 2))).toBe("(alreadyAnswered)");
    expect(carryOut(sessions, 7, command(1, 3), "again")).toBe("third");
    // A command that was long under way says less than what is known.
    expect(carryOut(sessions, 8, command(1, 5, 2))).toBe("done");
    expect(carryOut(sessions, 9, command(1, 2))).toBe("(alreadyAnswered)");
  });

  test("that is itself said to be answered is refused", () => {
    const sessions = table();
    sessions.open(1, 100);
    expect(carryOut(sessions, 2, command(1, 4, 5))).toBe("(alreadyAnswered)");
    expect(carryOut(sessions, 3, command(1, 4))).toBe("(alreadyAnswered)");
    expect(carryOut(sessions, 4, command(1, 5))).toBe("done");
  });

  test("is answered again when all before it are forgotten at one go, whatever was never used among them", () => {
    const sessions = table();
    sessions.open(1, 100);
    for (const [at, sequence] of [2, 9, 10, 11].entries()) {
      carryOut(sessions, at + 2, command(1, sequence), `first ${sequence}`);
    }
    expect(carryOut(sessions, 6, command(1, 10, 10), "again")).toBe("first 10");
    expect(carryOut(sessions, 7, command(1, 10), "again")).toBe("first 10");
    expect(carryOut(sessions, 8, command(1, 11), "again")).toBe("first 11");
    expect(carryOut(sessions, 9, command(1, 9))).toBe("(alreadyAnswered)");
  });

  test("may skip numbers at will, up to the last there is, at no cost", () => {
    const sessions = table();
    sessions.open(1, 100);
    carryOut(sessions, 2, command(1, 1));
    const last = Number.MAX_SAFE_INTEGER;
    expect(carryOut(sessions, 3, command(1, last, last), "last")).toBe("last");
    expect(carryOut(sessions, 4, command(1, last), "again")).toBe("last");
    expect(carryOut(sessions, 5, command(1, last - 1))).toBe("(alreadyAnswered)");
  });

  test.each([
    ["session", { sessionId: 1.5 }],
    ["session", { sessionId: "1" as unknown as number }],
    ["sequence number", { sequence: 0 }],
    ["sequence number", { sequence: -1 }],
    ["sequence number", { sequence: Number.NaN }],
    ["sequence number", { sequence: 2 ** 53 }],
    ["answered number", { answeredBelow: 0 }],
    ["answered number", { answeredBelow: 0.5 }],
    ["answered number", { answeredBelow: undefined as unknown as number }],
  ])("with an impossible %s (%j) is refused and leaves no trace", async (_, fields) => {
    const sessions = table();
    sessions.open(1, 100);
    const before = await captured(sessions, 1);
    expect(carryOut(sessions, 2, { ...command(1, 1), ...fields })).toBe("(malformed)");
    expect(await captured(sessions, 2)).toEqual(before);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "9" as unknown as number])(
    "does not find the session that was to expire after %j entries: it was not opened",
    (expiresAfter) => {
      const sessions = table();
      expect(sessions.open(1, expiresAfter)).toEqual(new SessionRefusal("malformed"));
      expect(sessions.size).toBe(0);
      expect(carryOut(sessions, 2, command(1, 1))).toBe("(expired)");
    },
  );

  test.each(["apply", "encode"])("whose %s throws leaves the table as it was", async (where) => {
    let broken = false;
    const fail = (): never => {
      throw new RangeError("no such page");
    };
    const sessions = SessionTable.empty<string>({
      ...TEXT_CODEC,
      encode: (response) => (broken && where === "encode" ? fail() : TEXT_CODEC.encode(response)),
    });
    sessions.open(1, 100);
    sessions.open(2, 100);
    carryOut(sessions, 3, command(1, 1));
    const before = await captured(sessions, 3);
    broken = true;
    const apply = (): string => (where === "apply" ? fail() : "x");
    expect(() => sessions.carryOut(4, command(1, 2, 2), apply)).toThrow("no such page");
    expect(await captured(sessions, 3)).toEqual(before);
    broken = false;
    expect(carryOut(sessions, 4, command(1, 1), "again")).toBe("done");
  });

  test("shares its answer with nobody: what is done to one does not show in the next", () => {
    const same = { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Uint8Array) => bytes };
    const sessions = SessionTable.empty<Uint8Array>(same);
    sessions.open(1, 100);
    for (let index = 2; index < 5; index++) {
      const answer = sessions.carryOut(index, command(1, 1), () => Uint8Array.of(1, 2)) as Uint8Array;
      expect(answer).toEqual(Uint8Array.of(1, 2));
      answer.fill(9);
    }
  });
});

describe("a session expires", () => {
  test("by index: once as many entries as it asked for were applied since it was last used", () => {
    const sessions = table();
    sessions.open(10, 5);
    expect(carryOut(sessions, 15, command(10, 1))).toBe("done");
    expect(carryOut(sessions, 20, command(10, 2))).toBe("done");
    expect(carryOut(sessions, 26, command(10, 3))).toBe("(expired)");
    expect(carryOut(sessions, 27, command(10, 1))).toBe("(expired)");
  });

  test("after one entry, if that is what it asked for", () => {
    const sessions = table();
    sessions.open(1, 1);
    expect(carryOut(sessions, 2, command(1, 1))).toBe("done");
    expect(carryOut(sessions, 4, command(1, 2))).toBe("(expired)");
  });

  test("later for every use, of a command that is repeated or refused too", () => {
    const sessions = table();
    sessions.open(1, 2);
    expect(carryOut(sessions, 3, command(1, 1, 1))).toBe("done");
    expect(carryOut(sessions, 5, command(1, 1, 1))).toBe("done");
    expect(carryOut(sessions, 7, command(1, 2, 3))).toBe("(alreadyAnswered)");
    expect(carryOut(sessions, 9, command(1, 3, 3))).toBe("done");
  });

  test("never when it was never opened", () => {
    expect(carryOut(table(), 1, command(7, 1))).toBe("(expired)");
  });
});

describe("bounds", () => {
  test("an answer too many is refused without effect; those there are stay, and an answered one makes room", () => {
    const sessions = table();
    sessions.open(1, 10_000);
    let index = 2;
    for (let sequence = 1; sequence <= MAX_UNANSWERED; sequence++) {
      expect(carryOut(sessions, index++, command(1, sequence), `${sequence}`)).toBe(`${sequence}`);
    }
    const more = MAX_UNANSWERED + 1;
    expect(carryOut(sessions, index++, command(1, more), "too early")).toBe("(tooManyUnanswered)");
    expect(carryOut(sessions, index++, command(1, MAX_UNANSWERED))).toBe(`${MAX_UNANSWERED}`);
    expect(carryOut(sessions, index++, command(1, 1))).toBe("1");
    // The very command that makes room takes it.
    expect(carryOut(sessions, index++, command(1, more, 2), "in time")).toBe("in time");
    expect(carryOut(sessions, index++, command(1, more + 1, 2))).toBe("(tooManyUnanswered)");
    expect(carryOut(sessions, index++, command(1, more), "again")).toBe("in time");
    // A refused command too can make room for the next.
    expect(carryOut(sessions, index++, command(1, 1, 3))).toBe("(alreadyAnswered)");
    expect(carryOut(sessions, index++, command(1, more + 1), "room")).toBe("room");
  });

  test("sessions that nobody uses do not pile up", () => {
    const sessions = table();
    for (let index = 1; index <= 5000; index++) sessions.open(index, 10);
    expect(sessions.size).toBeLessThanOrEqual(64);
  });

  test("where there are too many sessions, the one that was not used for longest ends", () => {
    const sessions = table();
    for (let index = 1; index <= MAX_SESSIONS; index++) sessions.open(index, 1_000_000);
    expect(sessions.size).toBe(MAX_SESSIONS);
    let index = MAX_SESSIONS;
    expect(carryOut(sessions, ++index, command(1, 1))).toBe("done");
    sessions.open(++index, 1_000_000);
    sessions.open(++index, 1_000_000);
    expect(sessions.size).toBe(MAX_SESSIONS);
    expect(carryOut(sessions, ++index, command(2, 1))).toBe("(expired)");
    expect(carryOut(sessions, ++index, command(3, 1))).toBe("(expired)");
    expect(carryOut(sessions, ++index, command(4, 1))).toBe("done");
    expect(carryOut(sessions, ++index, command(1, 1), "again")).toBe("done");
  });

  test("none ends for one that has expired, also when that one was used later", () => {
    const sessions = table();
    for (let index = 1; index < MAX_SESSIONS; index++) sessions.open(index, 1_000_000);
    sessions.open(MAX_SESSIONS, 1);
    sessions.open(MAX_SESSIONS + 1, 1_000_000);
    expect(carryOut(sessions, MAX_SESSIONS + 2, command(1, 1))).toBe("done");
  });

  test("one ends for one that the next entry could still use", () => {
    const sessions = table();
    for (let index = 1; index < MAX_SESSIONS; index++) sessions.open(index, 1_000_000);
    sessions.open(MAX_SESSIONS, 2);
    sessions.open(MAX_SESSIONS + 1, 1_000_000);
    expect(carryOut(sessions, MAX_SESSIONS + 2, command(MAX_SESSIONS, 1))).toBe("done");
    expect(carryOut(sessions, MAX_SESSIONS + 3, command(1, 1))).toBe("(expired)");
  });
});

describe("a capture", () => {
  test("writes these very bytes: they stand in snapshots and travel between versions", async () => {
    const sessions = table();
    sessions.open(1, 300);
    sessions.open(2, 3);
    carryOut(sessions, 3, command(1, 4, 2), "four");
    carryOut(sessions, 4, command(1, 2, 2), "");
    const capture = sessions.capture(4);
    const bytes = await allBytes(capture.chunks());
    const u64 = (value: number): number[] => [0, 0, 0, 0, 0, 0, value >> 8, value & 0xff];
    const body = [1, 0, 0, 0, 2];
    body.push(...u64(2), ...u64(3), ...u64(2), ...u64(1), 0, 0, 0, 0);
    body.push(...u64(1), ...u64(300), ...u64(4), ...u64(2), 0, 0, 0, 2);
    body.push(...u64(2), 0, 0, 0, 0);
    body.push(...u64(4), 0, 0, 0, 4, 102, 111, 117, 114);
    expect([...bytes.subarray(0, -4)]).toEqual(body);
    expect(new DataView(bytes.buffer).getUint32(body.length)).toBe(crc32(Uint8Array.from(body)));
    expect(capture.size).toBe(bytes.length);
  });

  test("holds what the next entry can use, and nothing that has expired", async () => {
    const sessions = table();
    sessions.open(1, 4);
    const alive = await captured(sessions, 4);
    expect(carryOut(SessionTable.decode(TEXT_CODEC, 4, alive), 5, command(1, 1))).toBe("done");
    expect(await captured(sessions, 5)).toEqual(await captured(table(), 5));
  });

  test("keeps its moment, whatever is carried out before it is written and while it is", async () => {
    const build = (): SessionTable<string> => {
      const sessions = table();
      sessions.open(1, 1000);
      sessions.open(2, 1000);
      for (let sequence = 1; sequence <= 300; sequence++) {
        carryOut(sessions, 2 + sequence, command(1, sequence), `${sequence}`.repeat(300));
      }
      return sessions;
    };
    const before = await captured(build(), 302);
    const sessions = build();
    const capture = sessions.capture(302);
    carryOut(sessions, 303, command(1, 300, 250));
    const chunks = capture.chunks()[Symbol.iterator]();
    const written = [chunks.next().value as Uint8Array];
    carryOut(sessions, 304, command(1, 301, 290), "late");
    carryOut(sessions, 305, command(2, 1));
    sessions.open(306, 9);
    for (let next = chunks.next(); next.done !== true; next = chunks.next()) written.push(next.value);
    expect(Buffer.concat(written).equals(before)).toBe(true);
    expect(capture.size).toBe(before.length);
    // And the table went on: what was forgotten is gone, what was kept is there.
    expect(carryOut(sessions, 307, command(1, 249))).toBe("(alreadyAnswered)");
    expect(carryOut(sessions, 308, command(1, 301), "again")).toBe("late");
  });

  test("comes in chunks of about 64 KiB, so that a node that writes it can do other things", () => {
    const sessions = table();
    sessions.open(1, 100_000);
    for (let sequence = 1; sequence <= 1000; sequence++) {
      carryOut(sessions, sequence + 1, command(1, sequence), "x".repeat(1000));
    }
    for (let id = 2000; id < 12_000; id++) sessions.open(id, 100_000);
    const chunks = [...sessions.capture(12_000).chunks()];
    const lengths = chunks.map((chunk) => chunk.length);
    expect(lengths.length).toBeGreaterThan(20);
    expect(Math.max(...lengths)).toBeLessThan(65_536 + 2000);
    const copy = SessionTable.decode(TEXT_CODEC, 12_000, Buffer.concat(chunks));
    expect(copy.size).toBe(10_001);
    expect(carryOut(copy, 12_001, command(1, 1000), "again")).toBe("x".repeat(1000));
  });
});

/** What a client of any kind does at one index. */
type Step =
  | { readonly type: "open"; readonly expiresAfter: number }
  | { readonly type: "command"; readonly pick: number; readonly sequence: number; readonly below: number }
  | { readonly type: "other"; readonly entries: number }
  | { readonly type: "restore" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("open" as const),
        expiresAfter: fc.integer({ min: 1, max: 60 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("command" as const),
        pick: fc.nat(8),
        sequence: fc.integer({ min: 1, max: 5 }),
        below: fc.integer({ min: 1, max: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("other" as const), entries: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.constant({ type: "restore" as const }) },
  ),
  { minLength: 100, maxLength: 300, size: "max" },
);

/** Says the same in the plainest way: nothing is ever thrown away. */
class Model {
  readonly sessions: { id: number; expiresAfter: number; lastUsed: number; below: number }[] = [];
  readonly answers = new Map<string, string>();

  carryOut(index: number, { sessionId, sequence, answeredBelow }: SessionCommand): string {
    const session = this.sessions.find(({ id }) => id === sessionId);
    if (session === undefined || index > session.lastUsed + session.expiresAfter) return "(expired)";
    session.lastUsed = index;
    session.below = Math.max(session.below, answeredBelow);
    if (sequence < session.below) return "(alreadyAnswered)";
    const key = `${sessionId}/${sequence}`;
    const answer = this.answers.get(key) ?? `applied at ${index}`;
    this.answers.set(key, answer);
    return answer;
  }
}

test("a table answers as the plainest model does, however often it sweeps or is restored from its bytes", async () => {
  let swept = 0;
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const model = new Model();
      const whole = table();
      let restored = table();
      let index = 0;
      for (const step of run) {
        index += 1;
        if (step.type === "open") {
          model.sessions.push({ id: index, expiresAfter: step.expiresAfter, lastUsed: index, below: 1 });
          for (const sessions of [whole, restored]) {
            const before = sessions.size;
            expect(sessions.open(index, step.expiresAfter)).toBeUndefined();
            if (sessions.size <= before) swept += 1;
          }
        } else if (step.type === "command") {
          const sessionId = model.sessions.at(-1 - step.pick)?.id ?? 1_000_000;
          const what = command(sessionId, step.sequence, step.below);
          const answer = model.carryOut(index, what);
          if (!answer.startsWith("(")) answered += 1;
          expect(carryOut(whole, index, what, `applied at ${index}`)).toBe(answer);
          expect(carryOut(restored, index, what, `applied at ${index}`)).toBe(answer);
        } else if (step.type === "other") {
          index += step.entries;
        } else {
          const capture = restored.capture(index);
          const bytes = await allBytes(capture.chunks());
          expect(capture.size).toBe(bytes.length);
          expect(bytes).toEqual(await captured(whole, index));
          restored = SessionTable.decode(TEXT_CODEC, index, bytes);
        }
      }
      expect(await captured(restored, index)).toEqual(await captured(whole, index));
    }),
    { numRuns: 60 },
  );
  // The runs were worth it.
  expect(swept).toBeGreaterThan(10);
  expect(answered).toBeGreaterThan(500);
});
