import type { SnapshotData } from "@seshat/common";
import { CodecError, InvalidValueError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { foreignContent } from "./foreign-snapshot.js";

async function read(data: SnapshotData, offset = 0): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of data.read(offset)) bytes.push(...chunk);
  return bytes;
}

describe("the content of a snapshot that somebody brings", () => {
  test("is read as it is, from any offset", async () => {
    const data: SnapshotData = {
      size: 3,
      async *read(offset) {
        yield new Uint8Array([1, 2, 3].slice(offset));
      },
    };
    expect(await read(foreignContent("data", data))).toEqual([1, 2, 3]);
    expect(await read(foreignContent("data", data), 2)).toEqual([3]);
  });

  test.each<[string, SnapshotData["read"]]>([
    [
      "throws when it is asked",
      () => {
        throw new Error("no such file");
      },
    ],
    [
      "fails in the middle",
      async function* fail() {
        yield new Uint8Array(2);
        throw new Error("no such file");
      },
    ],
    [
      "gives what is no bytes",
      async function* nonsense() {
        yield "no such file" as never;
      },
    ],
  ])("that %s is damaged, and no failure of this node's storage", async (_, source) => {
    await expect(read(foreignContent("data", { size: 4, read: source }))).rejects.toThrow(CodecError);
  });

  test.each<[object, string]>([
    [{}, "data.size"],
    [{ size: -1, read: () => [] }, "data.size"],
    [{ size: 1 }, "data.read"],
  ])("that is none is refused by name: %j", (data, field) => {
    expect(() => foreignContent("data", data as never)).toThrow(InvalidValueError);
    expect(() => foreignContent("data", data as never)).toThrow(field);
  });
});
