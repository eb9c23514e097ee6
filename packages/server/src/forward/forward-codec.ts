import { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { RespValue } from "@seshat/resp";
import { checkKvConfig } from "@seshat/kv";
import type { KvConfig, WatchedKey } from "@seshat/kv";
import type { Args, ReadOp, WriteOp } from "../gateway/op.js";
import { isArgs } from "../gateway/op.js";
import { readReply, writeReply } from "./reply-codec.js";

/** What a follower asks its leader to do for its clients. */
export type ForwardRequest =
  | { readonly type: "write"; readonly ops: readonly WriteOp[] }
  | { readonly type: "read"; readonly ops: readonly ReadOp[] };

const WRITE = 1;
const READ = 2;
const COMMAND = 0;
const TRANSACTION = 1;
const VERSIONS = 2;
const CONFIG = 3;

/** @param bytes about how long it will be. */
export function encodeForward(request: ForwardRequest, bytes: number): Uint8Array {
  const to = new ByteWriter(bytes + 64);
  to.u8(request.type === "write" ? WRITE : READ).u32(request.ops.length);
  if (request.type === "write") for (const op of request.ops) writeWrite(to, op);
  else for (const op of request.ops) writeRead(to, op);
  return to.finish();
}

function writeRead(to: ByteWriter, op: ReadOp): void {
  if (isArgs(op)) writeArgs(to.u8(COMMAND), op);
  else writeArgs(to.u8(VERSIONS), op.versionsOf);
}

function writeWrite(to: ByteWriter, op: WriteOp): void {
  switch (op.type) {
    case "command":
      writeArgs(to.u8(COMMAND), op.args);
      return;
    case "transaction":
      to.u8(TRANSACTION).u32(op.commands.length);
      for (const args of op.commands) writeArgs(to, args);
      to.u32(op.watched.length);
      for (const { key, version } of op.watched) to.bytes(key).u64(version);
      return;
    case "config":
      to.u8(CONFIG).bytes(new TextEncoder().encode(JSON.stringify(op.config)));
      return;
    default:
      op satisfies never;
  }
}

/** Byte strings are parts of `bytes`. @throws {CodecError} */
export function decodeForward(bytes: Uint8Array): ForwardRequest {
  const from = new ByteReader("forwarded operations", bytes);
  const type = from.u8();
  if (type !== WRITE && type !== READ) throw from.error(`an unknown kind of request: ${type}`);
  const count = from.u32();
  // Each takes at least a byte, so a count that lies ends at the end of the bytes.
  const many = <T>(read: () => T): T[] => {
    const ops: T[] = [];
    for (let left = count; left > 0; left--) ops.push(read());
    from.end();
    return ops;
  };
  return type === WRITE
    ? { type: "write", ops: many(() => readWrite(from)) }
    : { type: "read", ops: many(() => readRead(from)) };
}

/** Instead of a reply that does not fit into a message between nodes; what it stands for was done. */
const TOO_LARGE: RespValue = Object.freeze({
  type: "error",
  message:
    "ERR the command was carried out, but its reply is too large to come through a node that does not lead: ask the leader",
});

/**
 * As many replies as fit, from the first on, at least one.
 *
 * @param isPartial whether those that do not fit may be left out, to be asked for again: so with reads. Otherwise, and where the first alone
 *   does not fit, an error stands in the place of a reply: what was carried out must not count as refused.
 */
export function encodeReplies(
  replies: readonly RespValue[],
  isPartial: boolean,
  maxBytes: number,
): Uint8Array {
  const to = new ByteWriter(1024);
  to.u32(replies.length);
  // So much room has to be left for an error in the place of each of the others.
  const reserved = isPartial ? 0 : TOO_LARGE_BYTES;
  for (const [i, reply] of replies.entries()) {
    const before = to.length;
    writeReply(to, reply);
    if (to.length - before <= reserved || to.length + (replies.length - i - 1) * reserved <= maxBytes)
      continue;
    to.cut(before);
    if (isPartial && i > 0) {
      to.patchU32(0, i);
      break;
    }
    writeReply(to, TOO_LARGE);
  }
  return to.finish();
}

const TOO_LARGE_BYTES = 256;

/** @throws {CodecError} when it is not `count` replies, or with `isPartial` none, or more. */
export function decodeReplies(bytes: Uint8Array, count: number, isPartial: boolean): RespValue[] {
  const from = new ByteReader("forwarded replies", bytes);
  const given = from.u32();
  if (given > count || (isPartial ? given === 0 && count > 0 : given < count))
    throw from.error(`something else than ${count} replies`);
  const replies: RespValue[] = [];
  for (let left = given; left > 0; left--) replies.push(readReply(from));
  from.end();
  return replies;
}

function readRead(from: ByteReader): ReadOp {
  const kind = from.u8();
  if (kind === COMMAND) return readArgs(from);
  if (kind === VERSIONS) return { versionsOf: readArgs(from) };
  throw from.error(`an unknown kind of read: ${kind}`);
}

function readWrite(from: ByteReader): WriteOp {
  const kind = from.u8();
  if (kind === COMMAND) return { type: "command", args: readArgs(from) };
  if (kind === CONFIG) return { type: "config", config: readConfig(from) };
  if (kind !== TRANSACTION) throw from.error(`an unknown kind of write: ${kind}`);
  const commands: Args[] = [];
  for (let left = from.u32(); left > 0; left--) commands.push(readArgs(from));
  const watched: WatchedKey[] = [];
  for (let left = from.u32(); left > 0; left--)
    watched.push({ key: from.view(from.u32()), version: from.u64() });
  return { type: "transaction", commands, watched };
}

function readConfig(from: ByteReader): Partial<KvConfig> {
  const config = JSON.parse(new TextDecoder().decode(from.view(from.u32()))) as Partial<KvConfig>;
  checkKvConfig(config);
  return config;
}

function writeArgs(to: ByteWriter, args: Args): void {
  to.u32(args.length);
  for (const arg of args) to.bytes(arg);
}

function readArgs(from: ByteReader): Args {
  const args: Uint8Array[] = [];
  for (let left = from.u32(); left > 0; left--) args.push(from.view(from.u32()));
  return args;
}
