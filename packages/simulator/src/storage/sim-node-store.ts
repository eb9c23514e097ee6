import type { AsyncRuntime, RaftTypeConfig } from "@seshat/common";
import type { SeededRandom } from "@seshat/raft/testing";
import type { StateMachine } from "@seshat/storage";
import { SimDisk } from "../disk/sim-disk.js";
import type { SimDiskFaults } from "../disk/sim-disk-faults.js";
import type { NodeStore, OpenedStorage } from "../world/node-storage.js";
import type { StoreCodec } from "./codec.js";
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

  crash(): void {
    this.#disk.crash();
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
}
