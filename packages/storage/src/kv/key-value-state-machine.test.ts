import type { Response } from "@seshat/common";
import { CodecError } from "@seshat/common";
import { crc32 } from "@seshat/common/binary";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { allBytes, del, inChunks, set, text, utf8 } from "../../test/helpers.js";
import { KeyValueStateMachine } from "./key-value-state-machine.js";
import type { Operation } from "./operation.js";
import { encodeOperation } from "./operation-codec.js";

function apply(machine: KeyValueStateMachine, ...operations: Operation[]): (string | null)[] {
  return operations.map((operation) => text(machine.apply(1, { data: encodeOperation(operation) }).result));
}

function machineOf(...pairs: (readonly [Uint8Array, Uint8Array])[]): KeyValueStateMachine {
  const machine = new KeyValueStateMachine();
  apply(machine, ...pairs.map(([key, value]) => ({ type: "set" as const, key, value })));
  return machine;
}

function snapshot(machine: KeyValueStateMachine): Promise<Uint8Array> {
  return allBytes(machine.capture().chunks());
}

async function restored(bytes: Uint8Array, chunkLength = 65_536): Promise<KeyValueStateMachine> {
  const machine = machineOf([utf8("old"), utf8("state")]);
  await machine.restore(inChunks(bytes, chunkLength));
  return machine;
}

describe("commands", () => {
  test("set answers OK, del how many of its keys existed", () => {
    const machine = new KeyValueStateMachine();
    expect(apply(machine, set("a", "1"), set("b", "2"), set("a", "3"))).toEqual(["OK", "OK", "OK"]);
    expect(text(machine.get(utf8("a")))).toBe("3");
    expect(machine.size).toBe(2);
    expect(apply(machine, del("a", "missing", "b", "a"))).toEqual(["2"]);
    expect(apply(machine, del("a"))).toEqual(["0"]);
    expect(machine.size).toBe(0);
    expect(machine.has(utf8("a"))).toBe(false);
    expect(machine.get(utf8("a"))).toBeNull();
  });

  test("keys and values are any bytes: no two keys are ever taken for one", () => {
    const pairs = fc.uniqueArray(fc.tuple(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 3 })), {
      selector: ([key]) => key.join(),
    });
    fc.assert(
      fc.property(pairs, (entries) => {
        const machine = machineOf(...entries);
        expect(machine.size).toBe(entries.length);
        for (const [key, value] of entries) expect(machine.get(key)).toEqual(value);
      }),
    );
  });

  test("an empty value is a value, and an empty key a key", () => {
    const machine = machineOf([utf8(""), utf8("")]);
    expect(machine.has(utf8(""))).toBe(true);
    expect(machine.get(utf8(""))).toEqual(utf8(""));
  });

  test.each([
    ["no bytes", new Uint8Array(0)],
    ["an unknown version", Uint8Array.of(9, 1)],
    ["no byte array", "SET a b" as unknown as Uint8Array],
  ])("a malformed command is answered with an error, never thrown: %s", (_, data) => {
    const machine = machineOf([utf8("a"), utf8("1")]);
    const response: Response = machine.apply(1, { data });
    expect(response.result).toHaveLength(0);
    expect(response.error?.code).toBe("malformedOperation");
    expect(response.error?.message).toMatch(/^cannot decode operation at byte/);
    expect(machine.size).toBe(1);
  });

  test("limits are none of apply's business: it takes what the log holds", () => {
    expect(machineOf([new Uint8Array(10_000), new Uint8Array(100_000)]).size).toBe(1);
  });

  test("the state shares no memory with commands, answers or what is read", () => {
    const machine = new KeyValueStateMachine();
    const data = Buffer.from(encodeOperation(set("key", "value")));
    const { result } = machine.apply(1, { data });
    data.fill(0);
    result.fill(0);
    machine.get(utf8("key"))?.fill(0);
    expect(text(machine.get(utf8("key")))).toBe("value");
    expect(apply(machine, set("key", "other"))).toEqual(["OK"]);
  });
});

test("its responses are kept by sessions: every one decodes to what was answered", () => {
  const machine = new KeyValueStateMachine();
  const commands = [encodeOperation(set("a", "1")), encodeOperation(del("a", "b")), Uint8Array.of(9)];
  const responses = commands.map((data) => machine.apply(1, { data }));
  expect(responses.map(({ result, error }) => error?.code ?? text(result))).toEqual([
    "OK",
    "1",
    "malformedOperation",
  ]);
  const { responseCodec } = machine;
  for (const response of responses) {
    expect(responseCodec.decode(responseCodec.encode(response))).toEqual(response);
  }
});

