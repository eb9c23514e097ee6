import type { BytesTypeConfig, NodeId } from "@seshat/common";
import { createMembership } from "@seshat/common";
import type { RaftStorage } from "@seshat/storage";
import { nodesFor } from "./values.js";

/** Writes the founding entry of a cluster into the storage of a node that does not run: the other founders need not be there. */
export async function foundInStorage(
  storage: RaftStorage<BytesTypeConfig>,
  ...ids: readonly NodeId[]
): Promise<void> {
  const membership = createMembership([ids], nodesFor(...ids));
  await storage.append(
    [{ logId: { term: 0, index: 1 }, payload: { type: "membership", membership } }],
    () => {},
  );
}
