import { Refusal } from "./refusal.js";

/**
 * What one entry may take, and one read: about two seconds of a processor. Part of what every node has to agree on, like what everything is charged:
 * see {@link VERSION} of the entry's codec.
 */
export const MAX_WORK = 2_000_000_000;
/** Past it commands that take no more than this are carried out still: whoever came together with something dear did nothing dear. */
export const SMALL_WORK = 100_000;
/** ...until all together have taken so many times the bound. */
const SMALL_SHARE = 1.5;

/**
 * What things are charged, in nanoseconds as they were measured, roughly, with a million elements where their number matters. A charge follows from sizes and the
 * accounts of bytes alone. Never from how something is laid out in memory: that differs from node to node.
 */
export const WORK = {
  /** A command, whatever it does; one of its arguments; a byte of those, or one that is copied. */
  command: 500,
  argument: 200,
  byte: 1,
  /** A key that is visited. */
  key: 200,
  /** An element that is visited, looked up by its name, or put, in a hash or a set. */
  element: 300,
  lookup: 600,
  put: 1200,
  /** An element of a list that is compared, or put or taken at an end. */
  compared: 50,
  item: 400,
  /** A thing that is found by its rank among those in the order of their hashes. */
  ranked: 8000,
  /** A float in the usual form that is parsed and printed again; and one of thousands of digits, or with an exponent that stands for so many. */
  float: 5000,
  longFloat: 500_000,
  /** A pair of bytes that `LCS` compares. */
  cell: 4,
  /** An element of a sorted set that is built from elements in no order. */
  sorted: 1500,
} as const;

/** How long it takes to find a place in a list or a sorted set of `size` elements. */
export function placeWork(size: number): number {
  return WORK.lookup + size / 128;
}

interface Sized {
  readonly size: number;
  readonly usedBytes: number;
}

/** To visit all of a collection. */
export function visitWork({ size, usedBytes }: Sized): number {
  return size * WORK.element + usedBytes * WORK.byte;
}

/** To look all elements of a collection up elsewhere. */
export function lookUpWork({ size, usedBytes }: Sized): number {
  return size * WORK.lookup + usedBytes * 2 * WORK.byte;
}

export function floatWork(bytes: Uint8Array): number {
  const isUsual = bytes.length <= 40 && bytes.every((byte) => byte < 0x40);
  return isUsual ? WORK.float : WORK.longFloat;
}

const TOO_DEAR: Refusal = new Refusal(
  `ERR the command was not carried out: it takes more than ${MAX_WORK} units of work, ask for less at once`,
);
const NOT_TOGETHER: Refusal = new Refusal(
  `TRYAGAIN The command was not carried out: together with what came in with it, it takes more than ${MAX_WORK} units of work`,
);

/** Counts what is done, and refuses what is too much. */
export class Work {
  /** Units that were spent on the entry, or the read, that is carried out. */
  spent = 0;
  #before = 0;
  #most = Infinity;
  #limit = Infinity;

  /** Before an entry or a read. @param most what it may take: Infinity for what was written before there was a bound. */
  begin(most: number = MAX_WORK): void {
    this.spent = 0;
    this.#before = 0;
    this.#most = most;
    this.#limit = most;
  }

  /** Before a command: its arguments have come already, so they are not refused. */
  beginCommand(args: readonly Uint8Array[]): void {
    this.#limit = Math.max(this.#most, Math.min(this.spent + SMALL_WORK, this.#most * SMALL_SHARE));
    this.#before = this.spent;
    let units = WORK.command + args.length * WORK.argument;
    for (let at = 0; at < args.length; at++) units += (args[at] as Uint8Array).length;
    this.spent += units;
  }

  /**
   * Something of so many units is about to be done: before it is, and before the command has changed anything.
   *
   * @throws {Refusal} when that is too much.
   */
  charge(units: number): void {
    const spent = this.spent + units;
    if (spent > this.#limit) throw spent - this.#before > this.#most ? TOO_DEAR : NOT_TOGETHER;
    this.spent = spent;
  }
}
