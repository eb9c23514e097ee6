import { expect, test } from "vitest";
import { countRequest, emptyRequest, getRequest, nested, putRequest, readAnswer } from "./messages.js";

/** Bytes in groups, for people. */
function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

test("requests are what protoc would make of them, each with the prefix of gRPC", () => {
  expect(putRequest("k", Buffer.from("vw"))).toEqual(bytes("0000000007 0a016b 12027677"));
  expect(getRequest("k")).toEqual(bytes("0000000003 0a016b"));
  expect(countRequest("a:")).toEqual(bytes("000000000c 0a02613a 1202613b 3801 4801"));
  expect(emptyRequest()).toEqual(bytes("0000000000"));
  // A length of 300 takes two bytes.
  expect(putRequest("k", Buffer.alloc(300)).subarray(0, 11)).toEqual(bytes("0000000132 0a016b 12ac02"));
});

test("answers are read field by field, also numbers that do not fit into one of JavaScript", () => {
  const answer = readAnswer(bytes("0000000012 0a0d 10ffffffffffffffffff01 1803 209601"));
  expect(nested(answer, 1).get(2)).toBe("18446744073709551615");
  expect(nested(answer, 1).get(3)).toBe("3");
  expect(answer.get(4)).toBe("150");
  expect(nested(answer, 2).size).toBe(0);
});

test.each([
  ["0000000002 20", "an answer of etcd is not one message"],
  ["0000000001 2001", "an answer of etcd is not one message"],
  ["0000000001 80", "an answer of etcd is cut off"],
  ["0000000005 0d00000000", "an answer of etcd has a field of kind 5"],
])("%s is refused: %s", (hex, problem) => {
  expect(() => readAnswer(bytes(hex))).toThrow(problem);
});
