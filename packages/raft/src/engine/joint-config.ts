import type { NodeId } from "@seshat/common";
import { hasQuorum, quorumValue } from "./quorum.js";

/** One set of voters, or two while joint: then every decision needs a majority of each (Raft paper section 6). */
export type Configs = readonly (readonly NodeId[])[];

/** The highest value reached by a majority of every config; negative infinity when there is no config. */
export function jointQuorumValue(configs: Configs, valueOf: (id: NodeId) => number): number;
export function jointQuorumValue<A>(
  configs: Configs,
  valueOf: (id: NodeId, about: A) => number,
  about: A,
): number;
export function jointQuorumValue<A>(
  configs: Configs,
  valueOf: (id: NodeId, about?: A) => number,
  about?: A,
): number {
  if (configs.length === 0) return Number.NEGATIVE_INFINITY;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < configs.length; i++)
    lowest = Math.min(lowest, quorumValue(configs[i] as readonly NodeId[], valueOf, about));
  return lowest;
}

/** True when a majority of every config has granted; false when there is no config. */
export function hasJointQuorum(configs: Configs, granted: ReadonlySet<NodeId>): boolean {
  return configs.length > 0 && configs.every((voters) => hasQuorum(voters, granted));
}
