import { NotLeaderError, RemoteError, StorageError } from "@seshat/common";
import { expect, test } from "vitest";
import { errorFromBytes, errorToBytes } from "./errors.js";

test("an error comes back with its class, its fields, and what its cause said", () => {
  const error = new StorageError("append", "the disk is full", { cause: new Error("ENOSPC") });
  const back = errorFromBytes(errorToBytes(error));
  expect(back).toBeInstanceOf(StorageError);
  expect(back).toMatchObject({ verb: "append", problem: "the disk is full", cause: "ENOSPC" });
  const none = errorFromBytes(errorToBytes(new NotLeaderError(null, null)));
  expect(none).toMatchObject({ leaderId: null });
  expect(none.cause).toBeUndefined();
});

test("what UTF-8 cannot say is replaced, wherever it stands", () => {
  const half = "\ud800";
  for (const error of [
    new RangeError(half),
    new NotLeaderError(3, { addr: half }),
    new StorageError("append", half, { cause: new Error(half) }),
  ])
    expect(JSON.stringify(errorFromBytes(errorToBytes(error)))).not.toContain("\\ud800");
  expect(errorFromBytes(errorToBytes(new RangeError(half)))).toBeInstanceOf(RemoteError);
});

test("bytes that are no error are refused", () => {
  expect(() => errorFromBytes(Uint8Array.of(255, 255))).toThrow("premature EOF");
});
