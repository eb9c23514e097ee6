import type { EntryPayload, LogId } from "@seshat/common";
import { OverloadedError } from "@seshat/common";
import type { ClientWriteEvent, ReadIndexEvent } from "../engine/event.js";
import type { PendingRequest } from "./pending-requests.js";
import { PendingWrites } from "./pending-writes.js";

/** What a write answers: the response of the state machine, and where in the log the command stands. */
export interface ClientWriteResponse<R> {
  readonly logId: LogId;
  readonly response: R;
}

type Writer<R> = PendingRequest<ClientWriteResponse<R>>;
type Reader = PendingRequest<LogId>;

interface ConfirmedReads {
  readonly readIndex: LogId;
  readonly readers: readonly Reader[];
}

/**
 * The clients of one node, from the call to the answer. Each is settled exactly once. All writes of a turn become one
 * event, and all reads another: that is the batching, with no timer to wait for.
 */
export class Clients<R> {
  readonly #limit: number;
  /** Everybody who waits for anything here. */
  #waiting = 0;

  #payloads: EntryPayload<unknown, unknown>[] = [];
  #writers: Writer<R>[] = [];
  /** Writers whose event is on its way to the engine, an array for each event, in order. */
  readonly #proposed: Writer<R>[][] = [];
  /** True while the engine has the oldest of them before it: they may be in the log, or not. */
  #deciding = false;
  /** Writers whose entries are in the log. */
  readonly #accepted = new PendingWrites<ClientWriteResponse<R>>();

  #readers: Reader[] = [];
  #lastReadId = 0;
  /** Readers who wait for their read index, by the id of their event. */
  readonly #unconfirmed = new Map<number, readonly Reader[]>();
  /** Readers who wait for the state machine to reach their read index, lowest first. */
  readonly #confirmed: ConfirmedReads[] = [];

  /** @param limit how many may wait at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A client wants to write. Rejects at once when too many wait. */
  write(payload: EntryPayload<unknown, unknown>, writer: Writer<R>): boolean {
    if (!this.#admit(writer)) return false;
    this.#payloads.push(payload);
    this.#writers.push(writer);
    return true;
  }

  /** A client wants to read. Rejects at once when too many wait. */
  read(reader: Reader): boolean {
    if (!this.#admit(reader)) return false;
    this.#readers.push(reader);
    return true;
  }

  /** True when there is something to collect. */
  get hasNew(): boolean {
    return this.#writers.length > 0 || this.#readers.length > 0;
  }

  /** The writes since the last call, as one event; null when there were none. */
  collectWrites(): ClientWriteEvent | null {
    if (this.#writers.length === 0) return null;
    const event: ClientWriteEvent = { type: "clientWrite", payloads: this.#payloads };
    this.#proposed.push(this.#writers);
    this.#payloads = [];
    this.#writers = [];
    return event;
  }

  /** The reads since the last call, as one event; null when there were none. */
  collectReads(): ReadIndexEvent | null {
    if (this.#readers.length === 0) return null;
    this.#lastReadId += 1;
    this.#unconfirmed.set(this.#lastReadId, this.#readers);
    this.#readers = [];
    return { type: "readIndex", requestId: this.#lastReadId };
  }

  /** The oldest proposed writes go to the engine now: from here on they may be in the log. */
  decideWrites(): void {
    this.#deciding = true;
  }

  /** The oldest proposed writes became the entries from `firstIndex` on. @returns the index of the last. */
  acceptWrites(firstIndex: number): number {
    this.#deciding = false;
    const writers = this.#proposed.shift() as Writer<R>[];
    this.#accepted.accept(firstIndex, writers);
    return firstIndex + writers.length - 1;
  }

  /** The oldest proposed writes were not appended. */
  refuseWrites(error: Error): void {
    this.#deciding = false;
    this.#reject(this.#proposed.shift() as Writer<R>[], error);
  }

  /** Nobody can tell any more what becomes of the entries from `since` on. */
  abandonWrites(since: number, error: Error): void {
    this.#reject(this.#accepted.takeSince(since), error);
  }

  /** An entry was applied. */
  applied(logId: LogId, response: R | undefined): void {
    const writer = this.#accepted.take(logId.index);
    if (writer === undefined) return;
    this.#waiting -= 1;
    writer.resolve({ logId, response: response as R });
  }

  /** The reads of an event may be served from `readIndex` on. Read indexes rise from call to call. */
  confirmReads(requestId: number, readIndex: LogId): void {
    const readers = this.#unconfirmed.get(requestId);
    this.#unconfirmed.delete(requestId);
    if (readers !== undefined) this.#confirmed.push({ readIndex, readers });
  }

  /** The reads of an event cannot be served here. */
  refuseReads(requestId: number, error: Error): void {
    const readers = this.#unconfirmed.get(requestId);
    this.#unconfirmed.delete(requestId);
    if (readers !== undefined) this.#reject(readers, error);
  }

  /** Lets the reads go whose index the state machine has reached. */
  releaseReads(appliedIndex: number): void {
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

  /** Settles everybody: what may be in the log with `unknownOutcome`, everything else with `refusal`. */
  settleAll(refusal: Error, unknownOutcome: Error): void {
    this.#reject(this.#writers.splice(0), refusal);
    this.#payloads = [];
    for (const [i, writers] of this.#proposed.splice(0).entries()) {
      this.#reject(writers, i === 0 && this.#deciding ? unknownOutcome : refusal);
    }
    this.#deciding = false;
    this.#reject(this.#accepted.takeSince(0), unknownOutcome);
    this.#reject(this.#readers.splice(0), refusal);
    for (const readers of this.#unconfirmed.values()) this.#reject(readers, refusal);
    this.#unconfirmed.clear();
    for (const { readers } of this.#confirmed.splice(0)) this.#reject(readers, refusal);
  }

  #admit(client: { reject(error: Error): void }): boolean {
    if (this.#waiting >= this.#limit) {
      client.reject(new OverloadedError("requests", this.#limit));
      return false;
    }
    this.#waiting += 1;
    return true;
  }

  #reject(clients: readonly { reject(error: Error): void }[], error: Error): void {
    this.#waiting -= clients.length;
    for (const client of clients) client.reject(error);
  }
}
