import type { NodeId } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import { checkObject } from "./check-message.js";
import type { RaftMetrics } from "./runtime/metrics.js";

/** Something that is waited for. */
export interface Condition {
  /** What it is, in words, for the error when it does not come true in time. */
  readonly what: string;
  /** Whether it holds. Looked at after every turn of the node, so it should be quick. */
  readonly holds: (metrics: RaftMetrics<unknown>) => boolean;
}

/** @throws {InvalidValueError} that names what is wrong with it. */
export function checkCondition(condition: Condition): void {
  checkObject("condition", condition);
  if (typeof condition.what !== "string")
    throw new InvalidValueError("condition.what", condition.what, "what is waited for, in words");
  if (typeof condition.holds !== "function")
    throw new InvalidValueError(
      "condition.holds",
      condition.holds,
      "a function from metrics to true or false",
    );
}

/** What is waited for most often: `raft.wait(until.leader(2), 5000)`. */
export const until: {
  /** A leader is known: `id`, or any. */
  readonly leader: (id?: NodeId) => Condition;
  /** The node has this role. */
  readonly state: (state: RaftMetrics<unknown>["state"]) => Condition;
  /** The log has come to this index. */
  readonly lastLog: (index: number) => Condition;
  /** Everything up to this index is known to be committed. */
  readonly committed: (index: number) => Condition;
  /** The state machine has applied everything up to this index. */
  readonly applied: (index: number) => Condition;
  /** A snapshot holds everything up to this index. */
  readonly snapshot: (index: number) => Condition;
  /** The log is purged up to this index. */
  readonly purged: (index: number) => Condition;
  /** The membership in force is not joint, and these are its voters. */
  readonly voters: (ids: readonly NodeId[]) => Condition;
  /** This node, as leader, has brought another up to this index. */
  readonly replicated: (id: NodeId, index: number) => Condition;
} = {
  leader: (id) => ({
    what: id === undefined ? "a leader" : `node ${id} to lead`,
    holds: ({ currentLeader }) => (id === undefined ? currentLeader !== null : currentLeader === id),
  }),
  state: (state) => ({ what: `the role ${state}`, holds: (metrics) => metrics.state === state }),
  lastLog: (index) => ({ what: `entry ${index}`, holds: ({ lastLogId }) => lastLogId.index >= index }),
  committed: (index) => ({
    what: `the commit of entry ${index}`,
    holds: ({ committed }) => committed.index >= index,
  }),
  applied: (index) => ({
    what: `entry ${index} to be applied`,
    holds: ({ lastApplied }) => lastApplied.index >= index,
  }),
  snapshot: (index) => ({
    what: `a snapshot up to entry ${index}`,
    holds: ({ snapshot }) => snapshot.index >= index,
  }),
  purged: (index) => ({
    what: `the log to be purged up to entry ${index}`,
    holds: ({ purged }) => purged.index >= index,
  }),
  voters: (ids) => {
    const wanted = [...new Set(ids)].sort((a, b) => a - b).join();
    return {
      what: `the voters ${wanted}`,
      holds: ({ membership: { membership } }) =>
        membership.configs.length === 1 && membership.configs[0]?.join() === wanted,
    };
  },
  replicated: (id, index) => ({
    what: `entry ${index} on node ${id}`,
    holds: ({ replication }) => (replication?.get(id)?.matchIndex ?? 0) >= index,
  }),
};
