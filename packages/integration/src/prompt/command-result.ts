import type { LogId, NodeId } from "@seshat/common";
import { formatLogId } from "@seshat/common";
import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";
import type { SingleNodeStatus } from "../single-node-status.js";
import { quote } from "./quote.js";

/** What a command answered. */
export type CommandResult =
  | { readonly type: "ok" }
  | { readonly type: "integer"; readonly value: number }
  | { readonly type: "bytes"; readonly value: Uint8Array }
  | { readonly type: "nil" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "status"; readonly status: SingleNodeStatus }
  | { readonly type: "clusterStatus"; readonly status: KeyValueClusterStatus };

/**
 * How results are written.
 *
 * - `quoted`: as redis-cli shows them on a terminal, `"value"`, `(integer) 1`, `(nil)`; one line each, and any
 *   bytes can be told apart. STATUS is one line of JSON.
 * - `raw`: as redis-cli writes them to a pipe: the bytes of the value and a newline, the bare number, an
 *   empty line for a missing value.
 * - `terminal`: `quoted`, with STATUS as a table for people.
 */
export type ResultStyle = "quoted" | "raw" | "terminal";

/** Writes a result, its newline included, either as text or, for a raw value, as its bytes. */
export function formatResult(result: CommandResult, style: ResultStyle): string | Uint8Array {
  switch (result.type) {
    case "ok":
      return "OK\n";
    case "integer":
      return style === "raw" ? `${result.value}\n` : `(integer) ${result.value}\n`;
    case "nil":
      return style === "raw" ? "\n" : "(nil)\n";
    case "bytes":
      return style === "raw" ? withNewline(result.value) : `${quote(result.value)}\n`;
    case "text":
      return `${result.text}\n`;
    case "status":
      return style === "terminal" ? statusTable(result.status) : `${JSON.stringify(result.status)}\n`;
    case "clusterStatus":
      return style === "terminal" ? clusterTable(result.status) : `${JSON.stringify(result.status)}\n`;
    default:
      return result satisfies never;
  }
}

/** A log id for people, who know no entry 0. */
export function showLogId(id: LogId): string {
  return id.index === 0 ? "none" : formatLogId(id);
}

/** Groups of nodes, as PARTITION is given them. */
export function showGroups(groups: readonly (readonly NodeId[])[]): string {
  return groups.map((group) => group.join(",")).join(" | ");
}

function withNewline(value: Uint8Array): Uint8Array {
  const line = new Uint8Array(value.length + 1);
  line.set(value);
  line[value.length] = 0x0a;
  return line;
}

function statusTable(status: SingleNodeStatus): string {
  const rows: readonly (readonly [string, string])[] = [
    ["node", `${status.nodeId}, ${status.state} in term ${status.term}`],
    ["leader", status.leaderId === null ? "none" : String(status.leaderId)],
    ["last log", showLogId(status.lastLogId)],
    ["committed", showLogId(status.committed)],
    ["last applied", showLogId(status.lastApplied)],
    ["snapshot", `${showLogId(status.snapshot)} (${status.snapshotsTaken} taken)`],
    ["purged", showLogId(status.purged)],
    ["keys", String(status.keys)],
    ["restarts", String(status.restarts)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join("");
}

const COLUMNS = ["node", "role", "term", "last log", "committed", "applied", "snapshot", "lag"];

function clusterTable(status: KeyValueClusterStatus): string {
  const rows = status.nodes.map((node) =>
    [
      node.nodeId,
      node.state,
      node.term,
      ...[node.lastLogId, node.committed, node.lastApplied, node.snapshot].map((id) => id && showLogId(id)),
      node.lag,
    ].map((cell) => String(cell ?? "-")),
  );
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
  return `${lines.join("\n")}\nlinks: ${links}; ${counts}\n${lostNodes(status)}`;
}

/** The nodes that need entries which their leader has purged from its log. */
function lostNodes({ nodes, leaderId }: KeyValueClusterStatus): string {
  const purged = nodes.find(({ nodeId }) => nodeId === leaderId)?.purged?.index ?? 0;
  const lost = nodes.filter(({ lastLogId }) => lastLogId !== null && lastLogId.index < purged);
  return lost
    .map(
      ({ nodeId }) => `node ${nodeId} cannot catch up: what it lacks was purged from the log of the leader\n`,
    )
    .join("");
}
