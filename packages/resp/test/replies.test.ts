import fc from "fast-check";
import { encodeCommand, RespProtocolError, RespReplyParser, RespWriter } from "@seshat/resp";
import type { RespValue, RespVersion } from "@seshat/resp";
import { describe, expect, test } from "vitest";
import { REPLY_CORPUS } from "./reply-corpus.js";
import { bytes, text } from "./streams.js";

function written(value: RespValue, version: RespVersion): string {
  const writer = new RespWriter();
  writer.write(value, version);
  return writer.take().map(text).join("");
}

function parse(stream: Uint8Array, size = stream.length): RespValue | undefined {
  const parser = new RespReplyParser();
  let value: RespValue | undefined;
  for (let at = 0; at < stream.length; at += size) {
    parser.push(stream.slice(at, at + size));
    value = parser.next();
  }
  return value;
}

describe("the writer", () => {
  const rows: readonly (readonly [RespValue, string, string])[] = [
    [null, "$-1\r\n", "_\r\n"],
    [{ type: "nullArray" }, "*-1\r\n", "_\r\n"],
    [0, ":0\r\n", ":0\r\n"],
    [-1, ":-1\r\n", ":-1\r\n"],
    [1_073_741_824, ":1073741824\r\n", ":1073741824\r\n"],
    [-4_294_967_296, ":-4294967296\r\n", ":-4294967296\r\n"],
    [Number.MAX_SAFE_INTEGER, ":9007199254740991\r\n", ":9007199254740991\r\n"],
    [Number.MIN_SAFE_INTEGER, ":-9007199254740991\r\n", ":-9007199254740991\r\n"],
    [-9223372036854775808n, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"],
    [true, ":1\r\n", "#t\r\n"],
    [false, ":0\r\n", "#f\r\n"],
    [bytes(""), "$0\r\n\r\n", "$0\r\n\r\n"],
    [bytes("a\r\n\0\xff"), "$5\r\na\r\n\0\xff\r\n", "$5\r\na\r\n\0\xff\r\n"],
    [{ type: "simple", text: "OK" }, "+OK\r\n", "+OK\r\n"],
    [{ type: "simple", text: "QUEUED" }, "+QUEUED\r\n", "+QUEUED\r\n"],
    [{ type: "simple", text: "PONG" }, "+PONG\r\n", "+PONG\r\n"],
    // A reply is one line, whatever the client has sent and is told again.
    [{ type: "error", message: "ERR '\xff\r\n+x'" }, "-ERR '\xff  +x'\r\n", "-ERR '\xff  +x'\r\n"],
    [
      { type: "error", message: "ERR \u{1f600}\r\n\n" },
      "-ERR \xf0\x9f\x98\x80\r\n",
      "-ERR \xf0\x9f\x98\x80\r\n",
    ],
    [{ type: "simple", text: "a\n" }, "+a \r\n", "+a \r\n"],
    [[], "*0\r\n", "*0\r\n"],
    [[1, [null, bytes("x")]], "*2\r\n:1\r\n*2\r\n$-1\r\n$1\r\nx\r\n", "*2\r\n:1\r\n*2\r\n_\r\n$1\r\nx\r\n"],
    [{ type: "map", entries: [[bytes("a"), 1]] }, "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n"],
    [{ type: "set", items: [1] }, "*1\r\n:1\r\n", "~1\r\n:1\r\n"],
    [{ type: "pairs", entries: [[1, 2]] }, "*2\r\n:1\r\n:2\r\n", "*1\r\n*2\r\n:1\r\n:2\r\n"],
    [{ type: "push", items: [true] }, "*1\r\n:1\r\n", ">1\r\n#t\r\n"],
    [{ type: "double", value: 0.1 }, "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n"],
    [{ type: "double", value: Number.POSITIVE_INFINITY }, "$3\r\ninf\r\n", ",inf\r\n"],
    [{ type: "bigNumber", value: 12n }, "$2\r\n12\r\n", "(12\r\n"],
    [{ type: "verbatim", format: "txt", text: bytes("ab") }, "$2\r\nab\r\n", "=6\r\ntxt:ab\r\n"],
  ];

  test.each(rows.map(([value, two, three]) => ({ name: JSON.stringify(two), value, two, three })))(
    "$name in both versions",
    ({ value, two, three }) => {
      expect(written(value, 2)).toBe(two);
      expect(written(value, 3)).toBe(three);
    },
  );

  test("refuses integers that a number does not hold, and endless nesting", () => {
    const writer = new RespWriter();
    expect(() => writer.write(1.5, 2)).toThrow(RangeError);
    expect(() => writer.write(2 ** 60, 2)).toThrow("must be a safe integer");
    const loop: RespValue[] = [];
    loop.push(loop);
    expect(() => writer.write(loop, 2)).toThrow("nested more than 128 deep");
  });

  test("passes large bulk strings on without a copy", () => {
    const large = new Uint8Array(4096);
    const writer = new RespWriter();
    writer.write([large, large], 2);
    expect(writer.length).toBe(4 + 2 * (7 + 4096 + 2));
    expect(writer.take().filter((part) => part === large)).toHaveLength(2);
  });

  test("never writes again to what was taken, and writers do not share what they write to", () => {
    const one = new RespWriter();
    const two = new RespWriter();
    const taken: { readonly parts: Uint8Array[]; readonly expected: string }[] = [];
    for (let round = 0; round < 3000; round++) {
      one.write(round, 2);
      two.write(bytes(`two ${round}`), 2);
      if (round % 3 === 0) two.write({ type: "simple", text: "x".repeat(round) }, 2);
      const value = `$${4 + String(round).length}\r\ntwo ${round}\r\n`;
      taken.push({ parts: one.take(), expected: `:${round}\r\n` });
      taken.push({
        parts: two.take(),
        expected: round % 3 === 0 ? `${value}+${"x".repeat(round)}\r\n` : value,
      });
    }
    for (const { parts, expected } of taken) expect(parts.map(text).join("")).toBe(expected);
  });

  test("writes a long pipeline into few parts", () => {
    const writer = new RespWriter();
    for (let n = 0; n < 100_000; n++) writer.write(n, 2);
    const parts = writer.take();
    expect(parts.length).toBeLessThan(8);
    expect(parts.every((part) => part.length > 0)).toBe(true);
    expect(parts.map((part) => Buffer.from(part).toString()).join("")).toBe(
      Array.from({ length: 100_000 }, (_, n) => `:${n}\r\n`).join(""),
    );
    expect(writer.length).toBe(0);
    expect(writer.take()).toEqual([]);
  });

  test("encodes commands", () => {
    expect(text(encodeCommand(["SET", bytes("k\xff"), "\u00e9", 12, 3n]))).toBe(
      "*5\r\n$3\r\nSET\r\n$2\r\nk\xff\r\n$2\r\n\xc3\xa9\r\n$2\r\n12\r\n$1\r\n3\r\n",
    );
    const large = encodeCommand([new Uint8Array(10_000).fill(7)]);
    expect(large.length).toBe(4 + 8 + 10_000 + 2);
    expect(large[5000]).toBe(7);
  });
});

describe("the reply parser", () => {
  test.each(REPLY_CORPUS.map(([stream, expected]) => ({ name: JSON.stringify(stream), stream, expected })))(
    "$name",
    ({ stream, expected }) => {
      for (const size of [stream.length, 1, 2]) {
        if (expected.error === undefined) expect(parse(bytes(stream), size)).toEqual(expected.value);
        else expect(() => parse(bytes(stream), size)).toThrow(new RespProtocolError(expected.error));
      }
    },
  );

  test("each part of a reply is waited for", () => {
    const stream = bytes("%1\r\n+a\r\n*2\r\n$3\r\nabc\r\n#t\r\n");
    const parser = new RespReplyParser();
    const values = [...stream].map((byte) => {
      parser.push(Uint8Array.of(byte));
      return parser.next();
    });
    expect(values.findIndex((value) => value !== undefined)).toBe(stream.length - 1);
  });

  test("nesting is bounded and takes no stack", () => {
    const nested = bytes("*1\r\n".repeat(1_000_000));
    expect(() => parse(nested)).toThrow("too deep a reply");
    const parser = new RespReplyParser({ maxDepth: 1_000_000, maxReplyBytes: 2 ** 40 });
    parser.push(nested);
    parser.push(bytes(":1\r\n"));
    let depth = 0;
    for (let value = parser.next(); Array.isArray(value); value = (value as readonly RespValue[])[0]) depth++;
    expect(depth).toBe(1_000_000);
  });

  test("a reply is bounded as a whole, each reply anew", () => {
    const parser = new RespReplyParser({ maxReplyBytes: 1000 });
    for (let n = 0; n < 100; n++) {
      parser.push(bytes(`$500\r\n${"x".repeat(500)}\r\n`));
      expect(parser.next()).toHaveLength(500);
    }
    parser.push(bytes(`*2\r\n$500\r\n${"x".repeat(500)}\r\n$500\r\n`));
    expect(() => parser.next()).toThrow("too large a reply");
    expect(() => parser.next()).toThrow(RespProtocolError);
  });
});

const leaf: fc.Arbitrary<RespValue> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 60 }),
  fc.uint8Array({ minLength: 5000, maxLength: 5000 }),
  fc
    .string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)) })
    .map((text) => ({ type: "simple", text }) as const),
  fc.double().map((value) => ({ type: "double", value: value === 0 ? 0 : value }) as const),
  fc.bigInt().map((value) => ({ type: "bigNumber", value }) as const),
  fc.uint8Array({ maxLength: 20 }).map((text) => ({ type: "verbatim", format: "txt", text }) as const),
);
const anyValue: fc.Arbitrary<RespValue> = fc.letrec<{ value: RespValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => ({ type: "set", items }) as const),
    fc
      .array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 })
      .map((entries) => ({ type: "map", entries }) as const),
  ),
})).value;

