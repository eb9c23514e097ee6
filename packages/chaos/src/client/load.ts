import type { SeededRandom } from "@seshat/raft/testing";
import type { RedisHistory } from "../check/check-history.js";
import type { Cluster } from "../cluster/cluster.js";
import { sleep } from "../cluster/sleep.js";
import type { RedisConnection } from "./redis-connection.js";
import type { ClientOperation } from "./operations.js";
import { commandOf, drawOperation, drawRead, isRead } from "./operations.js";
import { outcomeOf } from "./outcome.js";

/** How long a client waits for a connection or a reply, longer than a server does. */
const CLIENT_TIMEOUT_MS = 5000;
/** How long it tries again what did not succeed before it gives up. */
const GIVE_UP_MS = 15_000;

export interface LoadSettings {
  readonly recorder: RedisHistory;
  readonly random: SeededRandom;
  /** Those that write and read. Beside them each node has one that only reads, and stays with it while it runs. */
  readonly clients: number;
  readonly keys: readonly string[];
  /** Up to so long a client pauses between two commands, in milliseconds. */
  readonly pauseMs: number;
  /** How many commands a client sends at once. */
  readonly pipeline: number;
  /** Draws what those that write and read ask for next. Default: {@link drawOperation}. */
  readonly draw?: typeof drawOperation;
}

/** What became of what clients asked for. */
export interface LoadCounts {
  acknowledged: number;
  unknown: number;
  refused: number;
  reads: number;
  failedReads: number;
  /** What did not succeed however often it was tried again. */
  givenUp: number;
}

interface ClientSettings {
  readonly name: string;
  readonly node: number;
  readonly isReader: boolean;
}

/**
 * Clients of every node, each with a connection to one of them, on which it waits for the replies before it asks again; when something fails it tries again,
 * perhaps at another node.
 */
export class Load {
  readonly counts: LoadCounts = {
    acknowledged: 0,
    unknown: 0,
    refused: 0,
    reads: 0,
    failedReads: 0,
    givenUp: 0,
  };
  /** The longest that anything took to succeed, with everything that was tried, in milliseconds. */
  longestMs = 0;
  readonly #cluster: Cluster;
  readonly #settings: LoadSettings;
  readonly #done: Promise<unknown>;
  #lastId = 0;
  #isStopped = false;
  /** What is asked for and not known yet. */
  #underWay = 0;
  /** Settled once clients may ask; null while they may. */
  #held: Promise<void> | null = null;

  constructor(cluster: Cluster, settings: LoadSettings) {
    this.#cluster = cluster;
    this.#settings = settings;
    const { members } = cluster;
    const writers = Array.from({ length: settings.clients }, (_, at) => ({
      name: String(at),
      node: members[at % members.length] as number,
      isReader: false,
    }));
    const readers = members.map((node) => ({ name: `reader ${node}`, node, isReader: true }));
    this.#done = Promise.all(
      [...writers, ...readers].map((client) => this.#run(client, settings.random.fork())),
    );
    // Whoever stops it is told.
    this.#done.catch(() => {});
  }

  /** Asks nothing more. Ends when something is known, or nothing ever will be, of all that was asked. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  /** Lets nobody ask for anything, and waits until nothing is under way. @returns lets them go on. */
  async hold(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    while (this.#underWay > 0) await sleep(5);
    return () => {
      this.#held = null;
      resolve();
    };
  }

  /** Asks for every key on each of these connections, in one piece. Ends when all is answered, or never will be. */
  async readAll(connections: readonly RedisConnection[]): Promise<void> {
    const reads = connections.flatMap((connection, at) =>
      this.#settings.keys.map((key, n) => this.#ask(`asking ${at}.${n}`, connection, { key, f: "get" })),
    );
    await Promise.all(reads);
  }

  async #run({ name, node: first, isReader }: ClientSettings, random: SeededRandom): Promise<void> {
    const { keys, pauseMs, pipeline, draw = drawOperation } = this.#settings;
    let connection = null as RedisConnection | null;
    let node = first;
    while (!this.#isStopped) {
      const startedAt = performance.now();
      const operations = Array.from({ length: isReader ? 1 : random.integer(1, pipeline) }, () =>
        isReader ? drawRead(random, keys) : draw(random, keys),
      );
      for (let left = operations; left.length > 0 && !this.#isStopped;) {
        if (connection === null || connection.isClosed)
          connection = await this.#cluster.connect(node, CLIENT_TIMEOUT_MS);
        if (this.#held !== null) await this.#held;
        left = connection === null ? left : await this.#send(name, connection, left);
        if (left.length === 0) break;
        if (performance.now() - startedAt > GIVE_UP_MS) {
          this.counts.givenUp += left.length;
          break;
        }
        await sleep(random.integer(5, 50));
        // Who is refused may as well ask somebody else; who is not stays, to see what a node says that is cut off.
        const others = this.#cluster.members;
        if (connection === null || !others.includes(node) || (!isReader && random.chance(0.5))) {
          connection?.close();
          connection = null;
          node = others[random.integer(0, others.length - 1)] as number;
        }
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - startedAt);
      await sleep(random.integer(0, pauseMs));
    }
    connection?.close();
  }

  /** Sends commands in one piece. @returns those that did not succeed. */
  async #send(
    client: string,
    connection: RedisConnection,
    operations: readonly ClientOperation[],
  ): Promise<ClientOperation[]> {
    const results = await Promise.all(
      operations.map((operation, at) => this.#ask(`${client}.${at}`, connection, operation)),
    );
    return operations.filter((_, at) => results[at] === false);
  }

  async #ask(client: string, connection: RedisConnection, operation: ClientOperation): Promise<boolean> {
    const { recorder } = this.#settings;
    // Each attempt writes a value of its own: what is read says which attempts took effect, and how often.
    const input = "value" in operation ? { ...operation, value: `${++this.#lastId};` } : operation;
    const open = recorder.invoke(client, input);
    // From now on it may be over at any moment, once.
    if (input.lifeMs !== undefined) recorder.invoke(`${client}, its end`, { key: input.key, f: "del" });
    this.#underWay += 1;
    const { type, reply } = await outcomeOf(connection.call(...commandOf(input)), isRead(input));
    this.#underWay -= 1;
    if (type === "ok") open.ok(reply);
    else if (type === "unknown") open.unknown();
    else open.fail();
    this.#count(type, isRead(input));
    return type === "ok";
  }

  #count(type: "ok" | "unknown" | "refused", read: boolean): void {
    const { counts } = this;
    if (read) counts[type === "ok" ? "reads" : "failedReads"] += 1;
    else counts[type === "ok" ? "acknowledged" : type] += 1;
  }
}
