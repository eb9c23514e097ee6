import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../../test/store-helpers.js";
import { UnusableStoreError } from "../errors.js";
import { nodeIo } from "../io/store-io.js";
import { makeDirectory } from "./directory.js";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "seshat-directory-"));
});

afterEach(() => rmSync(root, { recursive: true }));

describe("making a directory", () => {
  /** The directories whose names were made durable. */
  async function made(path: string): Promise<string[]> {
    const synced: string[] = [];
    await makeDirectory(path, { ...nodeIo, syncDirectory: async (dir) => void synced.push(basename(dir)) });
    return synced;
  }

  test("makes those above it first, and the names of all of them durable", async () => {
    expect(await made(join(root, "a", "b", "c"))).toEqual([basename(root), "a", "b"]);
    expect(existsSync(join(root, "a", "b", "c"))).toBe(true);
  });

  test("leaves one that is there as it is", async () => {
    mkdirSync(join(root, "a"));
    symlinkSync(join(root, "a"), join(root, "link"));
    expect(await made(join(root, "a"))).toEqual([]);
    expect(await made(join(root, "link"))).toEqual([]);
    expect(await made(join(root, "link", "b"))).toEqual(["link"]);
  });

  test("that another process makes at the same time ends well", async () => {
    const together = Array.from({ length: 8 }, () => made(join(root, "a", "b")));
    await expect(Promise.all(together)).resolves.toHaveLength(8);
  });
});

describe("a store where none can be", () => {
  const places: [string, () => string, RegExp][] = [
    ["a file", () => join(root, "file"), /it is not a directory/],
    ["below a file", () => join(root, "file", "store"), /ENOTDIR/],
    ["a link that leads nowhere", () => join(root, "nowhere"), /it is not a directory/],
    ["a name that is too long", () => join(root, "x".repeat(300)), /ENAMETOOLONG/],
    [
      "a path that is too long",
      () => join(root, ...Array.from({ length: 100 }, () => "x".repeat(100))),
      /ENAMETOOLONG/,
    ],
  ];
  // What is there takes no directories, and misses none.
  if (process.platform === "linux") places.push(["/proc", () => "/proc/nope/store", /ENOENT.*\/proc\/nope'/]);

  test.each(places)("%s: it is refused, and says why", async (_, place, problem) => {
    writeFileSync(join(root, "file"), "mine");
    symlinkSync(join(root, "gone"), join(root, "nowhere"));
    const error = await openStore(place()).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown as UnusableStoreError,
    );
    expect(error).toBeInstanceOf(UnusableStoreError);
    expect(error).toMatchObject({ reason: "io", path: place() });
    expect(error.message).toMatch(problem);
  });
});
