import { formatLogId } from "@seshat/common";
import type { Command } from "./command.js";
import type { CommandResult } from "./command-result.js";
import type { CommandTarget } from "./command-target.js";
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
      return { type: "status", status: target.status() };
    case "snapshot": {
      const last = await target.snapshot();
      return { type: "text", text: `OK, snapshot up to ${formatLogId(last)}` };
    }
    case "restart": {
      await target.restart();
      return { type: "text", text: `OK, restarted and leading in term ${target.status().term}` };
    }
    case "help":
      return { type: "text", text: helpText(command.topic) };
    case "quit":
      return OK;
    default:
      return command satisfies never;
  }
}
