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
