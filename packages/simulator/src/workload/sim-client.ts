import type { NodeId, RaftTypeConfig, SessionCommand, Timer } from "@seshat/common";
import { InvalidValueError, SeshatError, UnknownOutcomeError } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import type { SeededRandom } from "@seshat/raft/testing";
import type { ClientOracle } from "../oracle/client-oracle.js";
import type { HistoryRecorder } from "../linearizability/history-recorder.js";
import type { Seen, System } from "../system.js";
import type { Cluster } from "../world/cluster.js";
import type { SimNode } from "../world/sim-node.js";
import { ClientSession } from "./client-session.js";

/** What a client needs. */
export interface ClientParts<C extends RaftTypeConfig, Input, Output> {
  readonly name: string;
  readonly system: System<C, Input, Output>;
  readonly cluster: Cluster<C>;
  readonly random: SeededRandom;
  readonly history: HistoryRecorder<Input, Output>;
  /** Follows requests into the log; null where their commands carry no numbers. */
  readonly oracle: ClientOracle<unknown, Input, Output> | null;
  /** Runs a check of the oracle. */
  readonly check: (check: () => void) => void;
  readonly keys: number;
  readonly leases: boolean;
  /** How many bytes a large value has; 0 for none. */
  readonly largeBytes: number;
  /** True when this client numbers its writes, and sends one whose outcome it does not know until it does. */
  readonly exactlyOnce: boolean;
  /** The share of its operations that only read, from 0 to 1, as far as the system heeds it. */
  readonly readShare: number;
  readonly thinkMs: () => number;
  readonly setTimer: (delayMs: number, callback: () => void) => Timer;
  /** Virtual milliseconds. */
  readonly now: () => number;
}

/** How long a client waits for an answer, in milliseconds. */
const PATIENCE_MS = 800;

/** Answers that a client remembers. */
const MAX_SEEN = 20;

/** The client never heard of it again: its node crashed, or took too long. */
class GoneError extends Error {}

/** Writes and reads one operation after another, and writes down what it did and saw. */
export class SimClient<C extends RaftTypeConfig, Input, Output> {
  /** Operations that were answered. */
  answered = 0;
  readonly #parts: ClientParts<C, Input, Output>;
  readonly #seen: Seen<Input, Output>[] = [];
  readonly #session = new ClientSession();
  #lives = 0;
  #stopped = false;
  #believedLeader: NodeId | null = null;

  constructor(parts: ClientParts<C, Input, Output>) {
    this.#parts = parts;
  }

  /** Goes on until it is stopped. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#sleep(this.#parts.thinkMs() * (0.5 + this.#parts.random.next()) + 0.01);
      if (!this.#stopped) await this.#operate();
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Reads, trying until it is answered. */
  async readUntilAnswered(input: Input): Promise<void> {
    for (;;) {
      const before = this.answered;
      await this.#read(input);
      if (this.answered > before) return;
      await this.#sleep(20);
    }
  }

  #operate(): Promise<void> {
    const { system, random, name, keys, largeBytes, readShare, now } = this.#parts;
    const client = { name, keys, largeBytes, readShare, now: now(), seen: this.#seen };
    const input = system.operation(random, client);
    const command = system.toCommand(input);
    return command === undefined ? this.#read(input) : this.#write(input, command);
  }

  async #write(input: Input, command: C["D"]): Promise<void> {
    const { system, history, oracle, check, random } = this.#parts;
    const open = history.invoke(this.#process(), input);
    const session = await this.#nextNumber();
    const options = session === null ? { timeoutMs: PATIENCE_MS } : { timeoutMs: PATIENCE_MS, session };
    const attempt = oracle?.begins(input) ?? null;
    const tagged = attempt === null ? command : (system.attempts?.tag(command, attempt) ?? command);
    let mayBeThere = false;
    for (;;) {
      const node = this.#pickNode();
      try {
        if (node === null) throw new GoneError("no node runs");
        const { response, logId } = await this.#within(node, (raft) => raft.clientWrite(tagged, options));
        const output =
          system.toOutput === undefined ? (response as Output) : system.toOutput(response, input);
        open.ok(output);
        if (attempt !== null) check(() => oracle?.acknowledged(attempt, logId.index));
        this.#answer(input, output);
        return;
      } catch (thrown) {
        this.#believedLeader = leaderOf(thrown);
        const isUnknown = thrown instanceof UnknownOutcomeError || thrown instanceof GoneError;
        if (!isUnknown && !(thrown instanceof SeshatError)) throw thrown;
        mayBeThere ||= isUnknown && node !== null;
        if (session !== null && !this.#stopped && isRetried(thrown)) {
          await this.#sleep(5 + random.next() * 40);
          continue;
        }
        if (mayBeThere) {
          open.unknown();
          this.#lives += 1;
        } else {
          open.fail();
          if (attempt !== null) check(() => oracle?.refused(attempt));
        }
        if (session !== null) this.#session.forget();
        return;
      }
    }
  }

