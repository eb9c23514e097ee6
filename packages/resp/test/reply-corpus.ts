/** Bytes of replies, and what they mean: a value, or the reason for which they are refused. Bytes are Latin-1 characters. */
import type { RespValue } from "@seshat/resp";
import { bytes } from "./streams.js";

const bulk = bytes;

export const REPLY_CORPUS: readonly (readonly [
  string,
  { readonly value?: RespValue; readonly error?: string },
])[] = [
  ["+OK\r\n", { value: { type: "simple", text: "OK" } }],
  ["+\r\n", { value: { type: "simple", text: "" } }],
  ["-ERR no '\xff'\r\n", { value: { type: "error", message: "ERR no '\xff'" } }],
  [":-42\r\n", { value: -42 }],
  [":+7\r\n", { value: 7 }],
  [":9007199254740993\r\n", { value: 9007199254740993n }],
  [":-9223372036854775808\r\n", { value: -9223372036854775808n }],
  [":9223372036854775808\r\n", { error: "invalid integer" }],
  [":1.5\r\n", { error: "invalid integer" }],
  ["$5\r\na\r\nbc\r\n", { value: bulk("a\r\nbc") }],
  ["$0\r\n\r\n", { value: bulk("") }],
  ["$-1\r\n", { value: null }],
  ["$-2\r\n", { error: "invalid bulk length" }],
  ["$9999999999\r\n", { error: "invalid bulk length" }],
  ["$1\r\nab\r\n", { error: "expected CR LF" }],
  ["$1\r\na\rx", { error: "expected CR LF" }],
  ["+OK\rx", { error: "expected CR LF" }],
  ["*2\r\n:1\r\n*1\r\n$-1\r\n", { value: [1, [null]] }],
  ["*0\r\n", { value: [] }],
  ["*-1\r\n", { value: { type: "nullArray" } }],
  ["*-2\r\n", { error: "invalid length of an aggregate" }],
  ["*10000000000\r\n", { error: "too large a reply" }],
  ["_\r\n", { value: null }],
  ["_x\r\n", { error: "invalid null" }],
  ["#t\r\n", { value: true }],
  ["#f\r\n", { value: false }],
  ["#x\r\n", { error: "invalid boolean" }],
  [",1.5\r\n", { value: { type: "double", value: 1.5 } }],
  [",-1e-7\r\n", { value: { type: "double", value: -1e-7 } }],
  [",-inf\r\n", { value: { type: "double", value: Number.NEGATIVE_INFINITY } }],
  [",nan\r\n", { value: { type: "double", value: Number.NaN } }],
  [",\r\n", { error: "invalid double" }],
  [",0x10\r\n", { error: "invalid double" }],
  [
    "(-3492890328409238509324850943850943825024385\r\n",
    { value: { type: "bigNumber", value: -3492890328409238509324850943850943825024385n } },
  ],
  ["(1.0\r\n", { error: "invalid big number" }],
  ["=7\r\ntxt:abc\r\n", { value: { type: "verbatim", format: "txt", text: bulk("abc") } }],
  ["=7\r\ntxt-abc\r\n", { error: "invalid verbatim string" }],
  ["=3\r\ntxt\r\n", { error: "invalid bulk length" }],
  ["!6\r\nERR \r\n\r\n", { value: { type: "error", message: "ERR \r\n" } }],
  ["~2\r\n:1\r\n:2\r\n", { value: { type: "set", items: [1, 2] } }],
  [">2\r\n+message\r\n:2\r\n", { value: { type: "push", items: [{ type: "simple", text: "message" }, 2] } }],
  [
    "%2\r\n+a\r\n:1\r\n:2\r\n*0\r\n",
    {
      value: {
        type: "map",
        entries: [
          [{ type: "simple", text: "a" }, 1],
          [2, []],
        ],
      },
    },
  ],
  ["%0\r\n", { value: { type: "map", entries: [] } }],
  // An attribute is read and dropped, wherever it stands.
  ["|1\r\n+ttl\r\n:9\r\n*2\r\n|1\r\n+a\r\n*1\r\n:0\r\n:1\r\n:2\r\n", { value: [1, 2] }],
  ["|0\r\n:1\r\n", { value: 1 }],
  ["?\r\n", { error: 'unknown type of reply: "?"' }],
  ["*?\r\n", { error: "invalid length of an aggregate" }],
  ["\r\n", { error: 'unknown type of reply: "\\u0000"' }],
];
