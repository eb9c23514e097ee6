import { CodecError } from "@seshat/common";
import type { RedisStringReply } from "@seshat/simulator";
import type { StateCapture, StateMachine } from "@seshat/storage";
import type { Command, Write, WriteInput } from "./command.js";

/** A write that was applied: where it stands in the log, and its number. */
export type JournalLine = readonly [index: number, id: number];

/** What is kept of a round that is over. */
export interface RoundSum {
  readonly round: number;
  readonly writes: number;
  /** Of the lines of its journal, in order. */
  readonly hash: number;
}

/** How the state stands in a snapshot: as JSON. */
interface Stored {
  readonly values: readonly (readonly [string, string])[];
  readonly journals: readonly (readonly [number, readonly JournalLine[]])[];
  readonly sums: readonly RoundSum[];
}

/**
 * String keys, and a journal of every write that was applied: so that it can be told afterwards, on each node, whether a write took effect,
 * once, and in which order. Of rounds that are over a sum is kept for ever, of the last one the journal.
 */
export class JournalMachine implements StateMachine<Command, RedisStringReply> {
  #values = new Map<string, string>();
  #journals = new Map<number, JournalLine[]>();
  #sums = new Map<number, RoundSum>();

  read(key: string): RedisStringReply {
    return this.#values.get(key) ?? null;
  }

  /** What was written in a round, as far as it was applied. */
  journal(round: number): readonly JournalLine[] {
    return this.#journals.get(round) ?? [];
  }

  /** Of all rounds that are over. */
  sums(): readonly RoundSum[] {
    return [...this.#sums.values()];
  }

  apply(index: number, command: Command): RedisStringReply {
    return command.type === "end" ? this.#end(command.round) : this.#write(index, command);
  }

  capture(): StateCapture {
    const stored: Stored = {
      values: [...this.#values],
      journals: [...this.#journals],
      sums: [...this.#sums.values()],
    };
    const bytes = new TextEncoder().encode(JSON.stringify(stored));
    return { chunks: () => [bytes] };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    let stored: Stored;
    try {
      stored = JSON.parse(new TextDecoder().decode(Buffer.concat(parts))) as Stored;
    } catch (cause) {
      throw new CodecError("journal", 0, (cause as Error).message);
    }
    this.#values = new Map(stored.values);
    this.#journals = new Map(stored.journals.map(([round, lines]) => [round, [...lines]]));
    this.#sums = new Map(stored.sums.map((sum) => [sum.round, sum]));
  }

  #write(index: number, { id, round, input }: Write): RedisStringReply {
    const journal = this.#journals.get(round) ?? [];
    journal.push([index, id]);
    this.#journals.set(round, journal);
    return this.#change(input);
  }

  #change(input: WriteInput): RedisStringReply {
    const { key } = input;
    const before = this.#values.get(key);
    switch (input.f) {
      case "set":
      case "setget":
        this.#values.set(key, input.value);
        return input.f === "set" ? "OK" : (before ?? null);
      case "append": {
        const value = (before ?? "") + input.value;
        this.#values.set(key, value);
        return String(value.length);
      }
      case "del":
        return this.#values.delete(key) ? "1" : "0";
    }
  }

  #end(round: number): RedisStringReply {
    if (this.#sums.has(round)) return "OK";
    this.#sums.set(round, sumOf(round, this.journal(round)));
    for (const other of this.#journals.keys()) if (other < round) this.#journals.delete(other);
    for (const key of this.#values.keys()) if (roundOf(key) < round) this.#values.delete(key);
    return "OK";
  }
}

/** The name of a key, of which a round has its own. */
export function keyOf(round: number, number: number): string {
  return `${round}:${number}`;
}

function roundOf(key: string): number {
  return Number(key.slice(0, key.indexOf(":")));
}

export function sumOf(round: number, lines: readonly JournalLine[]): RoundSum {
  // FNV-1a over the numbers: equal journals have equal hashes, and others hardly ever.
  let hash = 0x811c_9dc5;
  for (const number of lines.flat()) hash = Math.imul(hash ^ number, 0x0100_0193) >>> 0;
  return { round, writes: lines.length, hash };
}
