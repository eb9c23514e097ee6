import type { AsyncRuntime, RaftTypeConfig } from "@seshat/common";
import type { SeededRandom } from "@seshat/raft/testing";
import type { StateMachine } from "@seshat/storage";
import { SimDisk } from "../disk/sim-disk.js";
import type { SimDiskFaults } from "../disk/sim-disk-faults.js";
import type { CrashKind, DiskTrouble, NodeStore, OpenedStorage, StorePart } from "../world/node-storage.js";
import type { StoreCodec } from "./codec.js";
import { SEAL_BYTES, segmentNumber } from "./log-format.js";
import { openSimStorage } from "./open-sim-storage.js";

/** What a node's store is made of. */
export interface SimNodeStoreParts<C extends RaftTypeConfig> {
  readonly random: SeededRandom;
  /** The clock of the disk before the first life. Each life has its own. */
  readonly runtime: AsyncRuntime;
  readonly codec: StoreCodec<C>;
  /** Default: as for `openSimStorage`. */
  readonly segmentBytes?: number;
}

/** A node's storage on a simulated disk. */
export class SimNodeStore<C extends RaftTypeConfig> implements NodeStore<C> {
  readonly #parts: SimNodeStoreParts<C>;
  #disk: SimDisk;

  constructor(parts: SimNodeStoreParts<C>) {
    this.#parts = parts;
    this.#disk = new SimDisk(parts);
  }

  /** The disk as the present life sees it, for what else a simulation wants to do to it. */
  get disk(): SimDisk {
    return this.#disk;
  }

  open(runtime: AsyncRuntime, machine: StateMachine<C["D"], C["R"]>): Promise<OpenedStorage<C>> {
    this.#disk = this.#disk.reopen(runtime);
    const { codec, segmentBytes } = this.#parts;
    return openSimStorage<C>(this.#disk, {
      codec,
      stateMachine: machine,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
    });
  }

  crash(what: CrashKind = "machine"): void {
    this.#disk.crash(what);
  }

  hang(): void {
    this.#disk.hang();
  }

  release(): void {
    this.#disk.release();
  }

  setFaults(faults: Partial<SimDiskFaults>): void {
    this.#disk.setFaults(faults);
  }

  faultCounts(): ReadonlyMap<string, number> {
    return new Map(Object.entries(this.#disk.counts));
  }

  failNextSync(): void {
    this.#disk.failNext("sync");
  }

  get trouble(): DiskTrouble {
    const disk = this.#disk;
    return {
      usedBytes: disk.usedBytes,
      failNext: (verb) => disk.failNext(verb),
      corrupt: (part) => {
        const files = disk.files.filter((file) => isPart(file, part));
        const file = files[this.#parts.random.integer(0, Math.max(0, files.length - 1))];
        return file !== undefined && disk.corrupt({ file }) !== null;
      },
      misdirectNext: () => disk.misdirectNext(sparesLastSeal),
      disarm: () => disk.disarm(),
      watch: (hook) => {
        disk.onOperation = hook;
      },
    };
  }
}

function isPart(file: string, part: StorePart): boolean {
  switch (part) {
    case "log":
      return segmentNumber(file) !== null;
    case "snapshot":
      return file.startsWith("snapshot-");
    case "vote":
      return file === "vote";
    case "any":
      return true;
  }
}

/**
 * One place is spared: a stray write that wipes the last record of the log, its seal included, leaves what a torn write leaves. To
 * tell the two apart takes a second durable write for each append, which is what a mirrored log is for, and not this store.
 */
function sparesLastSeal(file: string, offset: number, length: number, size: number): boolean {
  return segmentNumber(file) === null || offset >= size || offset + length <= size - SEAL_BYTES;
}
