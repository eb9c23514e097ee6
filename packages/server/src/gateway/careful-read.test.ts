import { expect, it } from "vitest";
import { carefulRead } from "./careful-read.js";

it("a read that fails is answered by an error, told to the log, and ends nothing else", () => {
  const told: unknown[] = [];
  const machine = {
    read: (args: readonly Uint8Array[]): Uint8Array => {
      if (args.length > 1) throw new RangeError("Array buffer allocation failed");
      return Buffer.from("value");
    },
  };
  const read = carefulRead(machine, { log: (...record) => void told.push(record) });
  expect(read([Buffer.from("LCS"), Buffer.from("a")], 1)).toEqual({
    type: "error",
    message: "ERR the read failed: Array buffer allocation failed",
  });
  expect(told).toEqual([
    ["error", "read.failed", { command: "LCS", error: "Array buffer allocation failed" }],
  ]);
  expect(read([Buffer.from("GET")], 1)).toEqual(Buffer.from("value"));
});
