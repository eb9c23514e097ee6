import type { Loss, SimFile } from "./sim-file.js";

/** A change to the names of files. */
type Change =
  | { readonly type: "create" | "remove"; readonly name: string; readonly file: SimFile }
  | { readonly type: "rename"; readonly from: string; readonly name: string; readonly file: SimFile };

/** Which files there are: as the node sees it, and as it would be after a crash. */
export class SimDirectory {
  readonly #live = new Map<string, SimFile>();
  readonly #durable = new Map<string, SimFile>();
  readonly #unsynced: Change[] = [];
  #settled = 0;

  /** How many changes there ever were. */
  get changes(): number {
    return this.#settled + this.#unsynced.length;
  }

  /** How many bytes all files have. */
  get bytes(): number {
    let bytes = 0;
    for (const file of this.#live.values()) bytes += file.length;
    return bytes;
  }

  names(): string[] {
    return [...this.#live.keys()].sort();
  }

  get(name: string): SimFile | undefined {
    return this.#live.get(name);
  }

  create(name: string, file: SimFile): void {
    this.#change({ type: "create", name, file });
  }

  remove(name: string, file: SimFile): void {
    this.#change({ type: "remove", name, file });
  }

  rename(from: string, name: string, file: SimFile): void {
    this.#change({ type: "rename", from, name, file });
  }

  /** The first `count` changes ever become durable. */
  persist(count: number): void {
    for (const change of this.#take(count)) apply(this.#durable, change);
  }

  /** The machine loses power: each change that was not synced is there or not, and so is the content of each file. */
  crash(loss: Loss): void {
    // All, none, or each for itself: file systems differ.
    const keepRate = loss.random.integer(0, 2) / 2;
    for (const change of this.#take(this.changes)) {
      const isKept = loss.random.chance(keepRate);
      loss.count(isKept ? "nameKept" : "nameLost");
      if (isKept) apply(this.#durable, change);
    }
    this.#live.clear();
    for (const [name, file] of [...this.#durable].sort(([a], [b]) => (a < b ? -1 : 1))) {
      file.crash(loss);
      this.#live.set(name, file);
    }
  }

  #change(change: Change): void {
    apply(this.#live, change);
    this.#unsynced.push(change);
  }

  #take(count: number): Change[] {
    const taken = this.#unsynced.splice(0, Math.max(0, count - this.#settled));
    this.#settled += taken.length;
    return taken;
  }
}

function apply(names: Map<string, SimFile>, change: Change): void {
  if (change.type === "remove") {
    // Without the change that gave the file this name there is nothing to take away, or another file.
    if (names.get(change.name) === change.file) names.delete(change.name);
    return;
  }
  if (change.type === "rename" && names.get(change.from) === change.file) names.delete(change.from);
  names.set(change.name, change.file);
}
