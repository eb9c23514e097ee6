import type { SeededRandom } from "@seshat/raft/testing";
import { GrowingBytes } from "./growing-bytes.js";
import type { DiskFault } from "./sim-disk-faults.js";

/** A change to the content of a file. */
type Change =
  | { readonly type: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: "truncate"; readonly length: number };

/** How chance decides what a crash leaves of a file. */
export interface Loss {
  readonly random: SeededRandom;
  readonly junkTailRate: number;
  readonly count: (fault: DiskFault) => void;
}

/** The content of one simulated file: as the node sees it, and as it would be after a crash. */
export class SimFile {
  readonly #live = new GrowingBytes();
  readonly #durable = new GrowingBytes();
  /** What is not durable yet, oldest first. */
  readonly #unsynced: Change[] = [];
  /** How many changes are durable, or lost for good. */
  #settled = 0;

  /** The length that the node sees, in bytes. */
  get length(): number {
    return this.#live.length;
  }

  /** How many changes there ever were. */
  get changes(): number {
    return this.#settled + this.#unsynced.length;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#live.slice(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#live.write(offset, bytes);
    this.#unsynced.push({ type: "write", offset, bytes: bytes.slice() });
  }

  truncate(length: number): void {
    this.#live.truncate(length);
    this.#unsynced.push({ type: "truncate", length });
  }

  /** The first `count` changes ever become durable. */
  persist(count: number): void {
    for (const change of this.#take(count)) this.#apply(change);
  }

  /** A sync of the first `count` changes failed: of those that were not durable a beginning is, at most, and the rest never will be. */
  forsake(count: number, random: SeededRandom): void {
    const changes = this.#take(count);
    const kept = random.chance(0.5) ? 0 : random.integer(0, Math.max(0, changes.length - 1));
    for (const change of changes.slice(0, kept)) this.#apply(change);
  }

  /** The machine loses power: of what was not synced nothing is left, or all, or a beginning that may end within a write. */
  crash(loss: Loss): void {
    const changes = this.#take(this.changes);
    if (changes.length > 0) this.#lose(changes, loss);
    this.#live.copyFrom(this.#durable);
  }

  /** A byte goes bad, on the device and in memory alike. */
  corrupt(offset: number, mask: number): void {
    this.#durable.flip(offset, mask);
    this.#live.flip(offset, mask);
  }

  #lose(changes: readonly Change[], { random, junkTailRate, count }: Loss): void {
    const seen = this.#live.length;
    const fate = random.integer(0, 3);
    if (fate === 0) return count("unsyncedLost");
    if (fate === 1) {
      for (const change of changes) this.#apply(change);
      return count("unsyncedKept");
    }
    count("unsyncedTorn");
    const whole = random.integer(0, changes.length - 1);
    for (const change of changes.slice(0, whole)) this.#apply(change);
    const torn = changes[whole] as Change;
    if (torn.type === "write") {
      const bytes = torn.bytes.subarray(0, random.integer(0, torn.bytes.length));
      this.#apply({ ...torn, bytes });
    }
    const end = this.#durable.length;
    // The length of a file can be written before its content is. What stood in a file before keeps its value.
    if (end >= seen || !random.chance(junkTailRate)) return;
    const junk = new Uint8Array(random.integer(1, seen - end));
    const isGarbage = random.chance(0.5);
    if (isGarbage) for (let i = 0; i < junk.length; i++) junk[i] = random.u32();
    count(isGarbage ? "garbageTail" : "zeroTail");
    this.#durable.write(end, junk);
  }

  #take(count: number): Change[] {
    const taken = this.#unsynced.splice(0, Math.max(0, count - this.#settled));
    this.#settled += taken.length;
    return taken;
  }

  #apply(change: Change): void {
    if (change.type === "write") this.#durable.write(change.offset, change.bytes);
    else this.#durable.truncate(change.length);
  }
}
