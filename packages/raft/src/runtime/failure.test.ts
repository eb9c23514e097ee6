import { StorageError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { storageFailure, toError } from "./failure.js";

describe("failures", () => {
  test("a storage error stays what it is, with the verb it came with", () => {
    const error = new StorageError("read log", "gone");
    expect(storageFailure("append", error)).toBe(error);
  });

  test("any other error becomes a storage error that says what was being done, with the cause", () => {
    const cause = new Error("disk full");
    const error = storageFailure("append", cause);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ verb: "append", message: "storage failed to append: disk full", cause });
  });

  test.each(["a string", 42, null, undefined])("whatever is thrown becomes an error: %s", (thrown) => {
    expect(storageFailure("purge", thrown)).toMatchObject({
      message: `storage failed to purge: ${thrown}`,
      cause: thrown,
    });
    expect(toError(thrown)).toMatchObject({ message: String(thrown), cause: thrown });
  });

  test("an error is passed on as it is", () => {
    const error = new TypeError("x");
    expect(toError(error)).toBe(error);
  });
});
