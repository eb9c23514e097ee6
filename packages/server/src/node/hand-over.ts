import type { Logger, RaftTypeConfig } from "@seshat/common";
import { voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";

/** How long another node has to take over, in milliseconds. Writes wait meanwhile, and go to it then. */
const HAND_OVER_MS = 3000;

/**
 * Gives the leadership to another voter before this node goes, so that clients need not wait for an election. Best effort: when nobody
 * takes it in time the others elect one, as after a crash.
 */
export async function handOver<C extends RaftTypeConfig>(raft: Raft<C>, logger: Logger): Promise<void> {
  if (!raft.isLeader()) return;
  const others = voterIds(raft.metrics().membership.membership).filter((id) => id !== raft.id);
  if (others.length === 0) return;
  try {
    await raft.transferLeader({ timeoutMs: HAND_OVER_MS });
    logger.log("info", "node.handedOver", { node: raft.id, leader: raft.leaderId() });
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    logger.log("warn", "node.handOver.failed", { node: raft.id, error });
  }
}
