import type { EntryPayload, LogEntry, LogId } from "@seshat/common";
import { OverloadedError, SessionError } from "@seshat/common";
import type { ApplyResponse } from "@seshat/storage";
import { SessionRefusal } from "@seshat/storage";
import type { ClientWriteEvent, ReadIndexEvent, ReadPolicy, WriteExpectation } from "../engine/event.js";
import { Fifo } from "./fifo.js";
import type { PendingRequest } from "./pending-requests.js";
import { PendingWrites } from "./pending-writes.js";

/** What a write answers: the response of the state machine, and where in the log the command stands. */
export interface ClientWriteResponse<R> {
  readonly logId: LogId;
  readonly response: R;
}

/** A client that waits for its write. */
export interface Writer<R> extends PendingRequest<ClientWriteResponse<R>> {
  /** What its command counts against the bound on bytes. */
  readonly bytes: number;
}

/** A client that waits for its read. */
export type Reader = PendingRequest<LogId>;

/** Writes that become one event. */
interface Batch<R> {
  readonly payloads: EntryPayload<unknown, unknown>[];
  readonly writers: Writer<R>[];
  readonly expect: WriteExpectation | null;
}

/** Reads that become one event. */
interface ReadBatch {
  readonly policy: ReadPolicy;
  /** True when a follower asks: the answer is the index itself, whether this node has applied it or not. */
  readonly forwarded: boolean;
  readonly readers: Reader[];
}

interface ConfirmedReads {
  readonly readIndex: LogId;
  readonly readers: readonly Reader[];
}

const NO_WRITES: readonly ClientWriteEvent[] = [];
const NO_READS: readonly ReadIndexEvent[] = [];

/** How much may wait at once. */
export interface ClientLimits {
  readonly requests: number;
  readonly bytes: number;
}

/**
 * The clients of one node, from the call to the answer. Each is settled exactly once. All writes of a turn become one
 * event (one more for each with an expectation of its own), and all reads another: that is the batching, with no timer to
 * wait for.
 */
export class Clients<R> {
  readonly #limits: ClientLimits;
  /** Everybody who waits for anything here. */
  #waiting = 0;
  #waitingBytes = 0;

  /** Writes of this turn. */
  #batches: Batch<R>[] = [];
  /** Writers whose event is on its way to the engine, an array for each event, in order. */
  readonly #proposed = new Fifo<readonly Writer<R>[]>();
  /** True while the engine has the oldest of them before it: they may be in the log, or not. */
  #deciding = false;
  /** Writers whose entries are in the log. */
  readonly #accepted = new PendingWrites<Writer<R>>();

  /** Reads of this turn. */
  readonly #reads: ReadBatch[] = [];
  #lastReadId = 0;
  /** Readers who wait for their read index, by the id of their event. */
  readonly #unconfirmed = new Map<number, ReadBatch>();
  /** Readers who wait for the state machine to reach their read index, lowest first. */
  readonly #confirmed: ConfirmedReads[] = [];

  constructor(limits: ClientLimits) {
    this.#limits = limits;
  }

  /**
   * A client wants to write. Rejects it at once when too many wait.
   *
   * @param expect what has to hold for the command to be appended, or null.
   */
  write(
    payload: EntryPayload<unknown, unknown>,
    writer: Writer<R>,
    expect: WriteExpectation | null,
  ): boolean {
    const error = this.#tooMuch(1, writer.bytes);
    if (error !== null) {
      writer.reject(error);
      return false;
    }
    const batch = this.#openBatch(expect);
    if (batch === undefined) this.#addBatch({ payloads: [payload], writers: [writer], expect });
    else {
      batch.payloads.push(payload);
      batch.writers.push(writer);
    }
    this.#waiting += 1;
    this.#waitingBytes += writer.bytes;
    return true;
  }

  /** A client wants to write several commands, as consecutive entries of one append: all are admitted, or none. */
  writeMany(
    payloads: readonly EntryPayload<unknown, unknown>[],
    writers: readonly Writer<R>[],
    expect: WriteExpectation | null,
  ): boolean {
    const bytes = writers.reduce((sum, writer) => sum + writer.bytes, 0);
    const error = this.#tooMuch(writers.length, bytes);
    if (error !== null) {
      for (const writer of writers) writer.reject(error);
      return false;
    }
    const batch = this.#openBatch(expect);
    if (batch === undefined) this.#addBatch({ payloads: [...payloads], writers: [...writers], expect });
    else {
      for (const payload of payloads) batch.payloads.push(payload);
      for (const writer of writers) batch.writers.push(writer);
    }
    this.#waiting += writers.length;
    this.#waitingBytes += bytes;
    return true;
  }

