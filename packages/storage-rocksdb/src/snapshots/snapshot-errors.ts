import type { RaftTypeConfig, StorageVerb } from "@seshat/common";
import { SeshatError, StorageError } from "@seshat/common";
import { messageOf } from "../errors.js";
import type { SnapshotFileWriter } from "./snapshot-file.js";

/** Gives up a file whose removal matters less than the reason for it: what is left goes at the next start. */
export async function discardQuietly<C extends RaftTypeConfig>(writer: SnapshotFileWriter<C>): Promise<void> {
  await writer.discard().catch(() => {});
}

/** An error that says what was being done. */
export function asError(verb: StorageVerb, cause: unknown): SeshatError {
  return cause instanceof SeshatError ? cause : new StorageError(verb, messageOf(cause), { cause });
}
