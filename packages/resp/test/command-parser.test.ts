import fc from "fast-check";
import { encodeCommand, RespCommandParser, RespProtocolError } from "@seshat/resp";
import { describe, expect, test } from "vitest";
import { COMMAND_CORPUS } from "./command-corpus.js";
import { bytes, parseStream, text } from "./streams.js";

const shown = (stream: string): string =>
  JSON.stringify(stream.length > 60 ? `${stream.slice(0, 60)}...` : stream);

describe("what Redis makes of a stream, this makes of it", () => {
  test.each(COMMAND_CORPUS.map(([stream, parsed]) => ({ name: shown(stream), stream, parsed })))(
    "$name",
    ({ stream, parsed }) => {
      expect(parseStream(bytes(stream), [stream.length])).toEqual(parsed);
      // Byte by byte, and in pieces: the same.
      expect(parseStream(bytes(stream), [1])).toEqual(parsed);
      expect(parseStream(bytes(stream), [3, 1, 5])).toEqual(parsed);
    },
  );
});

const argument = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 1000, maxLength: 1000 }),
  fc.constantFrom("\r\n", "$1\r\n", "*1\r\n", "\0").map(bytes),
);
const command = fc.array(argument, { minLength: 1, maxLength: 12 });
const chunkSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3000 })), {
  minLength: 1,
  maxLength: 20,
});

describe("chunks", () => {
  test("however a pipeline is cut, the arguments that were sent come out", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 8 }), chunkSizes, (commands, sizes) => {
        const stream = Uint8Array.from(commands.flatMap((args) => [...encodeCommand(args)]));
        expect(parseStream(stream, sizes)).toEqual({ commands: commands.map((args) => args.map(text)) });
      }),
      { numRuns: 300 },
    );
  });

  test("chunks may pile up before they are read", () => {
    const stream = bytes("*2\r\n$3\r\nGET\r\n$5\r\nhello\r\nPING\r\n");
    const parser = new RespCommandParser();
    for (const byte of stream) parser.push(Uint8Array.of(byte));
    parser.push(new Uint8Array(0));
    expect(parser.bufferedBytes).toBe(stream.length);
    expect(parser.next()?.map(text)).toEqual(["GET", "hello"]);
    expect(parser.next()?.map(text)).toEqual(["PING"]);
    expect(parser.next()).toBeNull();
    expect(parser.bufferedBytes).toBe(0);
  });

  test("arguments are views of the chunk that holds all of them", () => {
    const parser = new RespCommandParser();
    const chunk = bytes("*2\r\n$3\r\nGET\r\n$1\r\nk\r\nECHO x\r\n");
    parser.push(chunk);
    expect(parser.next()?.map((arg) => arg.buffer === chunk.buffer)).toEqual([true, true]);
  });

  test("what is left of a chunk is copied, so that a slow client keeps no chunk alive", () => {
    const slab = new Uint8Array(64 * 1024);
    const start = "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nab";
    slab.set(bytes(start), 1000);
    const parser = new RespCommandParser();
    parser.push(slab.subarray(1000, 1000 + start.length));
    expect(parser.next()).toBeNull();
    slab.fill(0);
    parser.push(bytes("c\r\n$2\r\nPX\r\n"));
    const args = parser.next();
    expect(args?.map(text)).toEqual(["SET", "k", "abc", "PX"]);
    expect(args?.every((arg) => arg.buffer.byteLength < 1000 || arg.length === 3)).toBe(true);
  });

  test("a Node buffer gives plain byte arrays", () => {
    const parser = new RespCommandParser();
    parser.push(Buffer.from("*1\r\n$4\r\nPING\r\n"));
    expect(parser.next()?.[0]?.constructor).toBe(Uint8Array);
  });
});

