import type {
  LogEntry,
  LogId,
  Membership,
  RaftTypeConfig,
  Snapshot,
  SnapshotData,
  SnapshotMeta,
  StoreIdentity,
} from "@seshat/common";
import { createMembership } from "@seshat/common";
import type { ApplyResponse, RaftStateMachine } from "../traits/raft-state-machine.js";
import type { LogState, RaftStorage } from "../traits/raft-storage.js";
import type { RaftLogReader } from "../traits/raft-log-reader.js";
import { check } from "./check.js";
import type { ArmedCrash, OpenStorage, StorageFactory, UnsyncedFate } from "./storage-factory.js";

/** A rule about storage, and the body of its case. */
export interface StorageRule {
  readonly name: string;
  readonly run: <C extends RaftTypeConfig>(bench: StorageBench<C>) => Promise<void>;
}

/** A factory, whatever its media are. */
interface Workshop<C extends RaftTypeConfig> {
  readonly factory: Pick<StorageFactory<C, never>, "command" | "node" | "readState">;
  readonly rounds: number;
  readonly fates: readonly UnsyncedFate[];
  create(): Promise<Medium<C>>;
}

/** One medium, with what its factory can do to it. */
export interface Medium<C extends RaftTypeConfig> {
  open(): Promise<OpenStorage<C>>;
  restart(): Promise<void>;
  crash(fate: UnsyncedFate): Promise<void>;
  kill(): Promise<void>;
  crashAt(step: number): ArmedCrash;
  dispose(): Promise<void>;
}

/** Passed to builds and installations where nobody else waits for a turn. */
export const noPause = (): Promise<void> => Promise.resolve();

/** What a case works with: stores on media of its own, and entries to put into them. */
export class StorageBench<C extends RaftTypeConfig> {
  readonly #workshop: Workshop<C>;
  readonly #stores: Store<C>[] = [];

  constructor(workshop: Workshop<C>) {
    this.#workshop = workshop;
  }

  get rounds(): number {
    return this.#workshop.rounds;
  }

  get fates(): readonly UnsyncedFate[] {
    return this.#workshop.fates;
  }

  /** A store on a new medium, with an identity. */
  async store(): Promise<Store<C>> {
    const store = await this.emptyStore();
    await store.log.saveIdentity(IDENTITY);
    return store;
  }

  /** A store on a new medium, as it is at first. */
  async emptyStore(): Promise<Store<C>> {
    const medium = await this.#workshop.create();
    const readState = async (open: OpenStorage<C>): Promise<unknown> =>
      this.#workshop.factory.readState(open);
    const store = new Store<C>(medium, readState);
    this.#stores.push(store);
    await store.open();
    return store;
  }

  async dispose(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.medium.dispose();
  }

  /** The command number `n`. */
  command(n: number): C["D"] {
    return this.#workshop.factory.command(n);
  }

  /** An entry with a command: the one numbered by the index, unless another is asked for. */
  normal(term: number, index: number, n: number = index): C["Entry"] {
    return entryOf<C>({ logId: { term, index }, payload: { type: "normal", data: this.command(n) } });
  }

  blank(term: number, index: number): C["Entry"] {
    return entryOf<C>({ logId: { term, index }, payload: { type: "blank" } });
  }

  entry(term: number, index: number, payload: LogEntry<C["D"], C["Node"]>["payload"]): C["Entry"] {
    return entryOf<C>({ logId: { term, index }, payload });
  }

  /** Entries with commands of one term, from index `since` to index `upto`. */
  normals(term: number, since: number, upto: number): C["Entry"][] {
    return Array.from({ length: upto - since + 1 }, (_, i) => this.normal(term, since + i));
  }

  members(...ids: readonly number[]): Membership<C["Node"]> {
    return createMembership<C["Node"]>([ids], this.nodes(...ids));
  }

