import type { AsyncRuntime } from "@seshat/common";
import { InvalidValueError } from "@seshat/common";
import type { SeededRandom } from "@seshat/raft/testing";
import type { MaybePromise } from "@seshat/storage";
import type { DiskErrorCode } from "./disk-error.js";
import { DiskError } from "./disk-error.js";
import type { Disk, DiskVerb, OpenFile } from "./disk.js";
import type { DiskOperation, StrayPlace } from "./sim-device.js";
import { SimDevice } from "./sim-device.js";
import type { DiskFaultCounts, SimDiskFaults } from "./sim-disk-faults.js";
import { SimFile } from "./sim-file.js";

/** What a simulated disk is made of. */
export interface SimDiskParts {
  /** The clock that syncs take their time on. */
  readonly runtime: AsyncRuntime;
  /** Decides everything that chance decides: a disk with the same seed and the same calls does the same. */
  readonly random: SeededRandom;
  /** Default: none. */
  readonly faults?: Partial<SimDiskFaults>;
}

/** How often another place is drawn for a write that goes astray, before it goes nowhere. */
const MAX_STRAY_ATTEMPTS = 10;

/** Where a byte went bad. */
export interface Corruption {
  readonly file: string;
  readonly offset: number;
}

/**
 * A disk that behaves as badly as real ones do, in memory. Everything but a sync answers at once, as a page cache does.
 *
 * One object is the disk as one life of its node sees it. After {@link crash} its calls, those under way included, neither
 * end nor do anything; {@link reopen} gives the next life. Faults, counts and the hook go on from life to life.
 */
export class SimDisk implements Disk {
  readonly #runtime: AsyncRuntime;
  readonly #device: SimDevice;
  #alive = true;

  constructor(parts: SimDiskParts, device: SimDevice = new SimDevice(parts.random, parts.faults ?? {})) {
    this.#runtime = parts.runtime;
    this.#device = device;
    checkFaults(device.faults);
  }

  /** How the disk behaves. To change it: {@link setFaults}. */
  get faults(): SimDiskFaults {
    return this.#device.faults;
  }

  /** How often which fault happened, in all lives. */
  get counts(): DiskFaultCounts {
    return this.#device.counts;
  }

  /** How many calls there were, in all lives. */
  get operations(): number {
    return this.#device.operations;
  }

  /**
   * Called before each call does anything; may crash the disk, and then the call never returns. An error thrown here is thrown by the
   * call. Null for none.
   */
  set onOperation(hook: ((operation: DiskOperation) => void) | null) {
    this.#device.onOperation = hook;
  }

  /** Changes how the disk behaves from now on; what is left out stays as it is. */
  setFaults(faults: Partial<SimDiskFaults>): void {
    const changed = { ...this.#device.faults, ...faults };
    checkFaults(changed);
    this.#device.faults = changed;
  }

  /** The next call of this kind fails, for this file or for any. */
  failNext(
    verb: DiskVerb,
    { file = null, code = "EIO" }: { file?: string | null; code?: DiskErrorCode } = {},
  ): void {
    this.#device.ambush({ verb, file, code });
  }

  /**
   * The next write ends up at another place, in any file, and claims to have worked.
   *
   * @param mayHit false for what is to be spared; the write then goes elsewhere, or nowhere.
   */
  misdirectNext(mayHit: StrayPlace = () => true): void {
    this.#device.misdirectNext(mayHit);
  }

  /** Takes back what {@link failNext} and {@link misdirectNext} asked for and has not happened. */
  disarm(): void {
    this.#device.disarm();
  }

  /** The names of all files, ascending; not a call to the disk. */
  get files(): readonly string[] {
    return this.#device.directory.names();
  }

  /** How many bytes all files together have; not a call to the disk. */
  get usedBytes(): number {
    return this.#device.directory.bytes;
  }

  /** From now on no sync ends. */
  hang(): void {
    this.#device.hangs = true;
  }

  /** Syncs end again, and those that were due meanwhile at once. */
  release(): void {
    for (const sync of this.#device.release()) this.#runtime.soon(sync);
  }

  /**
   * Ends this life. When the machine goes down, what was not synced is lost, kept or torn, as chance has it; when only the
   * process does, the next life finds everything as it was, and can still lose it.
   */
  crash(what: "machine" | "process" = "machine"): void {
    if (!this.#alive) return;
    this.#end();
    this.#device.count(what === "machine" ? "machineCrash" : "processCrash");
    if (what === "machine") this.#device.directory.crash(this.#device.loss);
  }

  /** The next life on this disk, which hangs on if it does. Ends this one, where no crash did. */
  reopen(runtime: AsyncRuntime = this.#runtime): SimDisk {
    this.#end();
    return new SimDisk({ runtime, random: this.#device.random }, this.#device);
  }

  /**
   * Changes one byte.
   *
   * @param at the file and the byte; what is left out is drawn.
   * @returns null when there is no such byte.
   */
  corrupt(at: Partial<Corruption> = {}): Corruption | null {
    const { directory, random } = this.#device;
    const names = at.file === undefined ? directory.names() : [at.file];
    const file = names[random.integer(0, names.length - 1)];
    const content = file === undefined ? undefined : directory.get(file);
    if (file === undefined || content === undefined || content.length === 0) return null;
    const offset = at.offset ?? random.integer(0, content.length - 1);
    if (offset >= content.length) return null;
    content.corrupt(offset, random.integer(1, 255));
    this.#device.count("corruption");
    return { file, offset };
  }

  list(): MaybePromise<readonly string[]> {
    return this.#now("list", "", () => this.#device.directory.names());
  }

  size(file: string): MaybePromise<number | null> {
    return this.#now("size", file, () => this.#device.directory.get(file)?.length ?? null);
  }

  read(file: string, offset: number, length: number): MaybePromise<Uint8Array> {
    return this.#now("read", file, () => this.#find("read", file).read(offset, length));
  }

  open(file: string): MaybePromise<OpenFile> {
    return this.#now("open", file, () => {
      const content = this.#find("open", file);
      return {
        read: (offset, length) => this.#now("read", file, () => content.read(offset, length)),
      };
    });
  }

  write(file: string, offset: number, bytes: Uint8Array): MaybePromise<number> {
    return this.#now("write", file, () => this.#write(file, offset, bytes));
  }

  truncate(file: string, length: number): MaybePromise<void> {
    return this.#now("truncate", file, () => {
      const content = this.#find("truncate", file);
      if (length > content.length)
        throw new DiskError("truncate", file, "EINVAL", `it has ${content.length} bytes`);
      content.truncate(length);
    });
  }

  rename(from: string, to: string): MaybePromise<void> {
    return this.#now("rename", from, () =>
      this.#device.directory.rename(from, to, this.#find("rename", from)),
    );
  }

