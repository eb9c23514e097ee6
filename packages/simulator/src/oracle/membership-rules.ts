import type { LogId, NodeId } from "@seshat/common";
import { compareLogIds, formatLogId } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import type { EngineState } from "./observed-node.js";
import { effective } from "./observed-node.js";
import { Violation } from "./violation.js";

/** A10: the membership in force is the last one in the log. */
export function checkEffective(name: string, { commands, state }: EngineStep): void {
  const { logId } = effective(state);
  let newest = 0;
  for (const command of commands) {
    if (command.type === "truncate") {
      newest = 0;
      if (logId.index >= command.since && !brings(commands, logId)) {
        throw new Violation(
          "A10 the last membership is in force",
          `${name} goes by the membership of ${logId.index}, and truncates from ${command.since} on`,
        );
      }
    } else if (command.type === "append") {
      for (const entry of command.entries)
        if (entry.payload.type === "membership") newest = entry.logId.index;
    }
  }
  if (newest > logId.index) {
    throw new Violation(
      "A10 the last membership is in force",
      `${name} appends a membership at ${newest}, and goes by that of ${logId.index}`,
    );
  }
}

/** True when a step brings a membership: as an entry, or with a snapshot, which ends with it or later and takes the place of the log. */
function brings(commands: EngineStep["commands"], membership: LogId): boolean {
  return commands.some(
    (command) =>
      (command.type === "append" && command.entries.some(({ logId }) => logId.index === membership.index)) ||
      (command.type === "purge" && compareLogIds(command.upto, membership) >= 0),
  );
}

/**
 * A10, B10: a leader goes from one set of voters to another only through both, and out of both, or on to the next change, only once the
 * one before is committed.
 */
export function checkSuccession(name: string, state: EngineState, logId: LogId): void {
  const position = state.memberships.findIndex((stored) => stored.logId.index === logId.index);
  const next = state.memberships[position];
  const before = state.memberships[position - 1];
  if (next === undefined || before === undefined || before.membership.configs.length === 0) return;
  if (state.committed.index < before.logId.index) {
    throw new Violation(
      "A10 one membership change at a time",
      `${name} appends the membership ${formatLogId(logId)} while ${formatLogId(before.logId)} is not committed`,
    );
  }
  const from = before.membership.configs;
  const to = next.membership.configs;
  const isSame = from.length === 1 && to.length === 1 && sameIds(from[0], to[0]);
  const enters = from.length === 1 && to.length === 2 && sameIds(from[0], to[0]);
  const leaves = from.length === 2 && to.length === 1 && sameIds(from[1], to[0]);
  if (isSame || enters || leaves) return;
  throw new Violation(
    "B10 successive memberships overlap",
    `${name} goes from ${JSON.stringify(from)} to ${JSON.stringify(to)}`,
  );
}

function sameIds(a: readonly NodeId[] | undefined, b: readonly NodeId[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((id, i) => b[i] === id);
}
