import { mkdir, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/**
 * The directory that a command line asks for, made where it is missing; null stands for a temporary one, whose name begins with `prefix`.
 *
 * @returns its absolute path; null when it holds anything.
 */
export async function emptyDirectory(dir: string | null, prefix: string): Promise<string | null> {
  if (dir === null) return mkdtemp(join(tmpdir(), prefix));
  const path = resolve(dir);
  await mkdir(path, { recursive: true });
  return (await readdir(path)).length === 0 ? path : null;
}
