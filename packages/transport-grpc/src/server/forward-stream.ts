import type { ServerDuplexStream } from "@grpc/grpc-js";
import { Metadata, status } from "@grpc/grpc-js";
import type { NodeId } from "@seshat/common";
import { InvalidValueError, UnknownOutcomeError } from "@seshat/common";
import type { GrpcConfig } from "../config.js";
import { OpenCalls } from "../open-calls.js";
import { errorToBytes } from "../wire/errors.js";
import type { Item } from "../wire/items.js";
import { ERROR, ItemReader, MAX_BATCH_BYTES, PAYLOAD, itemLength, writeItems } from "../wire/items.js";
import type { Room } from "./rooms.js";
import { refuse } from "./served-stream.js";

/** What the calls of a stream are answered with. */
export interface ForwardStreamParts {
  /** Whose calls they are. */
  readonly from: NodeId;
  readonly config: GrpcConfig;
  readonly room: Room;
  handle(from: NodeId, payload: Uint8Array): Promise<Uint8Array>;
  /** Told once. */
  ended(): void;
}

/** The calls of one stream: each is handed over in its turn, and answered when it is done. */
export class ForwardStream {
  readonly #parts: ForwardStreamParts;
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  /** By a number of our own: what peers number may repeat. The value is the peer's. */
  readonly #atWork = new OpenCalls<number>((_, id) => this.#expired(id));
  /** Calls that have come and were not handed over yet: those of one message, and what came before it was known that there is no room. */
  readonly #arrived: ItemReader[] = [];
  /** Answers that wait for those before them to be taken. */
  #waiting: Item[] = [];
  /** How many answers are on their way out. */
  #leaving = 0;
  /** Of answers that the peer has not taken. */
  #bytes = 0;
  #count = 0;
  readonly #leaveRoom: () => void;
  #isPaused = false;
  #isScheduled = false;
  #isEnded = false;

  constructor(call: ServerDuplexStream<Buffer, Buffer>, parts: ForwardStreamParts) {
    this.#parts = parts;
    this.#call = call;
    this.#leaveRoom = parts.room.use(() => this.#breathe());
    call.on("data", (buffer: Buffer) => {
      this.#arrived.push(new ItemReader(buffer));
      this.#breathe();
    });
    call.on("end", () => this.end());
    call.on("cancelled", () => this.#over());
    call.on("close", () => this.#over());
    call.on("error", () => this.#over());
    // The peer knows by it that it is connected.
    call.sendMetadata(new Metadata());
    // What an earlier stream brought may still be at work.
    this.#breathe();
  }

  /** Ends the stream, with an error that says why if there is one. */
  end(error?: Error, code: status = status.ABORTED): void {
    if (this.#isEnded) return;
    this.#over();
    if (error === undefined) this.#call.end();
    else refuse(this.#call, error, code);
  }

  #over(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#atWork.takeAll();
    this.#leaveRoom();
    this.#arrived.length = 0;
    this.#waiting = [];
    this.#parts.ended();
  }

  /** Takes no more from a peer than is answered, and the answers taken: the rest stays in the socket. */
  #breathe(): void {
    while (!this.#isEnded && !this.#isFull()) {
      const [reader] = this.#arrived;
      if (reader === undefined) break;
      try {
        const item = reader.next();
        if (item === null) this.#arrived.shift();
        else this.#serve(item);
      } catch (thrown) {
        // What cannot be read cannot be answered, and what follows may be as wrong.
        this.end(thrown as Error, status.INVALID_ARGUMENT);
      }
    }
    const isPaused = this.#arrived.length > 0 || this.#isFull();
    if (this.#isEnded || isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#call.pause();
    else this.#call.resume();
  }

  #isFull(): boolean {
    const { room, config } = this.#parts;
    const count = this.#atWork.size + this.#waiting.length + this.#leaving;
    return count >= config.maxInFlightRequests || room.bytes + this.#bytes >= config.maxInFlightBytes;
  }

  #serve(item: Item): void {
    if (item.field !== PAYLOAD) throw new InvalidValueError("call", "an error", "a payload");
    const { id, bytes } = item;
    const key = ++this.#count;
    const { room, config } = this.#parts;
    const length = itemLength(item);
    room.enter(length);
    this.#atWork.add(key, config.deadlinesMs.forward, id);
    this.#handle(bytes).then(
      (payload) => this.#settle(key, length, () => checked(payload), PAYLOAD),
      (thrown: unknown) => this.#settle(key, length, () => errorToBytes(thrown), ERROR),
    );
  }

  /** Hands a call over, within this call. */
  #handle(payload: Uint8Array): Promise<Uint8Array> {
    try {
      return this.#parts.handle(this.#parts.from, payload);
    } catch (thrown) {
      return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  #settle(key: number, length: number, make: () => Uint8Array, field: number): void {
    const id = this.#atWork.take(key);
    // What comes too late is no answer any more.
    if (id !== undefined) this.#answer(id, make, field);
    this.#parts.room.leave(length);
  }

  #expired(id: number): void {
    this.#answer(id, () => errorToBytes(new UnknownOutcomeError("it was not done in time")), ERROR);
  }

  #answer(id: number, make: () => Uint8Array, field: number): void {
    let item: Item;
    try {
      item = { id, field, bytes: make() };
      const limit = this.#parts.config.maxMessageBytes;
      const actual = itemLength(item);
      // What was asked for may have been done: nothing that says otherwise may be said.
      if (actual > limit)
        throw new UnknownOutcomeError(`the answer has ${actual} bytes, of at most ${limit}`);
    } catch (thrown) {
      item = { id, field: ERROR, bytes: errorToBytes(thrown) };
    }
    this.#bytes += itemLength(item);
    this.#waiting.push(item);
    this.#schedule();
  }

  /** What is answered in one turn goes together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isEnded || this.#leaving > 0 || this.#waiting.length === 0) return;
    let length = 0;
    let count = 0;
    for (const item of this.#waiting) {
      const next = length + itemLength(item);
      if (count > 0 && next > MAX_BATCH_BYTES) break;
      length = next;
      count++;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#leaving = count;
    this.#call.write(writeItems(batch, length), () => {
      this.#leaving = 0;
      this.#bytes -= length;
      this.#flush();
      this.#breathe();
    });
  }
}

function checked(payload: unknown): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  throw new InvalidValueError("answer", payload, "bytes");
}