describe("snapshots", () => {
  test("writes these very bytes: they stand on disks and travel between versions", async () => {
    const bytes = await snapshot(machineOf([utf8("a"), utf8("")], [utf8("b"), utf8("22")]));
    // The low byte of the hash of "b" is below that of "a".
    const body = [0x53, 0x4b, 0x56, 0x53, 1, 0, 0, 0, 0, 0, 0, 0, 2];
    body.push(0, 0, 0, 1, 98, 0, 0, 0, 2, 50, 50, 0, 0, 0, 1, 97, 0, 0, 0, 0);
    const checksum = crc32(Uint8Array.from(body));
    expect([...bytes.subarray(0, -4)]).toEqual(body);
    expect(new DataView(bytes.buffer).getUint32(bytes.length - 4)).toBe(checksum);
  });

  const pairs = fc.uniqueArray(fc.tuple(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 12 })), {
    selector: ([key]) => key.join(),
    maxLength: 12,
  });

  test("a restored snapshot equals the state it came from, however it is cut into chunks", async () => {
    await fc.assert(
      fc.asyncProperty(pairs, fc.integer({ min: 1, max: 40 }), async (entries, chunkLength) => {
        const bytes = await snapshot(machineOf(...entries));
        const machine = await restored(bytes, chunkLength);
        expect(machine.size).toBe(entries.length);
        for (const [key, value] of entries) expect(machine.get(key)).toEqual(value);
        expect(await snapshot(machine)).toEqual(bytes);
      }),
    );
  });

  test("equal states are equal bytes, whatever order and detours led there", async () => {
    const shuffled = pairs.chain((entries) =>
      fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ([entries, others]) => {
        // Longer than any generated key.
        const detour = machineOf(
          [utf8("a detour"), utf8("x")],
          ...others.map(([key]) => [key, utf8("y")] as const),
        );
        apply(
          detour,
          del("a detour"),
          ...others.map(([key, value]) => ({ type: "set" as const, key, value })),
        );
        const there = machineOf(...entries);
        expect(await snapshot(detour)).toEqual(await snapshot(there));
      }),
    );
  });

  test("comes in chunks of 64 KiB, also where one value is longer than that", async () => {
    const value = new Uint8Array(300_000).fill(7);
    const machine = machineOf([utf8("a"), value], [utf8("b"), utf8("after")]);
    const lengths = Array.from(machine.capture().chunks() as Iterable<Uint8Array>, (chunk) => chunk.length);
    expect(lengths.slice(0, -1)).toEqual([65_536, 65_536, 65_536, 65_536]);
    expect(lengths.at(-1)).toBe(13 + 9 + 300_000 + 9 + 5 + 4 - 4 * 65_536);
    const copy = new KeyValueStateMachine();
    await copy.restore(inChunks(await snapshot(machine), 1000));
    expect(copy.get(utf8("a"))?.length).toBe(300_000);
    expect(text(copy.get(utf8("b")))).toBe("after");
  });

  test("a capture keeps its moment, whatever is applied before it is written and while it is", async () => {
    const entries = Array.from({ length: 3000 }, (_, at) => [utf8(`key${at}`), new Uint8Array(100)] as const);
    const machine = machineOf(...entries);
    const before = await snapshot(machine);
    const capture = machine.capture();
    apply(machine, set("key0", "changed"), del("key1"), set("new", "key"));
    const chunks = (capture.chunks() as Iterable<Uint8Array>)[Symbol.iterator]();
    const written = [chunks.next().value as Uint8Array];
    apply(machine, ...entries.map(([key]) => ({ type: "del" as const, keys: [key] })));
    for (let next = chunks.next(); next.done !== true; next = chunks.next()) written.push(next.value);
    expect(Buffer.concat(written).equals(before)).toBe(true);
    expect(machine.size).toBe(1);
  });

  test("any damaged byte, cut or addition is a CodecError, and the old state stands", async () => {
    const bytes = await snapshot(
      machineOf([utf8("a"), utf8("1")], [utf8("bb"), utf8("22")], [utf8("c"), utf8("")]),
    );
    const broken: Uint8Array[] = [Uint8Array.of(...bytes, 0)];
    for (let at = 0; at < bytes.length; at++) {
      broken.push(bytes.slice(0, at));
      for (let bit = 0; bit < 8; bit++) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] as number) ^ (1 << bit);
        broken.push(damaged);
      }
    }
    const machine = machineOf([utf8("old"), utf8("state")]);
    for (const input of broken) {
      await expect(machine.restore(inChunks(input, 5))).rejects.toBeInstanceOf(CodecError);
    }
    expect(machine.size).toBe(1);
    expect(text(machine.get(utf8("old")))).toBe("state");
  });

  function sealed(...body: number[]): Uint8Array {
    const bytes = Uint8Array.of(...body, 0, 0, 0, 0);
    new DataView(bytes.buffer).setUint32(body.length, crc32(bytes.subarray(0, body.length)));
    return bytes;
  }
  const magic = [0x53, 0x4b, 0x56, 0x53];
  const entry = (key: number): number[] => [0, 0, 0, 1, key, 0, 0, 0, 0];

  test.each([
    ["another magic", sealed(1, 2, 3, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0), "it does not begin like one"],
    [
      "another version",
      sealed(...magic, 2, 0, 0, 0, 0, 0, 0, 0, 0),
      "version 2 is unknown; this is version 1",
    ],
    [
      "more entries than it says",
      sealed(...magic, 1, 0, 0, 0, 0, 0, 0, 0, 1, ...entry(1), ...entry(2)),
      "checksum",
    ],
    [
      "fewer entries than it says",
      sealed(...magic, 1, 0, 0, 0, 0, 0, 0, 0, 9, ...entry(1)),
      "bytes expected",
    ],
    ["more entries than can be", sealed(...magic, 1, 255, 0, 0, 0, 0, 0, 0, 0), "past 2^53 - 1"],
    [
      "a key twice",
      sealed(...magic, 1, 0, 0, 0, 0, 0, 0, 0, 2, ...entry(1), ...entry(1)),
      "keys that do not rise",
    ],
    [
      "keys out of order",
      sealed(...magic, 1, 0, 0, 0, 0, 0, 0, 0, 2, ...entry(1), ...entry(2)),
      "keys that do not rise",
    ],
    [
      "bytes after the checksum",
      Uint8Array.of(...sealed(...magic, 1, 0, 0, 0, 0, 0, 0, 0, 0), 7, 7),
      "2 bytes too many",
    ],
    ["nothing at all", new Uint8Array(0), "13 bytes expected, 0 left"],
  ])("with a checksum that fits, %s is refused all the same", async (_, bytes, message) => {
    const restore = restored(bytes);
    await expect(restore).rejects.toBeInstanceOf(CodecError);
    await expect(restore).rejects.toThrow(message);
  });

  test("a length that promises gigabytes reserves nothing", async () => {
    const bytes = sealed(...magic, 1, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255);
    await expect(restored(bytes)).rejects.toThrow("at byte 17: 4294967295 bytes expected, 4 left");
  });

  test("the restored state shares no memory with the chunks", async () => {
    const bytes = await snapshot(machineOf([utf8("a"), utf8("value")]));
    const machine = await restored(bytes);
    bytes.fill(0);
    expect(text(machine.get(utf8("a")))).toBe("value");
  });

  test("a source that fails halfway leaves the old state", async () => {
    const bytes = await snapshot(machineOf([utf8("a"), utf8("1")]));
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, bytes.length - 1);
      throw new RangeError("connection lost");
    }
    const machine = machineOf([utf8("old"), utf8("state")]);
    await expect(machine.restore(failing())).rejects.toThrow("connection lost");
    expect(text(machine.get(utf8("old")))).toBe("state");
  });
});

describe("apply is deterministic", () => {
  test("other clocks, random numbers and orders of writing give equal answers and equal snapshots", async () => {
    const keys = Array.from({ length: 500 }, (_, i) => `key ${i}`);
    const work = (machine: KeyValueStateMachine): (string | null)[] =>
      apply(machine, ...keys.map((key) => set(key, key.repeat(2))), del(...keys.slice(100, 200)));
    const plain = new KeyValueStateMachine();
    const answers = work(plain);
    vi.useFakeTimers({ now: 4_000_000_000_000 });
    const random = vi.spyOn(Math, "random").mockReturnValue(0.123);
    try {
      const shifted = new KeyValueStateMachine();
      expect(work(shifted)).toEqual(answers);
      // The same state, reached on another way: the order in which keys came must not show.
      const reordered = new KeyValueStateMachine();
      const kept = keys.filter((_, i) => i < 100 || i >= 200);
      apply(reordered, ...kept.toReversed().map((key) => set(key, key.repeat(2))));
      vi.useRealTimers();
      const expected = await snapshot(plain);
      expect(await snapshot(shifted)).toEqual(expected);
      expect(await snapshot(reordered)).toEqual(expected);
    } finally {
      vi.useRealTimers();
      random.mockRestore();
    }
  });
});
