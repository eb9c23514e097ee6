import type { KvCommand } from "./command.js";
import { GENERIC_COMMANDS, KEYSPACE_COMMANDS } from "./generic-commands.js";
import { HASH_COMMANDS } from "./hash-commands.js";
import { LIST_COMMANDS } from "./list-commands.js";
import { NameTable } from "./name-table.js";
import { SET_COMMANDS } from "./set-commands.js";
import { STRING_COMMANDS } from "./string-commands.js";
import { ZSET_COMMANDS } from "./zset-commands.js";

/** Every command on data. What is not here is unknown. */
export const KV_COMMANDS: readonly KvCommand[] = Object.freeze([
  ...STRING_COMMANDS,
  ...GENERIC_COMMANDS,
  ...KEYSPACE_COMMANDS,
  ...HASH_COMMANDS,
  ...LIST_COMMANDS,
  ...SET_COMMANDS,
  ...ZSET_COMMANDS,
]);

const BY_NAME = new NameTable<KvCommand>();
for (const command of KV_COMMANDS) BY_NAME.add(command.name, command);

/** The command of that name, in any case. */
export function findCommand(name: Uint8Array): KvCommand | undefined {
  return BY_NAME.find(name);
}