  async #read(input: Input): Promise<void> {
    const { system, history, oracle, check, random, leases, readShare } = this.#parts;
    const read = system.read?.bind(system);
    if (read === undefined) {
      throw new InvalidValueError("system.read", read, "a function, since toCommand gave undefined");
    }
    const node = this.#pickNode();
    if (node === null) return;
    const open = history.invoke(this.#process(), input);
    const floor = oracle?.reads(input);
    try {
      // Who only reads, and never asks for more than a lease, is not held up at a leader that has none.
      const policy = leases && (readShare > 0.5 || random.next() < 0.5) ? "lease" : "readIndex";
      const at = await this.#within(node, (raft) =>
        raft.ensureLinearizable({ policy, timeoutMs: PATIENCE_MS }),
      );
      if (node.machine === null) throw new GoneError("it crashed");
      const output = node.machine.look((machine) => read(machine, input));
      open.ok(output);
      if (floor !== undefined) check(() => oracle?.read(floor, input, output, at.index));
      this.#answer(input, output);
    } catch (thrown) {
      this.#believedLeader = leaderOf(thrown);
      if (!(thrown instanceof SeshatError) && !(thrown instanceof GoneError)) throw thrown;
      // A read that is not answered says nothing.
      open.fail();
    }
  }

  #answer(input: Input, output: Output): void {
    this.answered += 1;
    this.#seen.push({ input, output });
    if (this.#seen.length > MAX_SEEN) this.#seen.shift();
  }

  /** The number of the next write; null where this client has no session. */
  async #nextNumber(): Promise<SessionCommand | null> {
    if (!this.#parts.exactlyOnce) return null;
    return this.#session.next(async () => {
      const node = this.#pickNode();
      if (node === null) return null;
      try {
        return await this.#within(node, (raft) => raft.openSession({ timeoutMs: PATIENCE_MS }));
      } catch (thrown) {
        this.#believedLeader = leaderOf(thrown);
        return null;
      }
    });
  }

  /** A client whose operation has an unknown outcome goes on as another one: that operation may still be under way. */
  #process(): string {
    return `${this.#parts.name}.${this.#lives}`;
  }

  #pickNode(): SimNode<C> | null {
    const running = this.#parts.cluster.running();
    const { random, readShare } = this.#parts;
    if (readShare > 0.5 && random.next() < 0.8) {
      // Who only reads asks whoever says that it leads: when two do, one of them is wrong.
      const leaders = running.filter((node) => this.#parts.cluster.leads(node));
      const leader = leaders[Math.floor(random.next() * leaders.length)];
      if (leader !== undefined) return leader;
    }
    const believed = running.find(({ id }) => id === this.#believedLeader);
    if (believed !== undefined && random.next() < 0.8) return believed;
    return running[Math.floor(random.next() * running.length)] ?? null;
  }

  /** What a node answers, unless it crashes or takes too long first. */
  #within<T>(node: SimNode<C>, call: (raft: Raft<C>) => Promise<T>): Promise<T> {
    const { raft, life } = node;
    if (raft === null || life === null) return Promise.reject(new GoneError("it crashed"));
    return new Promise((resolve, reject) => {
      const patience = this.#parts.setTimer(PATIENCE_MS * 2, () => reject(new GoneError("no answer")));
      call(raft).then(
        (value) => {
          patience.cancel();
          if (life.alive) resolve(value);
          else reject(new GoneError("it crashed"));
        },
        (thrown: unknown) => {
          patience.cancel();
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what was thrown is passed on
          reject(thrown);
        },
      );
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.setTimer(ms, resolve));
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
