import { InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { del, set, utf8 } from "../../test/helpers.js";
import type { Operation } from "./operation.js";
import { DEFAULT_OPERATION_LIMITS, OperationTooLargeError, checkOperation } from "./operation.js";

const limits = { maxKeyBytes: 4, maxValueBytes: 6, maxKeys: 2 };

describe("an operation is checked against its limits", () => {
  test("the defaults are keys of 256 bytes, values of 64 KiB, 1024 keys", () => {
    expect(DEFAULT_OPERATION_LIMITS).toEqual({ maxKeyBytes: 256, maxValueBytes: 65_536, maxKeys: 1024 });
    expect(() => checkOperation(set("k".repeat(256), "v".repeat(65_536)))).not.toThrow();
    expect(() => checkOperation(set("k".repeat(257), ""))).toThrow(
      "operation.key has 257 bytes, but the limit is 256",
    );
  });

  test("operations right at the limits pass, empty keys and values too", () => {
    expect(() => checkOperation(set("kkkk", "vvvvvv"), limits)).not.toThrow();
    expect(() => checkOperation(set("", ""), limits)).not.toThrow();
    expect(() => checkOperation(del("kkkk", ""), limits)).not.toThrow();
  });

  test.each<[Operation, string, number, number, string]>([
    [set("kkkkk", "v"), "operation.key", 5, 4, "bytes"],
    [set("é".repeat(3), "v"), "operation.key", 6, 4, "bytes"],
    [set("k", "vvvvvvv"), "operation.value", 7, 6, "bytes"],
    [del("a", "kkkkk"), "operation.keys[1]", 5, 4, "bytes"],
    [del("a", "b", "c"), "operation.keys", 3, 2, "keys"],
  ])(
    "one past a limit is refused with the field, the size and the limit",
    (operation, field, size, limit, unit) => {
      const check = (): void => checkOperation(operation, limits);
      expect(check).toThrow(OperationTooLargeError);
      expect(check).toThrow(expect.objectContaining({ code: "operationTooLarge", field, size, limit, unit }));
      expect(check).toThrow(`${field} has ${size} ${unit}, but the limit is ${limit}`);
    },
  );

  test.each([
    [{ type: "incr" }, /^operation.type is "incr", but it must be "set" or "del"/],
    [{ type: "set", key: "text", value: utf8("v") }, /^operation.key is "text", but it must be a Uint8Array/],
    [{ type: "set", key: utf8("k") }, /^operation.value is undefined/],
    [{ type: "del", keys: [] }, /^operation.keys is \[\], but it must be an array of at least one key/],
    [{ type: "del" }, /^operation.keys is undefined/],
    [{ type: "del", keys: [utf8("a"), null] }, /^operation.keys\[1\] is null/],
  ])("what is no operation is refused by field: %j", (operation, message) => {
    const check = (): void => checkOperation(operation as unknown as Operation);
    expect(check).toThrow(InvalidValueError);
    expect(check).toThrow(message);
  });

  test.each([
    ["maxKeyBytes", 0],
    ["maxValueBytes", -1],
    ["maxKeys", Number.NaN],
  ])("a limit that makes no sense is refused by name: %s", (field, value) => {
    const check = (): void => checkOperation(set("k", "v"), { ...limits, [field]: value });
    expect(check).toThrow(InvalidValueError);
    expect(check).toThrow(`limits.${field} is ${value}`);
  });
});
