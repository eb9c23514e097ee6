import { CodecError, InvalidValueError, checkInteger } from "@seshat/common";
import { ByteReader } from "@seshat/common/binary";
import type { KvConfig } from "./config.js";
import { CONFIG_FIELDS, checkKvConfig } from "./config.js";
import type { EntryPart, KvEntry, WatchedKey } from "./entry.js";

/*
 *   entry       = version u8 = 2, time u64, seed u64, count, part * count
 *   part        = 1, arguments
 *               | 2, count, (key, version u64) * count, count, arguments * count
 *               | 3, count, (field u8, value u64) * count: the fields rise
 *   arguments   = count (at least 1), (length, bytes) * count
 *   key         = length, bytes
 *
 * Counts and lengths are varints of at most 5 bytes: seven bits a byte, the low ones first, as few bytes as will do. Fixed
 * integers are big-endian.
 */
const FORMAT = "entry";
/**
 * By which rules an entry is carried out, too: what one of version 1 takes of the processor is not bounded, so that a log from before there was a bound is carried
 * out as it was then. Who changes what things are charged makes a new version, for the same reason.
 */
const VERSION = 2;
const UNBOUNDED_VERSION = 1;
const COMMAND = 1;
const TRANSACTION = 2;
const CONFIG = 3;
const HEAD_BYTES = 17;

/** Below this length a loop beats a call. */
const SHORT_BYTES = 64;

/**
 * Encodes an entry as the data of a `Request`.
 *
 * @throws {InvalidValueError} when it is none.
 */
export function encodeKvEntry({ timeMs, seed, parts }: KvEntry): Uint8Array {
  let size = HEAD_BYTES + varintBytes(parts.length);
  for (const part of parts) size += partBytes(part);
  const writer = new EntryWriter(size);
  writer.u8(VERSION);
  writer.u64(checkInteger("entry.timeMs", timeMs, 0));
  writer.u64(checkInteger("entry.seed", seed, 0));
  writer.varint(parts.length);
  for (const part of parts) writer.part(part);
  return writer.bytes;
}

/** How many bytes a part takes in an entry: what to add up where entries are bounded. */
export function partBytes(part: EntryPart): number {
  switch (part.type) {
    case "command":
      return 1 + argumentsBytes(part.args);
    case "transaction": {
      let size = 1 + varintBytes(part.watched.length) + varintBytes(part.commands.length);
      for (const { key } of part.watched) size += varintBytes(key.length) + key.length + 8;
      for (const args of part.commands) size += argumentsBytes(args);
      return size;
    }
    case "config":
      return 2 + 9 * Object.keys(part.config).length;
    default:
      throw new InvalidValueError("part", part satisfies never, "a command, a transaction or a config");
  }
}

function argumentsBytes(args: readonly Uint8Array[]): number {
  if (args.length === 0) throw new InvalidValueError("part.args", args, "at least the name of a command");
  let size = varintBytes(args.length);
  for (const arg of args) size += varintBytes(arg.length) + arg.length;
  return size;
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes to where there is room beforehand. */
class EntryWriter {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  u8(value: number): void {
    this.bytes[this.#at++] = value;
  }

  u64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    for (let shift = 24; shift >= 0; shift -= 8) this.u8(high >>> shift);
    for (let shift = 24; shift >= 0; shift -= 8) this.u8(value >>> shift);
  }

  varint(value: number): void {
    let left = value;
    while (left >= 0x80) {
      this.u8((left & 0x7f) | 0x80);
      left = Math.floor(left / 0x80);
    }
    this.u8(left);
  }

  part(part: EntryPart): void {
    if (part.type === "command") {
      this.u8(COMMAND);
      this.#args(part.args);
    } else if (part.type === "transaction") {
      this.u8(TRANSACTION);
      this.varint(part.watched.length);
      for (const { key, version } of part.watched) {
        this.#raw(key);
        this.u64(checkInteger("part.watched.version", version, 0));
      }
      this.varint(part.commands.length);
      for (const args of part.commands) this.#args(args);
    } else {
      this.u8(CONFIG);
      this.#config(part.config);
    }
  }

  #config(config: Partial<KvConfig>): void {
    checkKvConfig(config);
    this.varint(Object.keys(config).length);
    for (const [field, { name }] of CONFIG_FIELDS.entries()) {
      const value = config[name];
      if (value === undefined) continue;
      this.u8(field);
      this.u64(value);
    }
  }

  #args(args: readonly Uint8Array[]): void {
    this.varint(args.length);
    for (const arg of args) this.#raw(arg);
  }

  #raw(value: Uint8Array): void {
    const { length } = value;
    this.varint(length);
    if (length > SHORT_BYTES) this.bytes.set(value, this.#at);
    else for (let i = 0; i < length; i++) this.bytes[this.#at + i] = value[i] as number;
    this.#at += length;
  }
}

