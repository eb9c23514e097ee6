import { createHash } from "node:crypto";
import { lstat, open, rename, rm } from "node:fs/promises";
import { BACKUP_FORMAT } from "./backup-file.js";
import { CliError } from "./exit-codes.js";
import type { CliIo } from "./io.js";
import type { Target } from "./resp-connection.js";
import { RespConnection, textOf } from "./resp-connection.js";

/** How long a node may take for a snapshot of all its data, in milliseconds. */
const SNAPSHOT_TIMEOUT_MS = 600_000;
const PART_BYTES = 1024 * 1024;

/** Writes everything that a node has acknowledged to a file, while it goes on. The file appears once it is whole and synced. */
export async function backup(target: Target, path: string, io: CliIo): Promise<void> {
  const isFree = await lstat(path).then(
    () => false,
    (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT",
  );
  if (!isFree) throw new CliError(`${path} is there already: a backup never takes the place of a file`);
  using connection = await RespConnection.open({ ...target, timeoutMs: SNAPSHOT_TIMEOUT_MS });
  const header = textOf(await connection.call("SESHAT", "BACKUP"));
  const { size, lastLogId } = JSON.parse(header) as {
    size: number;
    lastLogId: { term: number; index: number };
  };
  const temporary = `${path}.new`;
  const file = await open(temporary, "wx").catch((error: unknown) => {
    throw new CliError(`cannot write ${temporary}: ${(error as Error).message}`);
  });
  const hash = createHash("sha256");
  const write = async (bytes: Uint8Array): Promise<void> => {
    hash.update(bytes);
    await file.writeFile(bytes);
  };
  try {
    await write(Buffer.from(`${BACKUP_FORMAT}\n${header}\n`));
    for (let offset = 0; offset < size;) {
      const part = await connection.call("SESHAT", "BACKUP", "READ", offset, PART_BYTES);
      if (!(part instanceof Uint8Array) || part.length === 0)
        throw new CliError("the backup ended before its end");
      await write(part);
      offset += part.length;
    }
    await file.writeFile(hash.digest());
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
  io.stdout.write(`OK, ${path} holds everything up to entry ${lastLogId.index}: ${size} bytes\n`);
}