  nodes(...ids: readonly number[]): [number, C["Node"]][] {
    return ids.map((id) => [id, this.#workshop.factory.node(id)]);
  }

  membershipEntry(term: number, index: number, ...ids: readonly number[]): C["Entry"] {
    return this.entry(term, index, { type: "membership", membership: this.members(...ids) });
  }

  /** A snapshot of another store: a membership of 1 and commands up to `upto`. */
  async snapshotUpto(upto: LogId): Promise<{ readonly donor: Store<C>; readonly snapshot: SnapshotOf<C> }> {
    const donor = await this.store();
    const before = Math.max(0, upto.term - 1);
    const entries = [this.membershipEntry(before, 1, 1), ...this.normals(before, 2, upto.index - 1)];
    await donor.machine.apply([...entries, this.normal(upto.term, upto.index)]);
    return { donor, snapshot: await donor.build() };
  }
}

export type SnapshotOf<C extends RaftTypeConfig> = Snapshot<C["SnapshotData"], C["Node"]>;

export const IDENTITY: StoreIdentity = Object.freeze({
  clusterId: "conformance",
  nodeId: 1,
  incarnation: 7_001,
});

function entryOf<C extends RaftTypeConfig>(entry: LogEntry<C["D"], C["Node"]>): C["Entry"] {
  return entry;
}

/** One store: its medium, and what is open on it at present. */
export class Store<C extends RaftTypeConfig> {
  readonly medium: Medium<C>;
  readonly #readState: (open: OpenStorage<C>) => Promise<unknown>;
  #present: OpenStorage<C> | null = null;

  constructor(medium: Medium<C>, readState: (open: OpenStorage<C>) => Promise<unknown>) {
    this.medium = medium;
    this.#readState = readState;
  }

  get log(): RaftStorage<C> {
    return this.#open.storage;
  }

  get machine(): RaftStateMachine<C> {
    return this.#open.stateMachine;
  }

  async open(): Promise<void> {
    this.#present = await this.medium.open();
  }

  async restart(): Promise<void> {
    await this.medium.restart();
    await this.open();
  }

  async crash(fate: UnsyncedFate): Promise<void> {
    await this.medium.crash(fate);
    await this.open();
  }

  async kill(): Promise<void> {
    await this.medium.kill();
    await this.open();
  }

  /** Does what a node does at its start: a state that is behind the snapshot gets it. */
  async recover(): Promise<void> {
    const snapshot = await this.machine.readCurrentSnapshot();
    const { lastAppliedLogId } = await this.machine.readAppliedState();
    if (snapshot !== null && lastAppliedLogId.index < snapshot.meta.lastLogId.index) {
      await this.machine.installSnapshot(snapshot, noPause);
    }
  }

  /** Appends, and waits until the entries can be read. */
  async begin(entries: readonly C["Entry"][]): Promise<{ readonly durable: Promise<void> }> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A failure of the call itself may leave this to nobody.
    promise.catch(() => {});
    await this.log.append(entries, (error) => (error === null ? resolve() : reject(error)));
    return { durable: promise };
  }

  /** Appends, and waits until the entries are durable. */
  async append(entries: readonly C["Entry"][]): Promise<void> {
    await (
      await this.begin(entries)
    ).durable;
  }

  async logState(): Promise<LogState> {
    return this.log.readLogState();
  }

  /** All entries of the log. */
  async entries(): Promise<C["Entry"][]> {
    const { lastPurgedLogId, lastLogId } = await this.log.readLogState();
    return readAll<C>(this.log, lastPurgedLogId.index + 1, lastLogId.index);
  }

  async build(): Promise<SnapshotOf<C>> {
    return (await this.machine.snapshotBuilder()).buildSnapshot(noPause);
  }

  async state(): Promise<unknown> {
    return this.#readState(this.#open);
  }

  async applyAll(...entries: C["Entry"][]): Promise<readonly ApplyResponse<C["R"]>[]> {
    return this.machine.apply(entries);
  }

  /** Builds a snapshot up to `upto`, applying `entries` first, and purges the log behind it. */
  async purgeBehind(entries: readonly C["Entry"][], upto: LogId): Promise<void> {
    await this.machine.apply(entries.filter(({ logId }) => logId.index <= upto.index));
    await this.build();
    await this.log.purge(upto);
  }

  /** Takes in a snapshot as it comes from a leader, in pieces of `pieceBytes`. */
  async receive(
    meta: SnapshotMeta<C["Node"]>,
    content: Uint8Array,
    pieceBytes = 100,
  ): Promise<SnapshotOf<C>> {
    const sink = await this.machine.receiveSnapshot(meta, content.length);
    const piece = new Uint8Array(pieceBytes);
    for (let at = 0; at < content.length; at += pieceBytes) {
      const part = content.subarray(at, at + pieceBytes);
      piece.set(part);
      await sink.write(piece.subarray(0, part.length));
      // The caller may use its memory again.
      piece.fill(0xee);
    }
    return { meta, data: await sink.finish() };
  }

  get #open(): OpenStorage<C> {
    check(this.#present !== null, "the store is not open");
    return this.#present;
  }
}

/** Reads entries as a node does: what comes is the beginning of what was asked for, and the rest is asked for again. */
export async function readAll<C extends RaftTypeConfig>(
  reader: RaftLogReader<C>,
  since: number,
  upto: number,
): Promise<C["Entry"][]> {
  const entries: C["Entry"][] = [];
  while (since + entries.length <= upto) {
    const next = since + entries.length;
    const part = await reader.readEntries(next, upto);
    check(part.length > 0, `of entries ${next} to ${upto} none came`);
    check(
      part.length <= upto - next + 1,
      `entries ${next} to ${upto} were asked for, and ${part.length} came`,
    );
    for (const [i, entry] of part.entries()) {
      const { index } = entry.logId;
      check(index === next + i, `entry ${index} came where ${next + i} was asked for`);
    }
    entries.push(...part);
  }
  return entries;
}

/** All bytes of a content, from `offset` on. */
export async function contentOf(data: SnapshotData, offset = 0): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of data.read(offset)) {
    size += chunk.length;
    check(size <= data.size - offset, `the content has more than its ${data.size} bytes`);
    chunks.push(chunk.slice());
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A content that no store made, in chunks of 64 bytes. */
export function foreignContent(bytes: Uint8Array, size: number = bytes.length): SnapshotData {
  return {
    size,
    async *read(offset) {
      for (let at = offset; at < bytes.length; at += 64) yield bytes.slice(at, at + 64);
    },
  };
}
