import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "./exit-codes.js";

/** Stands in a folder while a backup is restored into it: without its data such a node would wait for a leader for ever. */
const MARK = "restore-unfinished";

/** Fills the store in `dir`, which must not be used before that has ended. */
export async function restoringInto(dir: string, fill: () => Promise<void>): Promise<void> {
  const mark = join(dir, MARK);
  await writeFile(mark, "");
  await fill();
  await rm(mark);
}

/** @throws {CliError} when a restore into `dir` has begun and not ended. */
export async function checkRestored(dir: string): Promise<void> {
  const isUnfinished = await access(join(dir, MARK)).then(
    () => true,
    () => false,
  );
  if (isUnfinished) {
    throw new CliError(
      `a backup was being restored into ${dir} and is not whole: empty it, and restore again`,
    );
  }
}
