import type { SnapshotData } from "@seshat/common";
import { CodecError, InvalidValueError, checkInteger } from "@seshat/common";
import { toError } from "./failure.js";

/**
 * The content of a snapshot that somebody brings. Whatever goes wrong in reading it is the content's fault, and not that of this node's storage, so it must
 * not stop the node.
 *
 * @throws {InvalidValueError} when it is no content.
 */
export function foreignContent(field: string, data: SnapshotData): SnapshotData {
  const size = checkInteger(`${field}.size`, data.size, 0);
  if (typeof data.read !== "function") throw new InvalidValueError(`${field}.read`, "none", "a function");
  return { size, read: (offset) => readForeign(data, offset) };
}

async function* readForeign(data: SnapshotData, offset: number): AsyncGenerator<Uint8Array> {
  let position = offset;
  try {
    for await (const chunk of data.read(offset)) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a chunk is no bytes");
      yield chunk;
      position += chunk.length;
    }
  } catch (thrown) {
    if (thrown instanceof CodecError) throw thrown;
    throw new CodecError("snapshot", position, `its source failed: ${toError(thrown).message}`);
  }
}
