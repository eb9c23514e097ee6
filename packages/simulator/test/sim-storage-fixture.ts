import type { AsyncRuntime, BasicNode, LogEntry, TypeConfig } from "@seshat/common";
import { SeededRandom, VirtualClock } from "@seshat/raft/testing";
import type { StateCapture, StateMachine } from "@seshat/storage";
import { SimDisk } from "../src/disk/sim-disk.js";
import type { SimDiskFaults } from "../src/disk/sim-disk-faults.js";
import type { StoreCodec } from "../src/storage/codec.js";
import { jsonCodec } from "../src/storage/codec.js";
import type { SimStorage } from "../src/storage/open-sim-storage.js";
import { openSimStorage } from "../src/storage/open-sim-storage.js";

/** Text in, text out. */
export type Types = TypeConfig<string, string>;

export const codec: StoreCodec<Types> = {
  command: {
    encode: (text) => new TextEncoder().encode(text),
    decode: (bytes) => new TextDecoder().decode(bytes),
  },
};

/** Remembers what was applied, in order. */
export class ListMachine implements StateMachine<string, string> {
  items: string[] = [];
  readonly responseCodec = jsonCodec<string>();

  apply(index: number, data: string): string {
    this.items.push(data);
    return `${index}:${data}`;
  }

  capture(): StateCapture {
    const text = JSON.stringify(this.items);
    return {
      *chunks() {
        for (let at = 0; at < text.length; at += 1000)
          yield new TextEncoder().encode(text.slice(at, at + 1000));
      },
    };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
    this.items = JSON.parse(text) as string[];
  }
}

export function entry(term: number, index: number, data: string): LogEntry<string, BasicNode> {
  return { logId: { term, index }, payload: { type: "normal", data } };
}

/** A disk on a clock of its own. */
export class Bench {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly runtime: AsyncRuntime;
  disk: SimDisk;

  constructor(seed = 1, faults: Partial<SimDiskFaults> = {}) {
    this.random = new SeededRandom(seed);
    this.runtime = this.clock.runtime(this.random.fork());
    this.disk = new SimDisk({ runtime: this.runtime, random: this.random.fork(), faults });
  }

  open(segmentBytes = 300, machine: ListMachine = new ListMachine()): Promise<SimStorage<Types>> {
    return this.run(openSimStorage<Types>(this.disk, { codec, stateMachine: machine, segmentBytes }));
  }

  /** Ends this life and begins the next one. */
  reopen(what: "machine" | "process" = "machine"): Promise<SimStorage<Types>> {
    this.crash(what);
    return this.open();
  }

  crash(what: "machine" | "process" = "machine"): void {
    this.disk.crash(what);
    this.disk = this.disk.reopen();
  }

  run<T>(outcome: Promise<T>): Promise<T> {
    return this.clock.runUntilSettled(outcome, 1_000_000);
  }

  /** Appends and waits until it is durable. */
  append(store: SimStorage<Types>, ...entries: LogEntry<string, BasicNode>[]): Promise<void> {
    return this.run(appended(store, ...entries));
  }
}

/** Appends. @returns once it is durable. */
export function appended(
  { storage }: SimStorage<Types>,
  ...entries: LogEntry<string, BasicNode>[]
): Promise<void> {
  return new Promise((resolve, reject) => {
    const completion = (error: Error | null): void => (error === null ? resolve() : reject(error));
    Promise.resolve()
      .then(() => storage.append(entries, completion))
      .catch(reject);
  });
}

/** Everything between the ends of the log. */
export async function readAll({ storage }: SimStorage<Types>): Promise<LogEntry<string, BasicNode>[]> {
  const { lastPurgedLogId, lastLogId } = storage.readLogState();
  const entries: LogEntry<string, BasicNode>[] = [];
  for (let since = lastPurgedLogId.index + 1; since <= lastLogId.index; since += 0) {
    const part = await storage.readEntries(since, lastLogId.index);
    entries.push(...part);
    since += part.length;
  }
  return entries;
}
