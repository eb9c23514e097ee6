import type { Request, TypeConfig } from "@seshat/common";
import { CodecError } from "@seshat/common";
import type { ResponseCodec, StateCapture, StateMachine } from "@seshat/storage";
import { isFull, resolve, run } from "./commands/execute.js";
import type { KvConfig } from "./config.js";
import { DEFAULT_KV_CONFIG } from "./config.js";
import type { EntryPart, KvEntry, TransactionPart } from "./entry.js";
import type { DecodedEntry } from "./entry-codec.js";
import { decodeKvEntry } from "./entry-codec.js";
import { OUT_OF_MEMORY } from "./refusal.js";
import type { KvResponse, Reply } from "./reply.js";
import { NULL_ARRAY, OK, errorReply } from "./reply.js";
import { RESPONSE_CODEC } from "./reply-codec.js";
import { LEFT_OUT, MAX_REPLY_BYTES, SMALL_REPLY_BYTES, TOO_MUCH_READ, sizeOfReply } from "./reply-bounds.js";
import { SnapshotReader } from "./snapshot/read-snapshot.js";
import { writeSnapshot } from "./snapshot/write-snapshot.js";
import { Db } from "./store/db.js";
import { MOST_AHEAD } from "./store/dict.js";
import { MAX_WORK } from "./work.js";

/** Entries of `encodeKvEntry` in, replies out. */
export type KvTypeConfig = TypeConfig<Request, KvResponse>;

/** A read that only an entry can answer: its time has passed a deadline, and the state's time has not. */
export const NEEDS_TICK: unique symbol = Symbol("needs tick");

/** How many keys an entry removes that are over, and for each part that it has. */
const REAPED_PER_ENTRY = 16;
const REAPED_PER_PART = 2;

/**
 * Redis's keys and values as a replicated state machine. One entry holds what came in together: commands, transactions, changes of the
 * configuration. What it does follows from the state and the entry alone; the time is the entry's, or the latest of those before it.
 */
export class KvStateMachine implements StateMachine<Request, KvResponse> {
  /** With it, clients of a cluster can have sessions. */
  readonly responseCodec: ResponseCodec<KvResponse> = RESPONSE_CODEC;
  #db = new Db({ k0: 0, k1: 0 });
  /** Whether the hash has the seed of the first entry. */
  #seeded = false;
  /** What the replies of the entry that is applied count for so far. */
  #replyBytes = 0;

  /** The state's time, in milliseconds since 1970. */
  get clockMs(): number {
    return this.#db.clock;
  }

  /** How many keys there are, those included that are over and not removed yet. */
  get size(): number {
    return this.#db.size;
  }

  /** How many keys have a deadline. */
  get deadlines(): number {
    return this.#db.deadlines;
  }

  /** The earliest deadline of a key, in milliseconds since 1970; Infinity when none has one. */
  get nextDeadlineMs(): number {
    return this.#db.firstDeadline;
  }

  /** How many keys ended by their deadlines on this node. */
  get expired(): number {
    return this.#db.expired;
  }

  /** What the data counts for against `maxMemoryBytes`. The same on every node: no measure of this process. */
  get usedBytes(): number {
    return this.#db.usedBytes;
  }

  /** What the last entry, or the last read, has taken of the processor: about as many nanoseconds. */
  get work(): number {
    return this.#db.work.spent;
  }

  get config(): KvConfig {
    return this.#db.config;
  }

