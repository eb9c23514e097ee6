import type { EntryPart } from "@seshat/kv";

/** The arguments of a command, its name first. */
export type Args = readonly Uint8Array[];

/** What changes the state: a command, a transaction, or a change of the configuration. */
export type WriteOp = EntryPart;

/** What looks at the state: a command, or the versions of keys, for WATCH. */
export type ReadOp = Args | { readonly versionsOf: readonly Uint8Array[] };

/** Says that a read is not to be had without waiting. */
export const NOT_AT_ONCE: unique symbol = Symbol("not at once");

/** `Array.isArray` takes the type of a readonly array away. */
export function isArgs(op: ReadOp): op is Args {
  return Array.isArray(op);
}

/** What one argument counts beyond its bytes. */
const ARGUMENT_OVERHEAD = 32;

/** What arguments count against limits. */
export function sizeOfArgs(args: Args): number {
  let bytes = 0;
  for (let i = 0; i < args.length; i++) bytes += (args[i] as Uint8Array).length + ARGUMENT_OVERHEAD;
  return bytes;
}

/** What a write counts against limits. */
export function sizeOfWrite(op: WriteOp): number {
  switch (op.type) {
    case "command":
      return sizeOfArgs(op.args);
    case "transaction": {
      let bytes = ARGUMENT_OVERHEAD;
      for (const args of op.commands) bytes += sizeOfArgs(args);
      for (const { key } of op.watched) bytes += key.length + ARGUMENT_OVERHEAD;
      return bytes;
    }
    case "config":
      return 8 * ARGUMENT_OVERHEAD;
    default:
      return op satisfies never;
  }
}