  remove(file: string): MaybePromise<void> {
    return this.#now("remove", file, () => this.#device.directory.remove(file, this.#find("remove", file)));
  }

  sync(file: string): MaybePromise<void> {
    const { random } = this.#device;
    return this.#later("sync", file, () => {
      const content = this.#find("sync", file);
      const { changes } = content;
      return {
        succeed: () => content.persist(changes),
        fail: () => content.forsake(changes, random),
      };
    });
  }

  syncDirectory(): MaybePromise<void> {
    const { directory } = this.#device;
    return this.#later("sync directory", "", () => {
      const { changes } = directory;
      return {
        succeed: () => directory.persist(changes),
        // Names are kept in a journal: what is in it stays there, and a later sync may well succeed.
        fail: () => {},
      };
    });
  }

  #end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#device.forgetHeld();
  }

  #write(file: string, offset: number, bytes: Uint8Array): number {
    const device = this.#device;
    const { directory, faults } = device;
    const existing = directory.get(file);
    const length = existing?.length ?? 0;
    if (offset > length) throw new DiskError("write", file, "EINVAL", `byte ${offset} of ${length}`);
    const overwritten = Math.min(bytes.length, length - offset);
    const fits = overwritten + device.fitting(bytes.length, bytes.length - overwritten);
    if (fits < bytes.length) {
      device.count("diskFull");
      if (fits <= 0) throw new DiskError("write", file, "ENOSPC");
    }
    const content = existing ?? new SimFile();
    if (existing === undefined) directory.create(file, content);
    let written = fits;
    if (written > 1 && device.chance(faults.shortWriteRate)) {
      device.count("shortWrite");
      written = device.random.integer(1, written - 1);
    }
    const part = bytes.subarray(0, written);
    const stray = device.takeStray();
    if (stray === null) content.write(offset, part);
    else this.#misdirect(part, stray);
    return written;
  }

  #misdirect(bytes: Uint8Array, mayHit: StrayPlace): void {
    const { directory, random, count } = this.#device;
    const names = directory.names();
    count("misdirectedWrite");
    for (let attempt = 0; attempt < MAX_STRAY_ATTEMPTS; attempt++) {
      const file = names[random.integer(0, names.length - 1)] as string;
      const content = directory.get(file) as SimFile;
      const at = random.integer(0, content.length);
      if (mayHit(file, at, bytes.length, content.length)) return content.write(at, bytes);
    }
  }

  #find(verb: DiskVerb, file: string): SimFile {
    const content = this.#device.directory.get(file);
    if (content === undefined) throw new DiskError(verb, file, "ENOENT");
    return content;
  }

  #now<T>(verb: DiskVerb, file: string, act: () => T): MaybePromise<T> {
    if (!this.#begin(verb, file)) return never();
    const failure = this.#device.failure(verb, file);
    if (failure !== null) throw failure;
    return act();
  }

  #later(
    verb: "sync" | "sync directory",
    file: string,
    begin: () => { readonly succeed: () => void; readonly fail: () => void },
  ): MaybePromise<void> {
    if (!this.#begin(verb, file)) return never();
    const { succeed, fail } = begin();
    const failure = this.#device.failure(verb, file);
    const ms = this.#device.syncMs();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        if (!this.#alive) return;
        if (this.#device.hangs) {
          this.#device.hold(end);
        } else if (failure === null) {
          succeed();
          resolve();
        } else {
          fail();
          reject(failure);
        }
      };
      this.#runtime.setTimer(ms, end);
    });
  }

  /** @returns false when this life is over. */
  #begin(verb: DiskVerb, file: string): boolean {
    if (this.#alive) this.#device.begin(verb, file);
    return this.#alive;
  }
}

/** What a dead node waits for: each call for a promise of its own, so that nothing gathers on one. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function checkFaults(faults: SimDiskFaults): void {
  for (const [name, value] of Object.entries(faults) as [keyof SimDiskFaults, number][]) {
    const isRate = name.endsWith("Rate");
    if (!(value >= 0 && value <= (isRate ? 1 : Number.MAX_VALUE))) {
      throw new InvalidValueError(`faults.${name}`, value, isRate ? "a share from 0 to 1" : "at least 0");
    }
  }
}
