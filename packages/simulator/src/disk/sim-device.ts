import type { SeededRandom } from "@seshat/raft/testing";
import type { DiskErrorCode } from "./disk-error.js";
import { DiskError } from "./disk-error.js";
import type { DiskVerb } from "./disk.js";
import { SimDirectory } from "./sim-directory.js";
import type { DiskFault, SimDiskFaults } from "./sim-disk-faults.js";
import { NO_DISK_FAULTS, noFaultCounts } from "./sim-disk-faults.js";
import type { Loss } from "./sim-file.js";

/** A call to a simulated disk. */
export interface DiskOperation {
  /** Numbers the calls of all lives, from 1 on. */
  readonly count: number;
  readonly verb: DiskVerb;
  /** Empty for what concerns no single file. */
  readonly file: string;
}

/** Whether a write of `length` bytes may end up at `offset` of a file that has `size` bytes. */
export type StrayPlace = (file: string, offset: number, length: number, size: number) => boolean;

/** Fails the next call of a kind. */
interface Ambush {
  readonly verb: DiskVerb;
  readonly file: string | null;
  readonly code: DiskErrorCode;
}

/** What is left of a disk when its node crashes: the files, and what is wrong with it. */
export class SimDevice {
  readonly directory: SimDirectory = new SimDirectory();
  readonly random: SeededRandom;
  readonly counts: Record<DiskFault, number> = noFaultCounts();
  onOperation: ((operation: DiskOperation) => void) | null = null;
  faults: SimDiskFaults;
  hangs = false;
  #operations = 0;
  readonly #ambushes: Ambush[] = [];
  /** Where the next write may end up instead; null while it goes where it should. */
  #stray: StrayPlace | null = null;
  /** No more than that is in the files; what was cut from them, or removed, may still count. */
  #bytesAtMost = 0;
  /** Syncs that are due, and wait for the device. */
  #held: (() => void)[] = [];

  constructor(random: SeededRandom, faults: Partial<SimDiskFaults>) {
    this.random = random;
    this.faults = { ...NO_DISK_FAULTS, ...faults };
  }

  get operations(): number {
    return this.#operations;
  }

  begin(verb: DiskVerb, file: string): void {
    this.#operations += 1;
    this.onOperation?.({ count: this.#operations, verb, file });
  }

  ambush(ambush: Ambush): void {
    this.#ambushes.push(ambush);
  }

  /** The next write goes to another place. */
  misdirectNext(mayHit: StrayPlace): void {
    this.#stray = mayHit;
  }

  /** What the next write may hit instead of where it should go; null for nothing, as for most. */
  takeStray(): StrayPlace | null {
    const stray = this.#stray;
    this.#stray = null;
    return stray ?? (this.chance(this.faults.misdirectedWriteRate) ? (): boolean => true : null);
  }

  /** Takes back what was to happen to a next call. */
  disarm(): void {
    this.#ambushes.length = 0;
    this.#stray = null;
  }

  /** The error that a call is to end with, if any. */
  failure(verb: DiskVerb, file: string): DiskError | null {
    const ambush = this.#takeAmbush(verb, file);
    const fault = FAULT_OF[verb];
    if (ambush === null && !this.chance(this.#errorRate(fault))) return null;
    this.count(fault);
    return new DiskError(verb, file, ambush?.code ?? "EIO");
  }

  #takeAmbush(verb: DiskVerb, file: string): Ambush | null {
    if (this.#ambushes.length === 0) return null;
    const at = this.#ambushes.findIndex((next) => next.verb === verb && (next.file ?? file) === file);
    return at === -1 ? null : (this.#ambushes.splice(at, 1)[0] ?? null);
  }

  /** Draws only where there is something to decide, so that a fault that is off changes nothing. */
  chance(rate: number): boolean {
    return rate > 0 && this.random.chance(rate);
  }

  readonly count: (fault: DiskFault) => void = (fault) => {
    this.counts[fault] += 1;
  };

  /** How long the next sync takes. */
  syncMs(): number {
    const { syncMs, meanSyncMs, slowRate } = this.faults;
    const ms = syncMs - Math.log(1 - this.random.next()) * meanSyncMs;
    if (!this.chance(slowRate)) return ms;
    this.count("slowSync");
    return ms * 100;
  }

  get loss(): Loss {
    return { random: this.random, junkTailRate: this.faults.junkTailRate, count: this.count };
  }

  hold(sync: () => void): void {
    this.count("hungSync");
    this.#held.push(sync);
  }

  /** @returns the syncs that waited. */
  release(): (() => void)[] {
    this.hangs = false;
    return this.#held.splice(0);
  }

  /** Nobody waits any more. */
  forgetHeld(): void {
    this.#held = [];
  }

  /** How many of `wanted` more bytes fit, of a write of `length` bytes. */
  fitting(length: number, wanted: number): number {
    const { capacityBytes } = this.faults;
    // All of them: it may go astray. There is nothing to add up where there is room for everything that was ever written.
    this.#bytesAtMost += length;
    if (this.#bytesAtMost <= capacityBytes) return wanted;
    const { bytes } = this.directory;
    this.#bytesAtMost = bytes + length;
    return Math.min(wanted, Math.max(0, capacityBytes - bytes));
  }

  #errorRate(fault: DiskFault): number {
    switch (fault) {
      case "failedRead":
        return this.faults.readErrorRate;
      case "failedWrite":
        return this.faults.writeErrorRate;
      case "failedRename":
        return this.faults.renameErrorRate;
      case "failedSync":
        return this.faults.syncErrorRate;
      default:
        return 0;
    }
  }
}

/** What it is called when a call of a kind fails. */
const FAULT_OF: Readonly<Record<DiskVerb, DiskFault>> = {
  list: "failedOther",
  size: "failedOther",
  read: "failedRead",
  open: "failedOther",
  write: "failedWrite",
  truncate: "failedWrite",
  rename: "failedRename",
  remove: "failedRename",
  sync: "failedSync",
  "sync directory": "failedSync",
};
