import { formatLogId } from "@seshat/common";
import type { Command } from "./command.js";
import { CLUSTER_COMMANDS, SINGLE_NODE_COMMANDS } from "./command.js";
import type { CommandResult } from "./command-result.js";
import { showGroups, showLogId } from "./command-result.js";
import type { CommandTarget, NodeTarget, NodesTarget } from "./command-target.js";
import { hasNodes } from "./command-target.js";
import { helpText } from "./help.js";

const OK: CommandResult = { type: "ok" };
const NIL: CommandResult = { type: "nil" };

/**
 * Which commands may be under way together. Writes may follow each other without waiting, and so may
 * reads; a barrier is alone; a local command touches no data.
 */
export type Lane = "write" | "read" | "barrier" | "local";

/** The lane of a command. */
export function laneOf(command: Command): Lane {
  switch (command.type) {
    case "set":
    case "del":
      return "write";
    case "get":
    case "exists":
      return "read";
    case "status":
    case "snapshot":
    case "restart":
    case "snapshotNodes":
    case "restartNode":
    case "kill":
    case "partition":
    case "heal":
      return "barrier";
    case "help":
    case "quit":
      return "local";
    default:
      return command satisfies never;
  }
}

/** Carries out one command. Rejects with what the target rejects with. */
export async function runCommand(target: CommandTarget, command: Command): Promise<CommandResult> {
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
      return hasNodes(target)
        ? { type: "clusterStatus", status: target.status() }
        : { type: "status", status: target.status() };
    case "snapshot":
    case "restart":
      return await runOnNode(oneNode(target), command.type);
    case "snapshotNodes":
    case "restartNode":
    case "kill":
    case "partition":
    case "heal":
      return await runOnNodes(severalNodes(target), command);
    case "help":
      return {
        type: "text",
        text: helpText(command.topic, hasNodes(target) ? CLUSTER_COMMANDS : SINGLE_NODE_COMMANDS),
      };
    case "quit":
      return OK;
    default:
      return command satisfies never;
  }
}

/** The commands that are given a node, or nodes. */
type NodesCommand = Extract<
  Command,
  { type: "snapshotNodes" | "restartNode" | "kill" | "partition" | "heal" }
>;

async function runOnNode(target: NodeTarget, type: "snapshot" | "restart"): Promise<CommandResult> {
  if (type === "snapshot") {
    const last = await target.snapshot();
    return { type: "text", text: `OK, snapshot up to ${formatLogId(last)}` };
  }
  await target.restart();
  return { type: "text", text: `OK, restarted and leading in term ${target.status().term}` };
}

async function runOnNodes(target: NodesTarget, command: NodesCommand): Promise<CommandResult> {
  switch (command.type) {
    case "snapshotNodes": {
      const taken = await (command.node === null ? target.snapshot() : target.snapshot(command.node));
      const list = taken.map(({ nodeId, lastLogId }) => `${showLogId(lastLogId)} on node ${nodeId}`);
      return {
        type: "text",
        text: list.length === 0 ? "OK, no node runs" : `OK, snapshot up to ${list.join(", ")}`,
      };
    }
    case "restartNode":
      await target.restart(command.node);
      return { type: "text", text: `OK, node ${command.node} runs` };
    case "kill":
      await target.kill(command.node);
      return { type: "text", text: `OK, node ${command.node} is down` };
    case "partition":
      return { type: "text", text: `OK, ${showGroups(target.partition(command.groups))}` };
    case "heal":
      target.heal();
      return OK;
    default:
      return command satisfies never;
  }
}

// A target is only given commands of its own set.
function oneNode(target: CommandTarget): NodeTarget {
  if (hasNodes(target)) throw new Error("this command is for a cluster of one node");
  return target;
}

function severalNodes(target: CommandTarget): NodesTarget {
  if (!hasNodes(target)) throw new Error("this command is for a cluster of several nodes");
  return target;
}
