import type { BytesTypeConfig, LogId, StoreIdentity, Vote } from "@seshat/common";
import type { IoCompletion, LogState, MaybePromise, RaftLogReader, RaftStorage } from "@seshat/storage";
import type { Disk, UnsyncedAppend } from "./disk.js";
import type { Life } from "./life.js";

type Entry = BytesTypeConfig["Entry"];

/** The log half of a disk as one life of a node uses it: slow, hanging, and cut off once that life is over. */
export class LifeStorage implements RaftStorage<BytesTypeConfig> {
  readonly #disk: Disk;
  readonly #life: Life;

  constructor(disk: Disk, life: Life) {
    this.#disk = disk;
    this.#life = life;
  }

  readIdentity(): MaybePromise<StoreIdentity | null> {
    return this.#read(() => this.#disk.log.readIdentity());
  }

  saveIdentity(identity: StoreIdentity): MaybePromise<void> {
    return this.#write(() => this.#disk.log.saveIdentity(identity));
  }

  readVote(): MaybePromise<Vote | null> {
    return this.#read(() => this.#disk.log.readVote());
  }

  readLogState(): MaybePromise<LogState> {
    return this.#read(() => this.#disk.log.readLogState());
  }

  logReader(): RaftLogReader<BytesTypeConfig> {
    return this;
  }

  /** Sometimes returns fewer than asked for, as it may. */
  readEntries(since: number, upto: number): MaybePromise<readonly Entry[]> {
    return this.#read(() => {
      const { log, random } = this.#disk;
      const last = upto > since && random.chance(0.1) ? random.integer(since, upto) : upto;
      return log.readEntries(since, last);
    });
  }

  saveVote(vote: Vote): MaybePromise<void> {
    return this.#write(() => this.#disk.log.saveVote(vote));
  }

  truncate(since: number): MaybePromise<void> {
    return this.#write(() => this.#disk.log.truncate(since));
  }

  purge(upto: LogId): MaybePromise<void> {
    return this.#write(() => this.#disk.log.purge(upto));
  }

  readCommitted(): MaybePromise<LogId | null> {
    return this.#read(() => this.#disk.log.readCommitted());
  }

  saveCommitted(committed: LogId): void {
    if (!this.#life.dead) this.#disk.log.saveCommitted(committed);
  }

  append(entries: readonly Entry[], completion: IoCompletion): MaybePromise<void> {
    const disk = this.#disk;
    if (this.#life.dead) return completion(null);
    if (this.#life.hangs) {
      return new Promise<void>((resolve) => this.#life.after(0, resolve)).then(() =>
        this.append(entries, completion),
      );
    }
    disk.log.append(entries, () => {});
    const delay = disk.syncDelay();
    if (delay === 0 && disk.unsynced.length === 0) return completion(null);
    const append: UnsyncedAppend = { firstIndex: (entries[0] as Entry).logId.index };
    disk.unsynced.push(append);
    this.#life.after(delay, () => {
      if (!this.#life.dead) {
        // What stands before it is durable with it; that is reported in any order.
        const position = disk.unsynced.indexOf(append);
        if (position >= 0) disk.unsynced.splice(0, position + 1);
      }
      completion(null);
    });
  }

  #read<T>(read: () => T): MaybePromise<T> {
    if (this.#life.hangs) return this.#life.pause(0).then(read);
    this.#life.check();
    return read();
  }

  /** Writes are durable in their order, so one that is durable when it ends makes those before it durable. */
  #write(write: () => void): MaybePromise<void> {
    const disk = this.#disk;
    if (this.#life.dead) return;
    const carryOut = (): void => {
      disk.unsynced = [];
      write();
    };
    const delay = disk.delay(disk.habits.writeMs);
    if (delay === 0 && !this.#life.hangs) return carryOut();
    const inProgress = { carryOut };
    disk.writing = inProgress;
    return new Promise<void>((resolve) => this.#life.after(delay, resolve)).then(() => {
      if (disk.writing !== inProgress || this.#life.dead) return;
      disk.writing = null;
      carryOut();
    });
  }
}