describe("bounds", () => {
  const failure = (
    stream: string,
    limits: ConstructorParameters<typeof RespCommandParser>[0],
  ): string | undefined => parseStream(bytes(stream), [stream.length], limits).error;

  test("each limit can be set", () => {
    expect(failure("*3\r\n", { maxArguments: 3 })).toBeUndefined();
    expect(failure("*4\r\n", { maxArguments: 3 })).toBe("invalid multibulk length");
    expect(failure("*1\r\n$10\r\n", { maxBulkBytes: 10 })).toBeUndefined();
    expect(failure("*1\r\n$11\r\n", { maxBulkBytes: 10 })).toBe("invalid bulk length");
    expect(failure("123456789\n", { maxInlineBytes: 9 })).toBeUndefined();
    expect(failure("1234567890\n", { maxInlineBytes: 9 })).toBe("too big inline request");
    expect(failure("1234567890", { maxInlineBytes: 9 })).toBe("too big inline request");
  });

  test("the bytes of one command are counted, the cost of each argument with them", () => {
    const two = "*3\r\n$1\r\na\r\n$1\r\na\r\n";
    expect(failure(`${two}$870\r\n`, { maxCommandBytes: 1064 })).toBeUndefined();
    expect(failure(`${two}$871\r\n`, { maxCommandBytes: 1064 })).toBe("too big request");
    // Each command has the whole of it.
    const full = "*1\r\n$36\r\n".concat("x".repeat(36), "\r\n");
    expect(failure(full.repeat(5), { maxCommandBytes: 100 })).toBeUndefined();
    expect(failure(`*1000\r\n${"$0\r\n\r\n".repeat(1000)}`, { maxCommandBytes: 63_999 })).toBe(
      "too big request",
    );
  });

  test("who has not authenticated may send ten arguments of 16 KiB", () => {
    const parse = (stream: string, unauthenticated: boolean): string => {
      const parser = new RespCommandParser();
      parser.unauthenticated = unauthenticated;
      parser.push(bytes(stream));
      try {
        return JSON.stringify(parser.next());
      } catch (error) {
        return String(error);
      }
    };
    expect(parse("*10\r\n", true)).toBe("null");
    expect(parse("*11\r\n", true)).toBe("RespProtocolError: unauthenticated multibulk length");
    expect(parse("*11\r\n", false)).toBe("null");
    expect(parse("*1\r\n$16384\r\n", true)).toBe("null");
    expect(parse("*1\r\n$16385\r\n", true)).toBe("RespProtocolError: unauthenticated bulk length");
    expect(parse("*1\r\n$16385\r\n", false)).toBe("null");
  });

  test("after an error nothing is read, and nothing is kept", () => {
    const parser = new RespCommandParser();
    parser.push(bytes("*2\r\n$4\r\nPING\r\n"));
    parser.push(bytes("!\r\nPING\r\nPING\r\n"));
    parser.push(bytes("PING\r\n"));
    expect(() => parser.next()).toThrow(RespProtocolError);
    parser.push(bytes("PING\r\n"));
    expect(() => parser.next()).toThrow("expected '$', got '!'");
    expect(parser.bufferedBytes).toBe(0);
  });

  test("what is announced and not sent costs nothing", () => {
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 200 }, () => {
      const parser = new RespCommandParser();
      parser.push(bytes("*1000000\r\n$536870912\r\nx"));
      expect(parser.next()).toBeNull();
      return parser;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 64 * 1024);
    expect(parsers).toHaveLength(200);
  });

  // Were a byte looked at again with each chunk, these would take hours.
  test.each([
    ["a bulk string", `*1\r\n$2000000\r\n${"x".repeat(2_000_000)}\r\n`, 1],
    ["very many arguments", `*200000\r\n${"$1\r\nx\r\n".repeat(200_000)}`, 200_000],
    ["an empty array over and over", `${"*0\r\n".repeat(400_000)}PING\r\n`, 1],
  ])("%s, byte by byte, takes time in proportion", (_, stream, count) => {
    const parser = new RespCommandParser();
    const data = bytes(stream);
    let args: Uint8Array[] | null = null;
    for (let at = 0; at < data.length; at++) {
      parser.push(data.subarray(at, at + 1));
      args = parser.next();
    }
    expect(args).toHaveLength(count);
  });
});
