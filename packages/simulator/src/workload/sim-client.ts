import type { NodeId, SessionCommand } from "@seshat/common";
import { SeshatError, UnknownOutcomeError } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import type { SeededRandom } from "@seshat/raft/testing";
import type { HistoryRecorder } from "../linearizability/history-recorder.js";
import type { Cluster, SimNode } from "../world/cluster.js";
import type { SimCommand, SimMachine } from "./sim-machine.js";
import type { SimInput, SimOutput } from "./sim-model.js";
import type { SimTypes } from "./sim-types.js";

/** What a client needs. */
export interface ClientParts {
  readonly name: string;
  readonly cluster: Cluster<SimTypes>;
  readonly random: SeededRandom;
  readonly history: HistoryRecorder<SimInput, SimOutput>;
  readonly keys: number;
  readonly leases: boolean;
  /** True when this client numbers its writes, and sends one whose outcome it does not know until it does. */
  readonly exactlyOnce: boolean;
  thinkMs(): number;
  sleep(ms: number): Promise<void>;
}

/** How long a client waits for an answer, in milliseconds. */
const PATIENCE_MS = 800;

const KINDS = ["register", "counter", "set"] as const;

/** The client never heard of it again: its node crashed, or took too long. */
class GoneError extends Error {}

/** Writes and reads one operation after another, and writes down what it did and saw. */
export class SimClient {
  /** Operations that were answered. */
  answered = 0;
  readonly #parts: ClientParts;
  #lives = 0;
  #stopped = false;
  #believedLeader: NodeId | null = null;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** Goes on until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#parts.sleep(this.#parts.thinkMs() * (0.5 + this.#parts.random.next()) + 0.01);
      if (!this.#stopped) await this.#operate();
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Reads one key, trying until it is answered. */
  async readUntilAnswered(key: string): Promise<void> {
    for (;;) {
      const before = this.answered;
      await this.#read(key);
      if (this.answered > before) return;
      await this.#parts.sleep(20);
    }
  }

  async #operate(): Promise<void> {
    const { random, keys } = this.#parts;
    const kind = KINDS[Math.floor(random.next() * KINDS.length)] as (typeof KINDS)[number];
    const key = `${kind}${Math.floor(random.next() * keys)}`;
    if (random.next() < 0.4) return this.#read(key);
    const value = String(Math.floor(random.next() * 1_000_000));
    switch (kind) {
      case "register": {
        if (random.next() < 0.6) return this.#write({ op: "set", key, value });
        return this.#write({ op: "cas", key, expected: this.#lastSeen.get(key) ?? null, value });
      }
      case "counter":
        return this.#write({ op: "add", key, by: 1 + Math.floor(random.next() * 5) });
      case "set":
        return this.#write({ op: "insert", key, member: value.slice(0, 2) });
    }
  }

  readonly #lastSeen = new Map<string, string | null>();

  async #write(command: SimCommand): Promise<void> {
    const open = this.#parts.history.invoke(this.#process(), command);
    const session = await this.#session();
    let mayBeThere = false;
    for (;;) {
      const node = this.#pickNode();
      try {
        if (node === null) throw new GoneError("no node runs");
        const options = session === null ? { timeoutMs: PATIENCE_MS } : { timeoutMs: PATIENCE_MS, session };
        const { response } = await this.#within(node, (raft) => raft.clientWrite(command, options));
        open.ok(response);
        if (command.op === "set") this.#lastSeen.set(command.key, command.value);
        this.answered += 1;
        return;
      } catch (thrown) {
        this.#believedLeader = leaderOf(thrown);
        const isUnknown = thrown instanceof UnknownOutcomeError || thrown instanceof GoneError;
        if (!isUnknown && !(thrown instanceof SeshatError)) throw thrown;
        mayBeThere ||= isUnknown && node !== null;
        if (session !== null && !this.#stopped && isRetried(thrown)) {
          await this.#parts.sleep(5 + this.#parts.random.next() * 40);
          continue;
        }
        if (mayBeThere) {
          open.unknown();
          this.#lives += 1;
        } else open.fail();
        if (session !== null) this.#sessionId = null;
        return;
      }
    }
  }

  async #read(key: string): Promise<void> {
    const { history, random, leases } = this.#parts;
    const node = this.#pickNode();
    if (node === null) return;
    const open = history.invoke(this.#process(), { op: "get", key });
    try {
      const policy = leases && random.next() < 0.5 ? "lease" : "readIndex";
      await this.#within(node, (raft) => raft.ensureLinearizable({ policy, timeoutMs: PATIENCE_MS }));
      const value = (node.machine as SimMachine | null)?.read(key);
      if (value === undefined) throw new GoneError("it crashed");
      open.ok(value);
      if (typeof value === "string" || value === null) this.#lastSeen.set(key, value);
      this.answered += 1;
    } catch (thrown) {
      this.#believedLeader = leaderOf(thrown);
      if (!(thrown instanceof SeshatError) && !(thrown instanceof GoneError)) throw thrown;
      // A read that is not answered says nothing.
      open.fail();
    }
  }

  #sessionId: number | null = null;
  #sequence = 0;

  /** The number of the next write; null where this client has no session. */
  async #session(): Promise<SessionCommand | null> {
    if (!this.#parts.exactlyOnce) return null;
    if (this.#sessionId === null) {
      const node = this.#pickNode();
      if (node === null) return null;
      try {
        this.#sessionId = await this.#within(node, (raft) => raft.openSession({ timeoutMs: PATIENCE_MS }));
        this.#sequence = 0;
      } catch (thrown) {
        this.#believedLeader = leaderOf(thrown);
        return null;
      }
    }
    this.#sequence += 1;
    return { sessionId: this.#sessionId, sequence: this.#sequence, answeredBelow: this.#sequence };
  }

  /** A client whose operation has an unknown outcome goes on as another one: that operation may still be under way. */
  #process(): string {
    return `${this.#parts.name}.${this.#lives}`;
  }

  #pickNode(): SimNode<SimTypes> | null {
    const running = this.#parts.cluster.running();
    const believed = running.find(({ id }) => id === this.#believedLeader);
    if (believed !== undefined && this.#parts.random.next() < 0.8) return believed;
    return running[Math.floor(this.#parts.random.next() * running.length)] ?? null;
  }

  /** What a node answers, unless it crashes or takes too long first. */
  #within<T>(node: SimNode<SimTypes>, call: (raft: Raft<SimTypes>) => Promise<T>): Promise<T> {
    const { raft, life } = node;
    if (raft === null || life === null) return Promise.reject(new GoneError("it crashed"));
    return Promise.race([
      call(raft).then((value) => {
        if (!life.alive) throw new GoneError("it crashed");
        return value;
      }),
      this.#parts.sleep(PATIENCE_MS * 2).then(() => {
        throw new GoneError("no answer");
      }),
    ]);
  }
}

/** A refusal may be followed by another attempt, and so may silence; a session that is gone may not. */
function isRetried(thrown: unknown): boolean {
  return thrown instanceof GoneError || (thrown instanceof SeshatError && thrown.code !== "session");
}

function leaderOf(thrown: unknown): NodeId | null {
  const { leaderId } = thrown as { readonly leaderId?: NodeId | null };
  return leaderId ?? null;
}