  /** Takes back writes of this turn that came together, at least one. @returns false when they are on their way to the log. */
  withdraw(together: readonly Writer<R>[]): boolean {
    for (const { payloads, writers } of this.#batches) {
      const position = writers.indexOf(together[0] as Writer<R>);
      if (position < 0) continue;
      payloads.splice(position, together.length);
      writers.splice(position, together.length);
      this.#leave(together);
      return true;
    }
    return false;
  }

  /** A client wants to read, or a follower asks for its clients. Rejects at once when too many wait. */
  read(reader: Reader, policy: ReadPolicy, forwarded: boolean): boolean {
    if (this.#waiting >= this.#limits.requests) {
      reader.reject(new OverloadedError("requests", this.#limits.requests));
      return false;
    }
    this.#waiting += 1;
    this.#readBatchFor(policy, forwarded).readers.push(reader);
    return true;
  }

  /** True when there is something to collect. */
  get hasNew(): boolean {
    return this.#batches.length > 0 || this.#reads.length > 0;
  }

  /** The writes since the last call, as few events as can be. */
  collectWrites(): readonly ClientWriteEvent[] {
    const batches = this.#batches;
    if (batches.length === 0) return NO_WRITES;
    this.#batches = [];
    const [first] = batches as [Batch<R>];
    if (batches.length === 1 && first.writers.length > 0) return [this.#propose(first)];
    // Where all of a batch were taken back there is nothing to do.
    return batches.filter(({ writers }) => writers.length > 0).map((batch) => this.#propose(batch));
  }

  #propose({ payloads, writers, expect }: Batch<R>): ClientWriteEvent {
    this.#proposed.push(writers);
    return expect === null ? { type: "clientWrite", payloads } : { type: "clientWrite", payloads, expect };
  }

  /** The reads since the last call, as few events as can be. */
  collectReads(): readonly ReadIndexEvent[] {
    if (this.#reads.length === 0) return NO_READS;
    return this.#reads.splice(0).map((batch) => {
      const requestId = ++this.#lastReadId;
      this.#unconfirmed.set(requestId, batch);
      return { type: "readIndex", requestId, policy: batch.policy, forwarded: batch.forwarded };
    });
  }

  /** The oldest proposed writes go to the engine now: from here on they may be in the log. */
  decideWrites(): void {
    this.#deciding = true;
  }

  /** The oldest proposed writes became the entries from `firstIndex` on. @returns the index of the last. */
  acceptWrites(firstIndex: number): number {
    this.#deciding = false;
    const writers = this.#proposed.shift() as readonly Writer<R>[];
    this.#accepted.accept(firstIndex, writers);
    return firstIndex + writers.length - 1;
  }

  /** The oldest proposed writes were not appended. */
  refuseWrites(error: Error): void {
    this.#deciding = false;
    this.#rejectWriters(this.#proposed.shift() as readonly Writer<R>[], error);
  }

  /** Nobody can tell any more what becomes of the entries from `since` on. */
  abandonWrites(since: number, error: Error): void {
    this.#rejectWriters(this.#accepted.takeSince(since), error);
  }

  /** Entries were applied; `responses` has one item for each. */
  applied(entries: readonly LogEntry<unknown, unknown>[], responses: readonly ApplyResponse<R>[]): void {
    // On a follower nobody waits.
    if (this.#accepted.isEmpty) return;
    for (let i = 0; i < entries.length; i++) {
      this.#answer(entries[i] as LogEntry<unknown, unknown>, responses[i]);
    }
  }

  #answer({ logId, payload }: LogEntry<unknown, unknown>, response: ApplyResponse<R>): void {
    const writer = this.#accepted.take(logId.index);
    if (writer === undefined) return;
    this.#waiting -= 1;
    this.#waitingBytes -= writer.bytes;
    if (!(response instanceof SessionRefusal)) {
      writer.resolve({ logId, response: response as R });
      return;
    }
    const session = payload.type === "normal" ? payload.session : undefined;
    writer.reject(new SessionError(session?.sessionId ?? logId.index, response.problem));
  }

  /** The reads of an event may be served from `readIndex` on. */
  confirmReads(requestId: number, readIndex: LogId): void {
    const batch = this.#unconfirmed.get(requestId);
    if (batch === undefined) return;
    this.#unconfirmed.delete(requestId);
    if (batch.forwarded) {
      this.#waiting -= batch.readers.length;
      for (const reader of batch.readers) reader.resolve(readIndex);
      return;
    }
    // A leader's answers to a follower may overtake each other.
    const position = this.#confirmed.findLastIndex((other) => other.readIndex.index <= readIndex.index) + 1;
    this.#confirmed.splice(position, 0, { readIndex, readers: batch.readers });
  }

  /** The reads of an event cannot be served here. */
  refuseReads(requestId: number, error: Error): void {
    const batch = this.#unconfirmed.get(requestId);
    this.#unconfirmed.delete(requestId);
    if (batch !== undefined) this.#rejectReaders(batch.readers, error);
  }

  /** Lets the reads go whose index the state machine has reached. */
  releaseReads(appliedIndex: number): void {
    if (this.#confirmed.length === 0) return;
    for (
      let first = this.#confirmed[0];
      first !== undefined && first.readIndex.index <= appliedIndex;
      first = this.#confirmed[0]
    ) {
      this.#confirmed.shift();
      this.#waiting -= first.readers.length;
      for (const reader of first.readers) reader.resolve(first.readIndex);
    }
  }

  /** True while reads wait for the state machine to reach their read index. */
  get hasConfirmedReads(): boolean {
    return this.#confirmed.length > 0;
  }

  /** The state machine does not get to where reads wait for it. */
  refuseConfirmedReads(error: Error): void {
    for (const { readers } of this.#confirmed.splice(0)) this.#rejectReaders(readers, error);
  }

  /** Settles everybody: what may be in the log with `unknownOutcome`, everything else with `refusal`. */
  settleAll(refusal: Error, unknownOutcome: Error): void {
    for (const { writers } of this.#batches.splice(0)) this.#rejectWriters(writers, refusal);
    for (const [i, writers] of this.#proposed.takeAll().entries()) {
      this.#rejectWriters(writers, i === 0 && this.#deciding ? unknownOutcome : refusal);
    }
    this.#deciding = false;
    this.#rejectWriters(this.#accepted.takeSince(0), unknownOutcome);
    for (const { readers } of this.#reads.splice(0)) this.#rejectReaders(readers, refusal);
    for (const { readers } of this.#unconfirmed.values()) this.#rejectReaders(readers, refusal);
    this.#unconfirmed.clear();
    this.refuseConfirmedReads(refusal);
  }

  #tooMuch(requests: number, bytes: number): OverloadedError | null {
    const { requests: maxRequests, bytes: maxBytes } = this.#limits;
    if (this.#waiting + requests > maxRequests) return new OverloadedError("requests", maxRequests);
    // What is larger than the bound by itself still goes through, alone.
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > maxBytes)
      return new OverloadedError("bytes", maxBytes);
    return null;
  }

  /** The batch that writes with this expectation may join; undefined when they begin a new one. */
  #openBatch(expect: WriteExpectation | null): Batch<R> | undefined {
    const newest = this.#batches[this.#batches.length - 1];
    return newest !== undefined && newest.expect === null && expect === null ? newest : undefined;
  }

  #addBatch(batch: Batch<R>): void {
    // Mostly it stays the only one: an array that is made for one takes a tenth of one that is pushed to.
    if (this.#batches.length === 0) this.#batches = [batch];
    else this.#batches.push(batch);
  }

  #readBatchFor(policy: ReadPolicy, forwarded: boolean): ReadBatch {
    for (const batch of this.#reads) {
      if (batch.policy === policy && batch.forwarded === forwarded) return batch;
    }
    const batch: ReadBatch = { policy, forwarded, readers: [] };
    this.#reads.push(batch);
    return batch;
  }

  #leave(writers: readonly Writer<R>[]): void {
    this.#waiting -= writers.length;
    for (const { bytes } of writers) this.#waitingBytes -= bytes;
  }

  #rejectWriters(writers: readonly Writer<R>[], error: Error): void {
    this.#leave(writers);
    for (const writer of writers) writer.reject(error);
  }

  #rejectReaders(readers: readonly Reader[], error: Error): void {
    this.#waiting -= readers.length;
    for (const reader of readers) reader.reject(error);
  }
}
