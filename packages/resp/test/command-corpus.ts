/**
 * Streams, and what Redis 7.0.15 makes of them: seen on its own server, not derived from this code. Bytes are Latin-1 characters.
 * Where a row differs from Redis, it says so.
 */
import type { Parsed } from "./streams.js";

const row = (
  stream: string,
  commands: readonly (readonly string[])[],
  error?: string,
): readonly [string, Parsed] => [stream, error === undefined ? { commands } : { commands, error }];

const COUNT = "invalid multibulk length";
const LENGTH = "invalid bulk length";
const QUOTES = "unbalanced quotes in request";

export const COMMAND_CORPUS: readonly (readonly [string, Parsed])[] = [
  // Arrays.
  row("*1\r\n$4\r\nPING\r\n", [["PING"]]),
  row("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\0\xff\r\n", [["SET", "k", "\r\n\0\xff"]]),
  row("*1\r\n$0\r\n\r\n", [[""]]),
  row("*0\r\nPING\r\n", [["PING"]]),
  row("*-10\r\n*-1\r\n*1\r\n$4\r\nPING\r\n", [["PING"]]),
  row("*-9223372036854775808\r\nPING\r\n", [["PING"]]),
  row("*-9223372036854775809\r\nPING\r\n", [], COUNT),
  row("*\r\n", [], COUNT),
  row("*abc\r\n", [], COUNT),
  row("*-\r\n", [], COUNT),
  row("* 1\r\n", [], COUNT),
  row("*1 \r\n", [], COUNT),
  row("*+1\r\n$4\r\nPING\r\n", [], COUNT),
  row("*01\r\n$4\r\nPING\r\n", [], COUNT),
  row("*00\r\n", [], COUNT),
  row("*-0\r\n", [], COUNT),
  row("*2147483648\r\n", [], COUNT),
  row("*10000000000\r\n", [], COUNT),
  row("*10000000000000000000000\r\n", [], COUNT),
  row("*1048576\r\n", []),
  // Redis takes up to 2,147,483,647 arguments. Here that is a limit of the server.
  row("*1048577\r\n", [], COUNT),
  // Neither Redis nor this looks at the byte after CR, nor at the two after a bulk string.
  row("*1\rx$4\rxPINGxxPING\r\n", [["PING"], ["PING"]]),
  row("*1\n", []),
  row("*1\nx$4\r\nPING\r\n", [], COUNT),
  // Bulk strings.
  row("*1\r\nfoo\r\n", [], "expected '$', got 'f'"),
  row("*1\r\nx", []),
  row("*1\r\n:4\r\n", [], "expected '$', got ':'"),
  row("*1\r\n*1\r\n", [], "expected '$', got '*'"),
  row("*1\r\n\r\n", [], "expected '$', got ' '"),
  row("*1\r\n\nx\r\n", [], "expected '$', got ' '"),
  row("*1\r\n\xff\r\n", [], "expected '$', got '\xff'"),
  row("*2\r\n$3\r\nGET\r\n3\r\n", [], "expected '$', got '3'"),
  row("*1\r\n$-1\r\n", [], LENGTH),
  row("*1\r\n$\r\n", [], LENGTH),
  row("*1\r\n$abc\r\n", [], LENGTH),
  row("*1\r\n$04\r\nPING\r\n", [], LENGTH),
  row("*1\r\n$+4\r\n", [], LENGTH),
  row("*1\r\n$4 \r\n", [], LENGTH),
  row("*1\r\n$536870912\r\n", []),
  row("*1\r\n$536870913\r\n", [], LENGTH),
  row("*1\r\n$9223372036854775807\r\n", [], LENGTH),
  row("*1\r\n$99999999999999999999\r\n", [], LENGTH),
  row("*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$100\r\nGET x\r\n", []),
  row("*1\r\n$4\r\nPING\r", []),
  // After a good command.
  row("PING\r\n*1\r\n$4\r\nECHO\r\n*x\r\nPING\r\n", [["PING"], ["ECHO"]], COUNT),
  // Lines that are too long, and lines that are not.
  row(`*1${"0".repeat(65_534)}`, []),
  row(`*1${"0".repeat(65_535)}`, [], "too big mbulk count string"),
  row(`*1\r\n$1${"0".repeat(65_534)}`, []),
  row(`*1\r\n$1${"0".repeat(65_535)}`, [], "too big bulk count string"),
  row("x".repeat(65_536), []),
  row("x".repeat(65_537), [], "too big inline request"),
  row(`${"x".repeat(65_536)}\nPING\n`, [["x".repeat(65_536)], ["PING"]]),
  // Inline commands.
  row("\r\n\n   \r\n\r\r\r\nPING\n", [["PING"]]),
  row("$4\r\nPING\r\n", [["$4"], ["PING"]]),
  row(" *1\r\n", [["*1"]]),
  row("\n*1\r\n$4\r\nPING\r\n", [["PING"]]),
  row("PING\r\r\n", [["PING"]]),
  row("PI\rNG\r\n", [["PI", "NG"]]),
  row("  SET\tkey   value \r\n", [["SET", "key", "value"]]),
  row("\xff\xfe\r\n", [["\xff\xfe"]]),
  row("PING a\x0bb\n", [["PING", "a\x0bb"]]),
  row("PING \x0b\x0ca\r\n", [["PING", "a"]]),
  row("PING a\x0b\n", [["PING", "a\x0b"]]),
  // Redis waits for ever at a NUL, until the line is too long. Here it is a byte like others.
  row("PING a\0b\r\n", [["PING", "a\0b"]]),
  row('PING "a\0b"\r\n', [["PING", "a\0b"]]),
  row("*1\r\n\0\r\n", [], "expected '$', got '\0'"),
  // Quotes.
  row('PING "a\\x41\\n\\q"\r\n', [["PING", "aA\nq"]]),
  row('PING "\\b\\a\\t\\r\\"\\\\"\n', [["PING", '\b\x07\t\r"\\']]),
  row('PING "\\x4" "\\xzz" "\\xfF"\r\n', [["PING", "x4", "xzz", "\xff"]]),
  row("PING 'a\\'b\\n'\r\n", [["PING", "a'b\\n"]]),
  row("PING 'a\\\"b'\r\n", [["PING", 'a\\"b']]),
  row("PING a\\nb\r\n", [["PING", "a\\nb"]]),
  row('PING a"b c"\r\n', [["PING", "ab c"]]),
  row("PING \"\" ''\r\n", [["PING", "", ""]]),
  row("\"PING\" 'a'\x0b'b'\r\n", [["PING", "a", "b"]]),
  row('PI"NG"\n', [["PING"]]),
  row('PING "a"\r"b"\r\n', [["PING", "a", "b"]]),
  row('"abc\r\n', [], QUOTES),
  row('"abc"d\r\n', [], QUOTES),
  row("'abc\r\n", [], QUOTES),
  row("'abc'd\r\n", [], QUOTES),
  row("PING a'b c'd\r\n", [], QUOTES),
  row('PING "a\\\r\n', [], QUOTES),
  row("PING 'a\\\r\n", [], QUOTES),
  row('PING "a\\x4\r\n', [], QUOTES),
  row('PING "a\\', []),
];
