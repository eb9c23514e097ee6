import type { LogId, NodeId } from "@seshat/common";
import { formatLogId } from "@seshat/common";
import type { KeyValueClusterStatus, NodeStatus } from "../cluster/key-value-cluster-status.js";

/** A log id for people, who know no entry 0. */
export function showLogId(id: LogId): string {
  return id.index === 0 ? "none" : formatLogId(id);
}

/** Groups of nodes, as PARTITION is given them. */
export function showGroups(groups: readonly (readonly NodeId[])[]): string {
  return groups.map((group) => group.join(",")).join(" | ");
}

const COLUMNS = [
  "node",
  "role",
  "member",
  "term",
  "last log",
  "committed",
  "applied",
  "snapshot",
  "purged",
  "lag",
  "mode",
];

/** The status of a cluster for people: a row for each node, and below what concerns all. Every line ends with a newline. */
export function statusTable(status: KeyValueClusterStatus): string {
  const rows = status.nodes.map((node) => rowOf(node).map((cell) => String(cell ?? "-")));
  const table = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => (row[column] as string).length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join("  ")
      .trimEnd(),
  );
  const links = status.partition === null ? "whole" : `cut between ${showGroups(status.partition)}`;
  const counts = `${status.keys} ${status.keys === 1 ? "key" : "keys"}, ${status.snapshotsTaken} snapshots taken`;
  const notes = [...stalls(status), members(status), ...transfer(status), `links: ${links}; ${counts}`];
  return [...lines, ...notes].map((line) => `${line}\n`).join("");
}

function rowOf(node: NodeStatus): readonly (string | number | null)[] {
  const { nodeId, state, member, term, lastLogId, committed, lastApplied, snapshot, purged, lag } = node;
  const logIds = [lastLogId, committed, lastApplied, snapshot, purged];
  return [nodeId, state, member, term, ...logIds.map((id) => id && showLogId(id)), lag, modeOf(node)];
}

/** A snapshot on its way shows how much of it has arrived. */
function modeOf({ mode, snapshotProgress }: NodeStatus): string | null {
  if (snapshotProgress === null) return mode;
  const { offset, size } = snapshotProgress;
  return `${mode} ${size === 0 ? 100 : Math.floor((offset * 100) / size)}%`;
}

function stalls({ nodes }: KeyValueClusterStatus): readonly string[] {
  return nodes.flatMap(({ nodeId, stalled }) =>
    stalled === null
      ? []
      : [`node ${nodeId} is stalled: its storage has been trying to ${stalled} for too long`],
  );
}

function members({ membership }: KeyValueClusterStatus): string {
  if (membership === null) return "members: unknown while no node leads";
  const [before = "", after = ""] = membership.configs.map((ids) => ids.join(", "));
  const voters = membership.joint ? `joint, from the voters ${before} to ${after}` : `voters ${before}`;
  const { learners } = membership;
  return `members: ${voters}${learners.length === 0 ? "" : `; learners ${learners.join(", ")}`}`;
}

function transfer({ leaderId, transferTarget }: KeyValueClusterStatus): readonly string[] {
  return transferTarget === null
    ? []
    : [`node ${leaderId} is handing the leadership over to node ${transferTarget}`];
}
