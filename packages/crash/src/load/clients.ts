import { sleep } from "@seshat/chaos";
import type { SeededRandom } from "@seshat/raft/testing";
import type { HistoryRecorder, RedisStringInput, RedisStringReply } from "@seshat/simulator";
import type { Cluster } from "../cluster/cluster.js";
import { NODE_IDS } from "../cluster/cluster.js";
import { CallError } from "../cluster/node-process.js";
import type { WriteInput } from "../machine/command.js";
import { keyOf } from "../machine/journal-machine.js";

/** What is known of a write. */
export type WriteOutcome =
  | {
      readonly status: "acknowledged";
      /** Where in the log; 0 where the node did not know. */
      readonly index: number;
      /** When it was called and when it was acknowledged, as numbers of events. */
      readonly call: number;
      readonly ret: number;
    }
  | { readonly status: "unknown" }
  | { readonly status: "refused" };

export interface LoadSettings {
  readonly round: number;
  readonly clients: number;
  readonly keys: number;
}

/** Clients that each wait for one answer before they ask again, against whichever node they take for the leader. */
export class Load {
  readonly outcomes: Map<number, WriteOutcome> = new Map();
  readonly #cluster: Cluster;
  readonly #recorder: HistoryRecorder<RedisStringInput, RedisStringReply>;
  readonly #settings: LoadSettings;
  readonly #nextId: () => number;
  readonly #clients: Promise<void>[];
  #acknowledged = 0;
  #reads = 0;
  #events = 0;
  #stopped = false;

  constructor(
    cluster: Cluster,
    recorder: HistoryRecorder<RedisStringInput, RedisStringReply>,
    settings: LoadSettings,
    random: SeededRandom,
    nextId: () => number,
  ) {
    this.#cluster = cluster;
    this.#recorder = recorder;
    this.#settings = settings;
    this.#nextId = nextId;
    this.#clients = Array.from({ length: settings.clients }, (_, client) => this.#run(client, random.fork()));
  }

  /** How many writes were acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** How many reads were answered so far. */
  get reads(): number {
    return this.#reads;
  }

  /** Asks nothing more. Ends when something is known, or nothing ever will be, of all that was asked. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #run(client: number, random: SeededRandom): Promise<void> {
    const { round, keys } = this.#settings;
    let target = 1 + (client % NODE_IDS.length);
    while (!this.#stopped) {
      const key = keyOf(round, random.integer(1, keys));
      // A read is as good on any node.
      const done = random.chance(0.4)
        ? await this.#read(client, random.integer(1, NODE_IDS.length), key)
        : await this.#write(client, target, drawWrite(key, random));
      if (done) continue;
      await sleep(random.integer(1, 10));
      target = (await this.#cluster.leader()) ?? random.integer(1, NODE_IDS.length);
    }
  }

  async #read(client: number, id: number, key: string): Promise<boolean> {
    const open = this.#recorder.invoke(client, { key, f: "get" });
    try {
      const { reply } = await this.#cluster.node(id).call("read", { key });
      open.ok(reply);
      this.#reads += 1;
      return true;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      // A read has no effect, answered or not.
      open.fail();
      return false;
    }
  }

  async #write(client: number, target: number, draw: (id: number) => WriteInput): Promise<boolean> {
    const id = this.#nextId();
    const input = draw(id);
    const open = this.#recorder.invoke(client, input);
    const call = ++this.#events;
    try {
      const command = { type: "write", id, round: this.#settings.round, input } as const;
      const { index, reply } = await this.#cluster.node(target).call("write", { command });
      open.ok(reply);
      this.outcomes.set(id, { status: "acknowledged", index, call, ret: ++this.#events });
      this.#acknowledged += 1;
      return true;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.unknown) open.unknown();
      else open.fail();
      this.outcomes.set(id, { status: error.unknown ? "unknown" : "refused" });
      return false;
    }
  }
}

/** A write whose value names it. */
function drawWrite(key: string, random: SeededRandom): (id: number) => WriteInput {
  const dice = random.next();
  if (dice < 0.5) return (id) => ({ key, f: "append", value: `${id};` });
  if (dice < 0.8) return (id) => ({ key, f: "set", value: `${id};` });
  if (dice < 0.95) return (id) => ({ key, f: "setget", value: `${id};` });
  return () => ({ key, f: "del" });
}
