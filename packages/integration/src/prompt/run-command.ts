import type { NodeId } from "@seshat/common";
import { formatLogId } from "@seshat/common";
import type { NodeLogId } from "../cluster/cluster.js";
import { BadLineError } from "./bad-line-error.js";
import type { Command } from "./command.js";
import type { CommandResult } from "./command-result.js";
import type { CommandTarget } from "./command-target.js";
import { helpText } from "./help.js";
import { showGroups, showLogId } from "./status-table.js";

const OK: CommandResult = { type: "ok" };
const NIL: CommandResult = { type: "nil" };

/**
 * Which commands may be under way together. Writes may follow each other without waiting, and so may
 * reads; a barrier is alone; a watch is alone and shows things itself, after everything before it was given
 * out; a local command touches no data.
 */
export type Lane = "write" | "read" | "barrier" | "watch" | "local";

/** The lane of a command. */
export function laneOf(command: Command): Lane {
  switch (command.type) {
    case "set":
    case "del":
      return "write";
    case "get":
    case "exists":
      return "read";
    case "watch":
      return "watch";
    case "help":
    case "quit":
      return "local";
    case "status":
    case "add":
    case "remove":
    case "transfer":
    case "snapshot":
    case "purge":
    case "restart":
    case "kill":
    case "partition":
    case "heal":
      return "barrier";
    default:
      return command satisfies never;
  }
}

/** Shows the status again and again, and answers how that ended. */
export type Watch = (intervalMs: number) => Promise<CommandResult>;

/** Carries out one command. Rejects with what the target rejects with. */
export async function runCommand(
  target: CommandTarget,
  command: Command,
  watch: Watch,
): Promise<CommandResult> {
  switch (command.type) {
    case "set":
      await target.set(command.key, command.value);
      return OK;
    case "get": {
      const value = await target.get(command.key);
      return value === null ? NIL : { type: "bytes", value };
    }
    case "del":
      return { type: "integer", value: await target.del(command.keys) };
    case "exists":
      return { type: "integer", value: await target.exists(command.keys) };
    case "status":
      return { type: "status", status: target.status() };
    case "watch":
      return await watch(command.intervalMs);
    case "help":
      return text(helpText(command.topic));
    case "quit":
      return OK;
    default:
      return await runOnNodes(target, command);
  }
}

/** The commands that change which nodes there are and what they do. */
type NodesCommand = Extract<
  Command,
  { type: "add" | "remove" | "transfer" | "snapshot" | "purge" | "restart" | "kill" | "partition" | "heal" }
>;

async function runOnNodes(target: CommandTarget, command: NodesCommand): Promise<CommandResult> {
  switch (command.type) {
    case "add": {
      const id = await target.addNode(command.node ?? undefined);
      return text(`OK, node ${id} votes: ${votersOf(target)}`);
    }
    case "remove":
      await target.removeNode(command.node);
      return text(`OK, node ${command.node} is gone`);
    case "transfer":
      return text(`OK, node ${await target.transferLeader(command.node ?? undefined)} leads`);
    case "snapshot":
      return showSnapshots(target, command.node);
    case "purge": {
      const purged = await target.purgeLog(command.node ?? undefined);
      return onNodes("log purged up to", purged);
    }
    case "restart":
      return await restart(target, command.node);
    case "kill":
      await target.kill(command.node);
      return text(`OK, node ${command.node} is down`);
    case "partition":
      return text(`OK, ${showGroups(target.partition(command.groups))}`);
    case "heal":
      target.heal();
      return OK;
    default:
      return command satisfies never;
  }
}

function text(words: string): CommandResult {
  return { type: "text", text: words };
}

async function showSnapshots(target: CommandTarget, node: NodeId | null): Promise<CommandResult> {
  const taken = await target.snapshot(node ?? undefined);
  const [only] = taken;
  // Where there is but one node nobody needs to be told which.
  if (node === null && only !== undefined && target.status().nodes.length === 1)
    return text(`OK, snapshot up to ${formatLogId(only.logId)}`);
  return onNodes("snapshot up to", taken);
}

function onNodes(what: string, done: readonly NodeLogId[]): CommandResult {
  const list = done.map(({ nodeId, logId }) => `${showLogId(logId)} on node ${nodeId}`);
  return text(list.length === 0 ? "OK, no node runs" : `OK, ${what} ${list.join(", ")}`);
}

async function restart(target: CommandTarget, node: NodeId | null): Promise<CommandResult> {
  if (node !== null) {
    await target.restart(node);
    return text(`OK, node ${node} runs`);
  }
  const ids = target.status().nodes.map(({ nodeId }) => nodeId);
  const [only] = ids;
  if (only === undefined || ids.length > 1)
    throw new BadLineError(`RESTART needs a node, one of ${ids.join(", ")}: RESTART ${only ?? 1}`);
  await target.restart(only);
  await target.waitForLeader();
  return text(`OK, restarted and leading in term ${target.status().nodes[0]?.term}`);
}

function votersOf(target: CommandTarget): string {
  const { membership } = target.status();
  const voters = membership?.configs.at(-1) ?? [];
  return voters.length === 0 ? "no node leads at the moment" : `the voters are ${voters.join(", ")}`;
}
