import type { NodeId } from "@seshat/common";
import { NotLeaderError, TimeoutError } from "@seshat/common";
import type { Raft, RaftMetrics, ReplicationMetrics } from "@seshat/raft";
import { CommandError } from "../commands/command-error.js";
import type { ServerTypeConfig } from "../node/type-config.js";

/** How long a new node may take to get what there is, in milliseconds. Whoever asks again gives it as long once more. */
const CATCH_UP_MS = 60_000;

/**
 * Waits until a member that does not vote yet has all that was there when it was asked for, and is not far behind what came since.
 *
 * @param silenceMs how long it may say nothing.
 * @throws {CommandError} that says how far it is and what can be done, when it says nothing for longer or takes too long.
 * @throws {NotLeaderError} when this node does not lead any more.
 */
export async function catchUp(raft: Raft<ServerTypeConfig>, id: NodeId, silenceMs: number): Promise<void> {
  const { electionTimeoutMaxMs, replicationLagThreshold } = raft.config;
  const begun = performance.now();
  const first = raft.metrics().lastLogId.index;
  const holds = (metrics: RaftMetrics<unknown>): boolean => {
    const { matchIndex, lag, sinceLastAckMs } = progressOf(metrics, id);
    const waitedMs = performance.now() - begun;
    if (waitedMs > silenceMs && (sinceLastAckMs ?? waitedMs) > silenceMs) {
      throw unfinished(
        metrics,
        id,
        `does not answer for ${silenceMs} ms now: see that it runs and is reached`,
      );
    }
    const answers = sinceLastAckMs !== null && sinceLastAckMs < electionTimeoutMaxMs;
    return answers && matchIndex >= first && lag <= replicationLagThreshold;
  };
  try {
    await raft.wait({ what: `the catching up of node ${id}`, holds }, CATCH_UP_MS);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    throw unfinished(raft.metrics(), id, `has not caught up in ${CATCH_UP_MS} ms, and goes on`);
  }
}

function progressOf(metrics: RaftMetrics<unknown>, id: NodeId): ReplicationMetrics {
  const progress = metrics.replication?.get(id);
  if (progress !== undefined) return progress;
  if (metrics.replication === null) throw new NotLeaderError(metrics.currentLeader, null);
  throw new CommandError(`ERR node ${id} was taken out of the cluster meanwhile`);
}

/** What became of it, and what can be done. */
function unfinished(metrics: RaftMetrics<unknown>, id: NodeId, problem: string): CommandError {
  const { matchIndex = 0, lag = metrics.lastLogId.index } = metrics.replication?.get(id) ?? {};
  return new CommandError(
    `ERR node ${id} ${problem}. It has ${matchIndex} of ${matchIndex + lag} entries, and is a member that does not vote: ADD it again to go on, or REMOVE it`,
  );
}
