import { OUT_OF_MEMORY, Refusal } from "../refusal.js";
import type { ErrorReply, Reply } from "../reply.js";
import { errorReply } from "../reply.js";
import type { Db } from "../store/db.js";
import type { KvCommand } from "./command.js";
import { keysOf } from "./command.js";
import { errorText } from "./parse.js";
import { findCommand } from "./table.js";

/** How much of an unknown command an error repeats, and of its arguments together. */
const SHOWN_BYTES = 128;

/** The command that these arguments ask for, or the error that Redis answers when there is none or their number is wrong. */
export function resolve(args: readonly Uint8Array[]): KvCommand | ErrorReply {
  const [name] = args;
  const command = name === undefined ? undefined : findCommand(name);
  if (command === undefined) return errorReply(unknownCommand(args));
  const { arity } = command;
  if (arity >= 0 ? args.length !== arity : args.length < -arity) {
    return errorReply(`ERR wrong number of arguments for '${command.name}' command`);
  }
  return command;
}

/** Carries a command out whose number of arguments is right. */
export function run(db: Db, command: KvCommand, args: readonly Uint8Array[]): Reply {
  try {
    if (command.addsData) checkRoom(db, command, args);
    return command.run(db, args);
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    throw error;
  }
}

/** Whether the data counts for more than it may. */
export function isFull(db: Db): boolean {
  const { maxMemoryBytes } = db.config;
  return maxMemoryBytes > 0 && db.usedBytes > maxMemoryBytes;
}

function checkRoom(db: Db, command: KvCommand, args: readonly Uint8Array[]): void {
  if (isFull(db)) throw OUT_OF_MEMORY;
  const { firstKey, lastKey } = command;
  if (firstKey === lastKey) {
    if (firstKey > 0) db.checkKey(args[firstKey] as Uint8Array);
    return;
  }
  for (const key of keysOf(command, args)) db.checkKey(key);
}

function unknownCommand(args: readonly Uint8Array[]): string {
  const [name = new Uint8Array(0), ...rest] = args;
  let shown = "";
  for (const arg of rest) {
    if (shown.length >= SHOWN_BYTES) break;
    shown += `'${errorText(arg.subarray(0, SHOWN_BYTES - shown.length))}' `;
  }
  return `ERR unknown command '${errorText(name.subarray(0, SHOWN_BYTES))}', with args beginning with: ${shown}`;
}