describe("round trip", () => {
  test("what is written in version 3 is read again, however it is cut", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 5 }), fc.integer({ min: 1, max: 40 }), (values, size) => {
        const writer = new RespWriter();
        for (const value of values) writer.write(value, 3);
        const stream = Uint8Array.from(writer.take().flatMap((part) => [...part]));
        expect(stream.length).toBeGreaterThanOrEqual(values.length);
        const parser = new RespReplyParser();
        const read: RespValue[] = [];
        for (let at = 0; at < stream.length; at += size) {
          parser.push(stream.slice(at, at + size));
          for (let value = parser.next(); value !== undefined; value = parser.next()) read.push(value);
        }
        expect(read).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  test("in version 2 too, with the types that it has", () => {
    const flat = (value: RespValue): RespValue => {
      if (typeof value === "boolean") return value ? 1 : 0;
      if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
      if (!("type" in value)) return value.map(flat);
      if (value.type === "set" || value.type === "push") return value.items.map(flat);
      if (value.type === "map") return value.entries.flatMap(([key, item]) => [flat(key), flat(item)]);
      if (value.type === "verbatim") return value.text;
      if (value.type === "bigNumber") return bytes(String(value.value));
      if (value.type === "double") return bytes(written(value, 3).slice(1, -2));
      return value;
    };
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(parse(bytes(written(value, 2)))).toEqual(flat(value));
      }),
      { numRuns: 200 },
    );
  });
});
