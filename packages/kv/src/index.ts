/** The replicated Redis key-value state machine: commands, entries, replies. */
export type { CommandFlag, CommandGroup, CommandSpec, KvCommand } from "./commands/command.js";
export { categories, keysOf } from "./commands/command.js";
export { matchesGlob } from "./commands/glob.js";
export { NameTable } from "./commands/name-table.js";
export { KV_COMMANDS, findCommand } from "./commands/table.js";
export type { KvConfig } from "./config.js";
export { DEFAULT_KV_CONFIG, REDIS_MAX_BYTES, checkKvConfig } from "./config.js";
export type { CommandPart, ConfigPart, EntryPart, KvEntry, TransactionPart, WatchedKey } from "./entry.js";
export { decodeKvEntry, encodeKvEntry, partBytes } from "./entry-codec.js";
export { Work } from "./work.js";
export type { KvTypeConfig } from "./kv-state-machine.js";
export { KvStateMachine, NEEDS_TICK } from "./kv-state-machine.js";
export { MOST_AHEAD } from "./store/dict.js";
export type {
  DoubleReply,
  ErrorReply,
  KvResponse,
  MapReply,
  NullArrayReply,
  PairsReply,
  Reply,
  SetReply,
  SimpleReply,
} from "./reply.js";
