import type { Logger, RaftTypeConfig } from "@seshat/common";
import { voterIds } from "@seshat/common";
import type { Condition, Raft } from "@seshat/raft";

/** How long another node has to take over, in milliseconds. Writes wait meanwhile, and go to it then. */
const HAND_OVER_MS = 3000;

/** A transfer has ended by then, well or not. */
const WATCH_MS = HAND_OVER_MS + 1000;

/**
 * Gives the leadership to another voter before this node goes, so that clients need not wait for an election. Best effort: when nobody
 * takes it in time the others elect one, as after a crash. When it turns out meanwhile that no majority answers, nobody can, and nobody is waited for.
 */
export async function handOver<C extends RaftTypeConfig>(raft: Raft<C>, logger: Logger): Promise<void> {
  if (!raft.isLeader()) return;
  const others = voterIds(raft.metrics().membership.membership).filter((id) => id !== raft.id);
  if (others.length === 0) return;
  try {
    await Promise.race([raft.transferLeader({ timeoutMs: HAND_OVER_MS }), quorumLost(raft)]);
    logger.log("info", "node.handedOver", { node: raft.id, leader: raft.leaderId() });
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    logger.log("warn", "node.handOver.failed", { node: raft.id, error });
  }
}

/** Rejects once this node leads no more, though nobody took over: whoever does so has a later term. */
async function quorumLost<C extends RaftTypeConfig>(raft: Raft<C>): Promise<never> {
  const before = raft.metrics().term;
  const isLost: Condition = {
    what: "the quorum to be lost",
    holds: ({ state, term }) => state !== "leader" && term === before,
  };
  await raft.wait(isLost, WATCH_MS);
  throw new Error("no majority answers any more");
}