/** An entry as it was in the log. */
export interface DecodedEntry extends KvEntry {
  /** Whether what it takes of the processor is bounded: see {@link VERSION}. */
  readonly isBounded: boolean;
}

/**
 * Decodes what {@link encodeKvEntry} wrote. Arguments are views of `bytes`.
 *
 * @throws {CodecError} when a byte is unknown, missing or left over.
 */
export function decodeKvEntry(bytes: Uint8Array): DecodedEntry {
  if (!(bytes instanceof Uint8Array)) throw new CodecError(FORMAT, 0, "it is not a Uint8Array");
  const reader = new ByteReader(FORMAT, bytes);
  const version = reader.u8();
  if (version !== VERSION && version !== UNBOUNDED_VERSION) {
    throw reader.error(`version ${version} is unknown; this is version ${VERSION}`);
  }
  const timeMs = reader.u64();
  const seed = reader.u64();
  const parts: EntryPart[] = [];
  for (let left = readCount(reader, 2); left > 0; left--) parts.push(readPart(reader));
  reader.end();
  return { timeMs, seed, parts, isBounded: version >= VERSION };
}

function readPart(reader: ByteReader): EntryPart {
  const kind = reader.u8();
  switch (kind) {
    case COMMAND:
      return { type: "command", args: readArguments(reader) };
    case TRANSACTION: {
      const watched: WatchedKey[] = [];
      for (let left = readCount(reader, 9); left > 0; left--) {
        const key = reader.view(readVarint(reader));
        watched.push({ key, version: reader.u64() });
      }
      const commands: Uint8Array[][] = [];
      for (let left = readCount(reader, 2); left > 0; left--) commands.push(readArguments(reader));
      return { type: "transaction", watched, commands };
    }
    case CONFIG:
      return { type: "config", config: readConfig(reader) };
    default:
      throw reader.error(`a part of kind ${kind}`);
  }
}

function readConfig(reader: ByteReader): Partial<KvConfig> {
  const config: Partial<Record<keyof KvConfig, number>> = {};
  let last = -1;
  for (let left = readCount(reader, 9); left > 0; left--) {
    const number = reader.u8();
    const field = CONFIG_FIELDS[number];
    if (field === undefined || number <= last) throw reader.error(`field ${number} of the configuration`);
    const value = reader.u64();
    if (value < field.min || value > field.max) throw reader.error(`${field.name} of ${value}`);
    config[field.name] = value;
    last = number;
  }
  return config;
}

function readArguments(reader: ByteReader): Uint8Array[] {
  const args: Uint8Array[] = [];
  for (let left = readCount(reader, 1); left > 0; left--) args.push(reader.view(readVarint(reader)));
  if (args.length === 0) throw reader.error("a command of no arguments");
  return args;
}

/** A count of things of which each takes so many bytes at least: no more than there can be. */
function readCount(reader: ByteReader, bytesEach: number): number {
  const count = readVarint(reader);
  if (count * bytesEach > reader.remaining) {
    throw reader.error(`${count} of something, with ${reader.remaining} bytes left`);
  }
  return count;
}

function readVarint(reader: ByteReader): number {
  let value = 0;
  for (let power = 1; power <= 0x1000_0000; power *= 0x80) {
    const byte = reader.u8();
    value += (byte & 0x7f) * power;
    if (byte < 0x80) {
      if (byte === 0 && power > 1) break;
      return value;
    }
  }
  throw reader.error("a number that is written in more bytes than it needs, or has more than 35 bits");
}
