import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { NO_DISK_FAULTS } from "../disk/sim-disk-faults.js";
import type { CrashKind, DiskTrouble } from "../world/node-storage.js";
import type { DiskAct } from "./act.js";
import type { Scene } from "./scene.js";
import { pickOf } from "./scene.js";
import type { StoreCare } from "./store-care.js";

/** What goes wrong with disks, and between two calls to them. */
export class DiskFaults<C extends RaftTypeConfig> {
  readonly #scene: Scene<C>;
  readonly #care: StoreCare<C>;

  constructor(scene: Scene<C>, care: StoreCare<C>) {
    this.#scene = scene;
    this.#care = care;
  }

  /** Does one thing. @returns false when it cannot be done. */
  act(act: DiskAct): boolean {
    switch (act.type) {
      case "hangDisk":
        return this.#scene.with(act.target, ({ store }) => {
          store.hang();
          this.#scene.later(act.ms, () => store.release());
        });
      case "slowDisk":
        return this.#scene.with(act.target, ({ store }) =>
          store.setFaults({ syncMs: act.syncMs, meanSyncMs: act.syncMs, slowRate: 0.01 }),
        );
      case "failSync":
        return this.#scene.with(act.target, ({ store }) => store.failNextSync());
      case "failDisk":
        return this.#scene.withTrouble(act.target, (_, trouble) => trouble.failNext(act.verb));
      case "badDisk":
        return this.#scene.with(act.target, ({ store }) => {
          store.setFaults(act.faults);
          const { shortWriteRate, readErrorRate, writeErrorRate, syncErrorRate } = NO_DISK_FAULTS;
          const good = { shortWriteRate, readErrorRate, writeErrorRate, syncErrorRate };
          this.#scene.later(act.ms, () => store.setFaults(good));
        });
      case "fullDisk":
        return this.#scene.withTrouble(act.target, ({ store }, { usedBytes }) => {
          store.setFaults({ capacityBytes: usedBytes + act.roomBytes });
          const { capacityBytes } = NO_DISK_FAULTS;
          this.#scene.later(act.ms, () => store.setFaults({ capacityBytes }));
        });
      case "corrupt":
        return this.#harm(act.target, act.ms, act.what, (trouble) => trouble.corrupt(act.part));
      case "misdirect":
        return this.#harm(act.target, act.ms, act.what, (trouble) => {
          trouble.misdirectNext();
          return true;
        });
      case "erase":
        return pickOf(this.#care.expendable(), act.target, ({ id }) => this.#care.erase(id));
    }
  }

  /** A node crashes at the `operations`-th call to its disk from now on. */
  crashAt(id: NodeId, trouble: DiskTrouble, operations: number, what: CrashKind): void {
    let left = operations;
    trouble.watch(() => {
      left -= 1;
      if (left > 0) return;
      trouble.watch(null);
      this.#scene.count("crash between two disk operations");
      if (this.#scene.cluster.node(id).raft === null) this.#scene.count("crash during recovery");
      this.#scene.cluster.crash(id, what);
    });
  }

  /** Harms the store of a voter that the others can do without. */
  #harm(target: number, ms: number, what: CrashKind, harm: (trouble: DiskTrouble) => boolean): boolean {
    let harmed = false;
    pickOf(this.#care.expendable(), target, ({ id, store }) => {
      harmed = store.trouble !== undefined && harm(store.trouble);
      if (harmed) this.#care.harmed(id, ms, what);
    });
    return harmed;
  }
}
