import type { MaybePromise } from "@seshat/storage";

/**
 * The files of one node, as little of a file system as a log needs. What is written can be read at once and is durable only after a
 * sync; names (created, renamed, removed) are durable only after `syncDirectory`. File names are flat.
 *
 * Every call may fail with `DiskError`. After a failed sync nobody knows which of the writes before it are durable.
 */
export interface Disk {
  /** The names of all files, ascending. */
  list(): MaybePromise<readonly string[]>;
  /** The length of a file in bytes; null when there is none. */
  size(file: string): MaybePromise<number | null>;
  /** Reads `length` bytes from byte `offset` on; fewer at the end of the file. */
  read(file: string, offset: number, length: number): MaybePromise<Uint8Array>;
  /** Takes hold of a file: it can be read whatever becomes of its name, for as long as somebody has the result. */
  open(file: string): MaybePromise<OpenFile>;
  /**
   * Writes at byte `offset`, which is at most the length of the file; creates the file when there is none. The bytes are copied.
   *
   * @returns how many bytes were written. It may be fewer than asked for, as it may be with POSIX `write`, but at least 1 of those there are:
   *   the caller writes the rest.
   */
  write(file: string, offset: number, bytes: Uint8Array): MaybePromise<number>;
  /** Cuts a file to `length` bytes, which is at most its length. */
  truncate(file: string, length: number): MaybePromise<void>;
  /** Gives a file another name, in place of a file that has it. Atomic. */
  rename(from: string, to: string): MaybePromise<void>;
  remove(file: string): MaybePromise<void>;
  /** Makes durable what was written to a file and cut from it so far. */
  sync(file: string): MaybePromise<void>;
  /** Makes durable which files there are, and what they are called. */
  syncDirectory(): MaybePromise<void>;
}

/** A file to read, also once it has been renamed, replaced or removed. */
export interface OpenFile {
  /** Reads `length` bytes from byte `offset` on; fewer at the end of the file. */
  read(offset: number, length: number): MaybePromise<Uint8Array>;
}

/** What a disk can be asked to do. */
export type DiskVerb =
  | "list"
  | "size"
  | "read"
  | "open"
  | "write"
  | "truncate"
  | "rename"
  | "remove"
  | "sync"
  | "sync directory";