  apply(index: number, request: Request): KvResponse {
    let entry: DecodedEntry;
    this.#db.work.begin();
    try {
      entry = decodeKvEntry(request.data);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return { replies: [errorReply(`ERR malformed entry: ${error.message}`)] };
    }
    if (!this.#seeded) {
      this.#db = new Db({ k0: entry.seed >>> 0, k1: Math.floor(entry.seed / 0x1_0000_0000) });
      this.#seeded = true;
    }
    const db = this.#db;
    db.beginApply(index, entry.timeMs);
    db.work.begin(entry.isBounded ? MAX_WORK : Infinity);
    db.reap(REAPED_PER_ENTRY + REAPED_PER_PART * entry.parts.length);
    return { replies: this.#applyParts(entry) };
  }

  #applyParts({ parts, seed }: KvEntry): Reply[] {
    const replies: Reply[] = [];
    this.#replyBytes = 0;
    for (let at = 0; at < parts.length; at++) {
      if (at % MOST_AHEAD === 0 && parts.length > 1) this.#db.lookAhead(firstKeys(parts, at));
      replies.push(this.#applyPart(parts[at] as EntryPart, seed, at));
    }
    if (parts.length > 1) this.#db.lookAhead([]);
    return replies;
  }

  /**
   * Carries a command out that only reads, on the state as it is.
   *
   * @param nowMs the reader's clock. Time left is counted from it.
   * @param seed what is drawn at random is drawn from: an integer from 0 to 2^53 - 1.
   * @returns its reply; or `NEEDS_TICK`, when by the reader's clock a key is over that the state still has: let an entry with that
   *   time be applied, and read again.
   */
  read(args: readonly Uint8Array[], nowMs: number, seed = 0): Reply | typeof NEEDS_TICK {
    const command = resolve(args);
    if ("message" in command) return command;
    if (command.writes) {
      return errorReply(`ERR ${command.name} writes, and has to be applied`);
    }
    const db = this.#db;
    db.beginRead(nowMs);
    db.random.reseed(seed, 0);
    db.work.begin();
    db.work.beginCommand(args);
    const reply = run(db, command, args);
    return db.needsTick ? NEEDS_TICK : reply;
  }

  /** These keys are read next, in this order: what they need is brought near meanwhile. At most {@link MOST_AHEAD}; none to let go of them. Changes nothing. */
  lookAhead(keys: readonly Uint8Array[]): void {
    this.#db.lookAhead(keys);
  }

  /** The index of the entry that changed `key` last, or 0 when it is absent: what a transaction watches. */
  version(key: Uint8Array): number {
    this.#db.beginRead(0);
    return this.#db.locate(key) ? this.#db.version() : 0;
  }

  /** To be written once; what is written is not kept for it any longer. */
  capture(): StateCapture {
    const captured = this.#db.capture();
    const seeded = this.#seeded;
    return { chunks: () => writeSnapshot(captured, seeded) };
  }

  /** @throws {CodecError} when the bytes are no complete, undamaged snapshot: the old state stands. */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = new SnapshotReader();
    for await (const chunk of chunks) reader.push(chunk);
    const { db, seeded } = reader.finish();
    this.#db = db;
    this.#seeded = seeded;
  }

  #applyPart(part: EntryPart, seed: number, at: number): Reply {
    const db = this.#db;
    // One stream of random numbers a part: what one part draws does not depend on what the others do.
    db.random.reseed(seed, at);
    switch (part.type) {
      case "command":
        return this.#execute(part.args);
      case "transaction":
        return this.#applyTransaction(part);
      case "config":
        db.config = Object.freeze({ ...DEFAULT_KV_CONFIG, ...db.config, ...part.config });
        return OK;
      default:
        return part satisfies never;
    }
  }

  #applyTransaction({ watched, commands }: TransactionPart): Reply {
    const db = this.#db;
    for (const { key, version } of watched) {
      if ((db.locate(key) ? db.version() : 0) !== version) return NULL_ARRAY;
    }
    if (isFull(db) && commands.some(addsData)) {
      return errorReply(`EXECABORT Transaction discarded because of: ${OUT_OF_MEMORY.message}`);
    }
    return commands.map((args) => this.#execute(args));
  }

  /** Carries a command of an entry out, whatever it is. Its reply may be an error; then nothing was changed, or it says so. */
  #execute(args: readonly Uint8Array[]): Reply {
    const command = resolve(args);
    if ("message" in command) return command;
    this.#db.work.beginCommand(args);
    const isTooMuch = this.#replyBytes > MAX_REPLY_BYTES;
    if (isTooMuch && !command.writes) return TOO_MUCH_READ;
    const reply = run(this.#db, command, args);
    const bytes = sizeOfReply(reply);
    if (isTooMuch && bytes > SMALL_REPLY_BYTES) return LEFT_OUT;
    this.#replyBytes += bytes;
    return reply;
  }
}

/** The keys that so many parts are about, of each the first. */
function firstKeys(parts: readonly EntryPart[], since: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  const end = Math.min(parts.length, since + MOST_AHEAD);
  for (let at = since; at < end; at++) {
    const part = parts[at] as EntryPart;
    // Nearly every command has it there. What is none does no harm.
    const key = part.type === "command" ? part.args[1] : undefined;
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function addsData(args: readonly Uint8Array[]): boolean {
  const command = resolve(args);
  return !("message" in command) && command.addsData;
}
