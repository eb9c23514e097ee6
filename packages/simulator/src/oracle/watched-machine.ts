import type { NodeId } from "@seshat/common";
import type { ResponseCodec, StateCapture, StateMachine } from "@seshat/storage";
import { canonicalHash, canonicalText, shorten } from "./canonical.js";
import { checkUnchanged, inPieces, inWorld } from "./captures.js";
import type { Content } from "./content.js";
import { contentNow, contentOf, describeDifference } from "./content.js";
import { hashText, mixNumber } from "./hash.js";
import type { OutsideWorld } from "./outside-world.js";
import { within, withinUntilSettled } from "./outside-world.js";
import type { Replicas } from "./replicas.js";
import { Violation } from "./violation.js";

/** What is told of the state machine of a node, in one life. */
export interface MachineTap {
  /** The command of the entry at `index` was applied; `hash` is the running hash after it. */
  applied(index: number, hash: number, command: unknown, response: unknown): void;
  /** The state was replaced by that of a snapshot, whose last command was that of the entry at `index`; 0 for none. */
  restored(index: number, hash: number): void;
}

/** What a state machine is watched with. */
export interface WatchedMachineParts<D, R> {
  readonly node: NodeId;
  readonly inner: StateMachine<D, R>;
  readonly replicas: Replicas<D>;
  /** What the state machine finds when it reads a clock or chance. */
  readonly world: OutsideWorld;
  /** From 0 to 1: how what it is restored from is cut into chunks. */
  readonly random: () => number;
  readonly isAlive: () => boolean;
  readonly tap: MachineTap;
  /** Told what does not hold. */
  readonly fail: (violation: Violation) => void;
}

/** Before the content of a snapshot: the running hash, and the index of the last command. */
const HEADER_BYTES = 12;

/** After how many entries replicas are compared by what they capture. */
const CHECKPOINT_ENTRIES = 16;

/**
 * A state machine that is held against its contract and against the other replicas: its answers and captures are compared index by index, its
 * snapshots hold what they were taken of, and it finds another clock and other random numbers than the other replicas do. It keeps a running
 * hash of all that was applied to it and of what it answered, and carries it in its snapshots.
 */
export class WatchedMachine<D, R> implements StateMachine<D, R> {
  readonly responseCodec?: ResponseCodec<R>;
  readonly #parts: WatchedMachineParts<D, R>;
  #hash = 0;
  #index = 0;
  /** What was captured at the last checkpoint, and is written out at the next. */
  #held: { readonly index: number; readonly content: Content; readonly capture: StateCapture } | null = null;

  constructor(parts: WatchedMachineParts<D, R>) {
    this.#parts = parts;
    const { responseCodec } = parts.inner;
    if (responseCodec !== undefined) this.responseCodec = responseCodec;
  }

