import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { LogId, SnapshotData } from "@seshat/common";
import { CliError } from "./exit-codes.js";

/**
 * The first line of a backup. The second is JSON: whose backup it is, and of what. Then comes the content of a snapshot, then the SHA-256 of all of that.
 */
export const BACKUP_FORMAT = "seshat-backup 1";

const DIGEST_BYTES = 32;
const MAX_HEADER_BYTES = 64 * 1024;
const READ_BYTES = 1024 * 1024;

/** A backup that was found whole. */
export interface BackupFile extends AsyncDisposable {
  readonly clusterId: string;
  readonly lastLogId: LogId;
  readonly snapshotId: string;
  readonly data: SnapshotData;
}

interface Header {
  readonly clusterId: string;
  readonly lastLogId: LogId;
  readonly snapshotId: string;
  readonly size: number;
}

/**
 * Opens a backup, and checks all of it.
 *
 * @throws {CliError} when it cannot be read, or is not whole.
 */
export async function openBackup(path: string): Promise<BackupFile> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw new CliError(`cannot read ${path}: ${(error as Error).message}`);
  });
  try {
    const { header, start } = await readHeader(path, file);
    const end = start + header.size;
    await checkDigest(path, file, end);
    const { clusterId, lastLogId, snapshotId, size } = header;
    const data = {
      size,
      read: (offset: number) => readBytes(file, start + offset, end),
    };
    return {
      clusterId,
      lastLogId,
      snapshotId,
      data,
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(
  path: string,
  file: FileHandle,
): Promise<{ readonly header: Header; readonly start: number }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HEADER_BYTES), 0, MAX_HEADER_BYTES, 0);
  const bytes = buffer.subarray(0, bytesRead);
  const first = bytes.indexOf(10);
  const second = bytes.indexOf(10, first + 1);
  if (first < 0 || second < 0 || bytes.toString("latin1", 0, first) !== BACKUP_FORMAT) {
    throw new CliError(`${path} is no backup of this program`);
  }
  try {
    return { header: JSON.parse(bytes.toString("utf8", first + 1, second)) as Header, start: second + 1 };
  } catch {
    throw new CliError(`${path} is damaged: its header cannot be read`);
  }
}

async function checkDigest(path: string, file: FileHandle, end: number): Promise<void> {
  const { size } = await file.stat();
  if (size !== end + DIGEST_BYTES) {
    throw new CliError(`${path} is damaged: it has ${size} bytes, and should have ${end + DIGEST_BYTES}`);
  }
  const hash = createHash("sha256");
  for await (const chunk of readBytes(file, 0, end)) hash.update(chunk);
  const { buffer } = await file.read(Buffer.alloc(DIGEST_BYTES), 0, DIGEST_BYTES, end);
  if (!hash.digest().equals(buffer)) throw new CliError(`${path} is damaged: its checksum is wrong`);
}

async function* readBytes(file: FileHandle, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to;) {
    const wanted = Math.min(READ_BYTES, to - at);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
