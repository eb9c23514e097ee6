import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { LogEntry } from "@seshat/common";
import { BLANK_PAYLOAD } from "@seshat/common";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemLog } from "./mem-log.js";
import { packingOf } from "./packable.js";
import { PackedBytes } from "./packed-bytes.js";

type Entry = LogEntry<unknown, unknown>;

class Command {
  readonly data: Uint8Array;
  constructor(data: Uint8Array) {
    this.data = data;
  }
}

function entry(term: number, index: number, data: unknown): Entry {
  return { logId: { term, index }, payload: { type: "normal", data } };
}

const bytes = (...content: number[]): Uint8Array => Uint8Array.from(content);

/** Commands of every kind: those that are packed and those that must not be. */
const anyData = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }).map((data) => ({ data })) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  fc.constantFrom<unknown>(null, "text", 7, { data: "text" }, { data: bytes(1), more: 2 }),
  fc.uint8Array({ maxLength: 4 }).map((data) => new Command(data)),
  fc.uint8Array({ maxLength: 4 }).map((data) => Buffer.from(data)),
);

describe("a log whose commands are packed", () => {
  test("gives back what was appended, whatever it was, through truncations, overwrites and purges", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ append: fc.array(anyData, { minLength: 1, maxLength: 400 }) }) },
      { weight: 2, arbitrary: fc.record({ truncate: fc.nat(1000) }) },
      { weight: 2, arbitrary: fc.record({ purge: fc.nat(1000) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const log = new MemLog<Entry>();
        let model: Entry[] = [];
        let first = 1;
        let term = 1;
        for (const each of steps) {
          if ("append" in each) {
            const from = first + model.length;
            const added = each.append.map((data, i) => entry(term, from + i, data));
            log.append(added);
            model.push(...added);
          } else if ("truncate" in each) {
            const kept = each.truncate % (model.length + 1);
            log.truncate(first + kept);
            model = model.slice(0, kept);
            term += 1;
          } else if (model.length > 0) {
            const gone = 1 + (each.purge % model.length);
            log.purge((model[gone - 1] as Entry).logId);
            model = model.slice(gone);
            first += gone;
          }
          expect(log.read(first, first + model.length - 1)).toStrictEqual(model);
          expect(log.lastLogId).toEqual(model.at(-1)?.logId ?? log.lastPurgedLogId);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("stays what it is when it grows long, and its chunks become blocks: through truncations into them, overwrites and purges", () => {
    const random = fc.sample(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { numRuns: 60, seed: 7 });
    const log = new MemLog<Entry>();
    let model: Entry[] = [];
    let first = 1;
    let term = 1;
    const check = (since: number, upto: number): void =>
      expect(log.read(since, upto)).toStrictEqual(model.slice(since - first, upto - first + 1));
    for (const [i, draw] of random.entries()) {
      const from = first + model.length;
      const added = Array.from({ length: draw % 9000 }, (_, at): Entry => {
        const index = from + at;
        if ((index * 7919) % 5003 === 0) return { logId: { term, index }, payload: BLANK_PAYLOAD };
        const data = bytes(index & 255, (index >> 8) & 255, i);
        // Where commands of one kind give way to another, in the middle of a block, it is none.
        return entry(term, index, Math.floor(index / 20_480) % 2 === 0 ? { data } : data);
      });
      log.append(added);
      model = [...model, ...added];
      if (i % 5 === 4) {
        // Mostly in a block, and now and then just where one ends.
        const kept = draw % 3 === 0 ? 65_536 - first : model.length - (draw % Math.min(20_000, model.length));
        if (kept < model.length && kept >= 0) {
          log.truncate(first + kept);
          model = model.slice(0, kept);
          term += 1;
        }
      }
      if (i % 7 === 6) {
        const gone = 1 + (draw % Math.min(8000, model.length));
        log.purge((model[gone - 1] as Entry).logId);
        model = model.slice(gone);
        first += gone;
      }
      const last = first + model.length - 1;
      const middle = first + (draw % model.length);
      check(middle, Math.min(last, middle + 300));
      expect(log.get(middle)).toStrictEqual(model[middle - first]);
      expect(log.lastLogId).toEqual(model.at(-1)?.logId);
    }
    expect(model.length).toBeGreaterThan(40_000);
    for (let since = first; since < first + model.length; since += 97)
      check(since, Math.min(first + model.length - 1, since + 3));
  });

  test("a block lets go of what is not packed in it once that is purged or truncated", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const log = new MemLog<Entry>();
    for (let since = 1; since <= 60_000; since += 1000) {
      log.append(
        Array.from({ length: 1000 }, (_, at): Entry => {
          const index = since + at;
          const logId = { term: 1, index };
          return index % 1000 === 0
            ? { logId, payload: BLANK_PAYLOAD }
            : entry(1, index, { data: bytes(index & 255) });
        }),
      );
    }
    const gone = [1000, 20_000, 45_000].map((index) => new WeakRef(log.get(index) as Entry));
    const kept = [21_000, 40_000].map((index) => new WeakRef(log.get(index) as Entry));
    log.purge({ term: 1, index: 20_000 });
    log.truncate(45_000);
    // A weak reference lets go no earlier than in a later turn.
    await new Promise<void>((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(gone.map((reference) => reference.deref())).toEqual([undefined, undefined, undefined]);
    expect(kept.map((reference) => reference.deref()?.logId.index)).toEqual([21_000, 40_000]);
    expect(log.read(20_001, 44_999)).toHaveLength(24_999);
  });

  test("a block takes the memory of its bytes, and of no objects but those that are not packed", () => {
    const parts = [new PackedBytes(4), null, new PackedBytes(4)];
    for (const [i, part] of parts.entries())
      for (let slot = 0; slot < 4; slot++) part?.set(slot, bytes(i, slot));
    const joined = PackedBytes.joined(parts, 4);
    expect(joined.capacity).toBe(16);
    expect(Array.from({ length: 12 }, (_, slot) => [...joined.get(slot)])).toEqual([
      ...[0, 1, 2, 3].map((slot) => [0, slot]),
      ...[0, 1, 2, 3].map(() => []),
      ...[0, 1, 2, 3].map((slot) => [2, slot]),
    ]);
  });

  test("keeps what an application made of its own as it is: the same object, with all that it has", () => {
    const log = new MemLog<Entry>();
    const own = [
      entry(1, 1, new Command(bytes(1))),
      entry(1, 2, { data: bytes(1), priority: 3 }),
      entry(1, 3, Buffer.from([1])),
      { ...entry(1, 4, bytes(1)), receivedAt: 5 },
      { logId: { term: 1, index: 5 }, payload: BLANK_PAYLOAD },
      entry(1, 6, { data: new Uint8Array(100_000) }),
      {
        logId: { term: 1, index: 7 },
        payload: { type: "normal", data: bytes(1), session: { sessionId: 1, sequence: 1, answeredBelow: 1 } },
      } as const,
    ];
    for (const each of own) expect(packingOf(each)).toBeNull();
    log.append(own);
    for (const each of own) expect(log.get(each.logId.index)).toBe(each);
  });

  test("hands out copies: whoever changes what was read, or keeps it, does nothing to the log", () => {
    const log = new MemLog<Entry>();
    log.append([entry(1, 1, bytes(1, 2, 3)), entry(1, 2, bytes(4))]);
    const read = (log.get(1) as { payload: { data: Uint8Array } }).payload.data;
    expect(read.buffer.byteLength).toBe(3);
    read.fill(9);
    expect(log.get(1)).toEqual(entry(1, 1, bytes(1, 2, 3)));
  });

  test("takes little more memory than the bytes, once a piece of the log is full", () => {
    const even = new PackedBytes(512);
    const uneven = new PackedBytes(512);
    let size = 0;
    for (let slot = 0; slot < 512; slot++) {
      even.set(slot, new Uint8Array(100));
      uneven.set(slot, new Uint8Array((slot * 37) % 200));
      size += (slot * 37) % 200;
    }
    expect(even.capacity).toBe(51_200);
    expect(uneven.capacity).toBeLessThan(1.2 * size);
    expect(new PackedBytes(512).capacity).toBe(0);
  });
});
