import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UnusableStoreError } from "../errors.js";
import type { StoreIo } from "../io/store-io.js";
import type { StoreKind } from "./marker-file.js";
import { createMarker } from "./marker-file.js";

/** Logs of earlier starts that RocksDB leaves and nobody reads. */
const KEPT_INFO_LOGS = 2;

/** The parts of a store, as absolute paths. */
export interface StorePaths {
  readonly root: string;
  readonly marker: string;
  readonly lock: string;
  readonly database: string;
  readonly journal: string;
  readonly snapshots: string;
}

export function pathsOf(dir: string): StorePaths {
  const root = resolve(dir);
  return {
    root,
    marker: join(root, "seshat.store"),
    lock: join(root, "lock"),
    database: join(root, "db"),
    journal: join(root, "journal"),
    snapshots: join(root, "snapshots"),
  };
}

/** @throws {UnusableStoreError} when the directory holds anything else. */
export async function beginStore({ root, marker }: StorePaths, kind: StoreKind, io: StoreIo): Promise<void> {
  const files = (await readdir(root)).filter((name) => name !== "lock");
  if (files.length > 0 && !(files.length === 1 && files[0] === "seshat.store.new")) {
    const problem = `it holds ${files.slice(0, 5).join(", ")}, and no marker of a store`;
    throw new UnusableStoreError("unknown", root, problem);
  }
  const path = `${marker}.new`;
  await rm(path, { force: true });
  await createMarker(path, kind, io);
  await io.rename(path, marker);
  // Its own name, too: an earlier start may have made the directory and have ended before it was durable.
  for (const dir of [root, dirname(root)]) await io.syncDirectory(dir);
}

/**
 * Makes a directory where there is none, with those above it. Their names are durable when it ends.
 *
 * `mkdir` with `recursive` does not: it never ends where a directory is there in which none can be made and none is missing, as in `/proc`,
 * and takes a thread with it.
 */
export async function makeDirectory(path: string, io: StoreIo): Promise<void> {
  const parent = dirname(path);
  try {
    await mkdir(path);
  } catch (error) {
    if (await isDirectory(path)) return;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new Error("it is not a directory", { cause: error });
    if (code !== "ENOENT" || parent === path) throw error;
    await makeDirectory(parent, io);
    // Another process may be at it too.
    await mkdir(path).catch(async (again: unknown) => {
      if (!(await isDirectory(path))) throw again;
    });
  }
  await io.syncDirectory(parent);
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Removes what RocksDB wrote about earlier starts. */
export async function removeInfoLogs(...dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) {
    const names = (await readdir(dir)).filter((name) => name.startsWith("LOG.old.")).sort();
    for (const name of names.slice(0, -KEPT_INFO_LOGS)) await rm(join(dir, name), { force: true });
  }
}
