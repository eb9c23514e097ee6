import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const BIN = join(PACKAGE, "node_modules/.bin");
const GENERATED = "src/generated";

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "seshat-generated-"));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Runs the compiler of the package on its `.proto` files. */
async function buf(...args: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env["PATH"] ?? ""}`, BUF_CACHE_DIR: dir };
  await promisify(execFile)(join(BIN, "buf"), args, { cwd: PACKAGE, env });
}

/** What every file below a folder holds, by its path. */
async function contents(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const read = files.map(async (file) => [file.slice(folder.length), await readFile(file, "utf8")] as const);
  return new Map((await Promise.all(read)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

test("the generated code is what the schema gives: after a change of proto/ run pnpm generate", async () => {
  await buf("generate", "--output", dir);
  const fresh = await contents(join(dir, GENERATED));
  expect(fresh.size).toBeGreaterThan(0);
  expect(await contents(join(PACKAGE, GENERATED))).toEqual(fresh);
});

test("the schema keeps to the rules that buf.yaml names", async () => {
  await expect(buf("lint")).resolves.toBeUndefined();
});