  apply(index: number, command: D): R {
    const { inner, node, replicas, world, tap } = this.#parts;
    const known = replicas.at(index);
    const text = known?.text ?? canonicalText(command);
    const hash = known?.hash ?? canonicalHash(command);
    let response: R;
    try {
      response = within(world, () => inner.apply(index, command));
    } catch (thrown) {
      this.#fail(
        "M1 every command is answered",
        `node ${node}: apply threw at entry ${index} (command ${shorten(text)}): ${String(thrown)}. Every replica would throw there, again and again: answer a command that makes no sense with a response that says so.`,
      );
      throw thrown;
    }
    if (response instanceof Promise) {
      this.#fail(
        "M1 every command is answered",
        `node ${node}: apply answered entry ${index} with a promise`,
      );
    }
    if (known === undefined && canonicalHash(command) !== hash) {
      this.#fail(
        "M2 commands are left as they are",
        `node ${node}: apply changed the command of entry ${index}, which is ${shorten(text)}, to ${shorten(canonicalText(command))}`,
      );
    }
    const reply = canonicalText(response);
    this.#index = index;
    this.#hash = hashText(reply, mixNumber(mixNumber(this.#hash, index), hash));
    const holds = this.#check(() => {
      if (known === undefined) replicas.first({ index, command, text, hash, reply, node });
      else replicas.again(known, node, reply);
    });
    if (holds) tap.applied(index, this.#hash, command, response);
    if (index % CHECKPOINT_ENTRIES === 0) this.#checkpoint();
    return response;
  }

  /** Reads from the state machine. */
  look<T>(read: (machine: StateMachine<D, R>) => T): T {
    return within(this.#parts.world, () => read(this.#parts.inner));
  }

  capture(): StateCapture {
    const { inner, node, world, replicas } = this.#parts;
    const index = this.#index;
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, this.#hash);
    view.setFloat64(4, index);
    const now = this.#contentNow();
    // At once: whoever writes it out may stop at the last byte, without asking whether there are more.
    if (now !== null) this.#check(() => replicas.captured(node, index, now));
    const captured = within(world, () => inner.capture());
    const finished = (content: Content): void => {
      this.#check(() => {
        if (now !== null) checkUnchanged(node, index, now, content);
        replicas.captured(node, index, content);
      });
    };
    return {
      async *chunks() {
        yield header;
        const chunks: Uint8Array[] = [];
        for await (const chunk of inWorld(world, captured.chunks())) {
          chunks.push(chunk.slice());
          yield chunk;
        }
        finished(contentOf(chunks));
      },
    };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { inner, node, replicas, world, random } = this.#parts;
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk.slice());
    const { bytes } = contentOf(all);
    if (bytes.length < HEADER_BYTES) throw new Error("the snapshot is shorter than its header");
    const content = contentOf([bytes.subarray(HEADER_BYTES)]);
    const view = new DataView(bytes.buffer);
    const index = view.getFloat64(4);
    if (!replicas.wasCaptured(content)) {
      this.#fail(
        "B12 a snapshot is the state",
        `node ${node} is given a snapshot after entry ${index} that no node captured: storage or transport changed it`,
      );
    }
    try {
      await withinUntilSettled(world, () => inner.restore(inPieces(content.bytes, random)));
    } catch (thrown) {
      this.#fail(
        "B12 a snapshot is the state",
        `node ${node}: restore threw at what was captured after entry ${index}: ${String(thrown)}`,
      );
      throw thrown;
    }
    this.#hash = view.getUint32(0);
    this.#index = index;
    this.#held = null;
    if (this.#parts.isAlive()) this.#parts.tap.restored(index, this.#hash);
    const restored = this.#contentNow();
    if (restored === null || restored.hash === content.hash) return;
    this.#fail(
      "B12 a snapshot is the state",
      `node ${node} was restored from what was captured after entry ${index}, and captures something else now, ${describeDifference(content.bytes, restored.bytes)}`,
    );
  }

  #checkpoint(): void {
    const { inner, node, replicas, world } = this.#parts;
    const held = this.#held;
    const content = this.#contentNow();
    if (content === null) return;
    this.#check(() => {
      if (held !== null) {
        const late = within(world, () => contentNow(held.capture.chunks()));
        if (late !== null) checkUnchanged(node, held.index, held.content, late);
      }
      replicas.captured(node, this.#index, content);
    });
    this.#held = { index: this.#index, content, capture: within(world, () => inner.capture()) };
  }

  #contentNow(): Content | null {
    const { inner, world } = this.#parts;
    return within(world, () => contentNow(inner.capture().chunks()));
  }

  /** @returns false when something does not hold. What a dead life says does not count. */
  #check(check: () => void): boolean {
    if (!this.#parts.isAlive()) return false;
    try {
      check();
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      this.#parts.fail(thrown);
      return false;
    }
  }

  #fail(property: string, detail: string): void {
    if (this.#parts.isAlive()) this.#parts.fail(new Violation(property, detail));
  }
}
