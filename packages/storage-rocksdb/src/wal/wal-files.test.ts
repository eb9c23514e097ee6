import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoreIo } from "../io/store-io.js";
import { nodeIo } from "../io/store-io.js";
import { walName } from "./inspect-wals.js";
import { WalFiles } from "./wal-files.js";

let dir: string;
let calls: string[];
let io: StoreIo;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "seshat-wals-"));
  calls = [];
  io = {
    ...nodeIo,
    datasync: async (fd, path) => {
      calls.push(basename(path));
      await nodeIo.datasync(fd, path);
    },
    syncDirectory: async (path) => {
      calls.push("directory");
      await nodeIo.syncDirectory(path);
    },
  };
});

afterEach(() => rmSync(dir, { recursive: true }));

const make = (...numbers: number[]): void => {
  for (const number of numbers) writeFileSync(join(dir, walName(number)), "written");
};

describe("WalFiles", () => {
  test("syncs a file that it sees for the first time, and the directory", async () => {
    make(4);
    const files = new WalFiles(dir, io);
    await files.syncNewest();
    expect(calls).toEqual([]);
    await files.syncUpTo(4);
    expect(calls).toEqual([walName(4), "directory"]);
    await files.close();
  });

  test("then syncs that file alone, once for each call", async () => {
    make(4);
    const files = new WalFiles(dir, io);
    await files.syncUpTo(4);
    calls = [];
    for (let time = 0; time < 2; time++) {
      await files.syncNewest();
      await files.syncUpTo(4);
    }
    expect(calls).toEqual([walName(4), walName(4)]);
    await files.close();
  });

  test("syncs every file from the newest that it knows to the current one, and no later one", async () => {
    make(4);
    const files = new WalFiles(dir, io);
    await files.syncUpTo(4);
    make(7, 9, 12, 15);
    calls = [];
    await files.syncNewest();
    await files.syncUpTo(12);
    expect(calls).toEqual([walName(4), walName(7), walName(9), walName(12), "directory"]);
    await files.close();
  });

  test("goes on where files are gone that RocksDB has in its tables", async () => {
    make(4);
    const files = new WalFiles(dir, io);
    await files.syncUpTo(4);
    rmSync(join(dir, walName(4)));
    make(9);
    calls = [];
    await files.syncUpTo(7);
    expect(calls).toEqual(["directory"]);
    await files.syncNewest();
    await files.syncUpTo(9);
    expect(calls).toEqual(["directory", walName(9), "directory"]);
    await files.close();
  });
});
