import type { BytesTypeConfig } from "@seshat/common";
import { RaftNode } from "@seshat/raft";
import type { OpenRaftMemStorage } from "@seshat/storage";
import type { CheckedSingleNodeOptions } from "./single-node-options.js";

/** Starts a node over `storage`, makes it a cluster if the storage is new, and resolves when it leads. */
export async function startLeader(
  options: CheckedSingleNodeOptions,
  storage: OpenRaftMemStorage<BytesTypeConfig>,
): Promise<RaftNode> {
  const { nodeId, startTimeoutMs, forNode } = options;
  const node = await RaftNode.start({ id: nodeId, storage, ...forNode });
  try {
    // The node is never sent anything: it has no peers, so its address only has to be there.
    if (storage.readLogState().lastLogId.index === 0)
      await node.initialize([[nodeId, { addr: "in-process" }]]);
    await node.waitForLeader(startTimeoutMs);
  } catch (error) {
    await node.shutdown();
    throw error;
  }
  return node;
}
