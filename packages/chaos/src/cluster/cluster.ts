import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ChaosFailure } from "../check/chaos-failure.js";
import { RedisConnection } from "../client/redis-connection.js";
import type { ChaosNetwork, Place } from "../network/network.js";
import { ServerProcess } from "../process/server-process.js";
import { retry, sleep } from "./sleep.js";

/** How long anything may take that has to come: far longer than it does. */
export const PATIENCE_MS = 60_000;
/** Another process may have taken the port of a node that is down. */
const START_ATTEMPTS = 20;
const PASSWORD = "chaos";
const SHIFT_CLOCK = new URL("../preload/shift-clock.js", import.meta.url).href;
/** How long a node may take to answer an operator, in milliseconds: longer than it lets a command take. */
const CONTROL_TIMEOUT_MS = 10_000;

/** What is read of what a node says of itself (`SESHAT STATUS`). */
export interface NodeStatus {
  readonly id: number;
  readonly addr: string;
  readonly clientAddr: string;
  readonly state: string;
  readonly term: number;
  readonly leaderId: number | null;
  readonly appliedIndex: number;
  readonly lastLog: string;
  readonly snapshot: string;
  readonly members: readonly { readonly id: number; readonly votes: boolean }[];
}

/** How long a cluster took to form: until each node knew a leader. */
export interface FoundingTimes {
  /** From the start of its processes. */
  readonly fromStartMs: number;
  readonly fromBootstrapMs: number;
}

export interface ClusterSettings {
  /** Where nodes keep their data, configuration and logs. */
  readonly root: string;
  readonly network: ChaosNetwork;
  /** Modules that every node loads before the program: faults that are built in. */
  readonly preloads?: readonly string[];
}

/** The nodes of a cluster, each `seshat start` in a process of its own. */
export class Cluster {
  readonly network: ChaosNetwork;
  readonly #root: string;
  readonly #preloads: readonly string[];
  readonly #processes = new Map<number, ServerProcess>();
  readonly #places = new Map<number, Place>();
  readonly #control = new Map<number, RedisConnection>();
  readonly #clocks = new Map<number, number>();
  readonly #paused = new Set<number>();
  #members: readonly number[] = [];
  /** Nobody outlives this process. */
  readonly #atExit = (): void => {
    for (const node of this.#processes.values()) void node.kill();
  };

  constructor({ root, network, preloads = [] }: ClusterSettings) {
    this.network = network;
    this.#root = root;
    this.#preloads = preloads;
    process.on("exit", this.#atExit);
  }

  /** The nodes that belong to it, whether they run or not. */
  get members(): readonly number[] {
    return this.#members;
  }

  /** Those of them whose processes run, and do not stand still. */
  get running(): readonly number[] {
    return this.#members.filter((id) => this.#processes.get(id)?.isGone === false && !this.#paused.has(id));
  }

  /** Starts new nodes and makes a cluster of them, in which each knows a leader. */
  async found(ids: readonly number[]): Promise<FoundingTimes> {
    const startedAt = performance.now();
    await Promise.all(ids.map((id) => this.start(id)));
    const bootstrapAt = performance.now();
    const statuses = await Promise.all(ids.map((id) => this.#askStatus(id)));
    const members = statuses.flatMap(({ id, addr, clientAddr }) => [String(id), addr, clientAddr]);
    await this.call(ids[0] as number, "SESHAT", "BOOTSTRAP", ...members);
    this.#members = ids;
    await retry(
      async () => {
        const all = await Promise.all(ids.map((id) => this.status(id)));
        return all.every((status) => status !== null && status.leaderId !== null) ? true : null;
      },
      PATIENCE_MS,
      () => late("cluster formed", "not every node knows a leader"),
    );
    const now = performance.now();
    return { fromStartMs: now - startedAt, fromBootstrapMs: now - bootstrapAt };
  }

  /** Starts a new node, makes it a member that votes, and waits until it is. */
  async join(id: number): Promise<void> {
    await this.start(id);
    const { addr, clientAddr } = await this.#askStatus(id);
    await this.onLeader("SESHAT", "ADD", String(id), addr, clientAddr);
    this.#members = [...this.#members, id];
  }

  /** Takes a node out of the cluster, and ends its process. */
  async leave(id: number): Promise<void> {
    await this.onLeader("SESHAT", "REMOVE", String(id));
    this.#members = this.#members.filter((member) => member !== id);
    await this.stop(id);
  }

  /** Starts a node, and waits until it serves clients. @param clockMs how far its clock is off. */
  async start(id: number, clockMs: number = this.#clocks.get(id) ?? 0): Promise<void> {
    this.#clocks.set(id, clockMs);
    for (let attempt = 1; ; attempt++) {
      const node = await this.#launch(id, clockMs);
      if ((await node.started) !== null) return;
      if (!node.output.includes("EADDRINUSE") || attempt === START_ATTEMPTS) {
        throw new ChaosFailure("start", `node ${id} did not start: ${node.output}`);
      }
      await sleep(100);
    }
  }

  /** kill -9. */
  async kill(id: number): Promise<void> {
    await this.#process(id).kill();
    this.#hangUp(id);
  }

  /** A node stands still, as on a machine that has no time for it, until it is told to go on. */
  pause(id: number): void {
    this.#paused.add(id);
    this.#process(id).signal("SIGSTOP");
  }

  resume(id: number): void {
    this.#process(id).signal("SIGCONT");
    this.#paused.delete(id);
  }

  /** Ends a node as an operator does. @throws {ChaosFailure} when it says that something went wrong. */
  async stop(id: number): Promise<void> {
    const node = this.#process(id);
    const code = await node.stop();
    this.#hangUp(id);
    if (code !== 0)
      throw new ChaosFailure("shutdown", `node ${id} ended with ${String(code)}: ${node.output}`);
  }

  /** How a node is; null when it does not say. */
  async status(id: number): Promise<NodeStatus | null> {
    try {
      return JSON.parse((await this.call(id, "SESHAT", "STATUS")) ?? "") as NodeStatus;
    } catch {
      return null;
    }
  }

  /** The node that leads, of those that say so the one of the latest term. */
  async leader(): Promise<NodeStatus | null> {
    const all = await Promise.all(this.running.map((id) => this.status(id)));
    const leaders = all.filter((status) => status?.state === "leader") as NodeStatus[];
    return leaders.toSorted((a, b) => b.term - a.term)[0] ?? null;
  }

  /** Waits until a node leads, in a term after `since`. */
  async newLeader(since = 0): Promise<NodeStatus> {
    return retry(
      async () => {
        const leader = await this.leader();
        return leader !== null && leader.term > since ? leader : null;
      },
      PATIENCE_MS,
      () => late("new leader", "nobody leads"),
    );
  }

  /** Waits until a node has applied what the leader has by now. */
  async inStep(id: number): Promise<void> {
    const { appliedIndex } = await this.newLeader();
    await retry(
      async () => (((await this.status(id))?.appliedIndex ?? 0) >= appliedIndex ? true : null),
      PATIENCE_MS,
      () => late("caught up", `node ${id} does not have what the leader has`),
    );
  }

  /** Waits until every member has applied everything that any has. */
  async caughtUp(): Promise<readonly NodeStatus[]> {
    return retry(
      async () => {
        const all = await Promise.all(this.#members.map((id) => this.status(id)));
        const [first] = all;
        if (first === undefined || first === null) return null;
        const same = all.every(
          (status) => status?.appliedIndex === first.appliedIndex && status.lastLog === first.lastLog,
        );
        return same ? (all as NodeStatus[]) : null;
      },
      PATIENCE_MS,
      () => late("caught up", "not every node has what the others have"),
    );
  }

  /** Asks a node. @throws when it does not answer, or with an error. */
  async call(id: number, ...args: readonly string[]): Promise<string | null> {
    let connection = this.#control.get(id);
    if (connection === undefined || connection.isClosed) {
      const opened = await this.connect(id, CONTROL_TIMEOUT_MS);
      if (opened === null) throw new ChaosFailure("answers", `node ${id} cannot be reached`);
      this.#control.set(id, (connection = opened));
    }
    return connection.call(...args);
  }

  /** Asks a node until it answers with something else than an error. Whatever is asked may be done more than once. */
  async answer(id: number, ...args: readonly string[]): Promise<string | null> {
    let problem = "";
    const { value } = await retry(
      async () => {
        try {
          return { value: await this.call(id, ...args) };
        } catch (error) {
          problem = (error as Error).message;
          return null;
        }
      },
      PATIENCE_MS,
      () => late("answers", `node ${id} does not answer ${args.join(" ")} (${problem})`),
    );
    return value;
  }

  /** Asks whoever leads, again when that is not the one any more, or a change is under way. */
  async onLeader(...args: readonly string[]): Promise<void> {
    let problem = "nobody leads";
    await retry(
      async () => {
        const leader = await this.leader();
        if (leader === null) return null;
        const connection = await this.connect(leader.id, PATIENCE_MS);
        try {
          if (connection === null) return null;
          await connection.call(...args);
          return true;
        } catch (error) {
          problem = (error as Error).message;
          return null;
        } finally {
          connection?.close();
        }
      },
      PATIENCE_MS,
      () => late("operation", `${args.join(" ")}: ${problem}`),
    );
  }

  /** A connection of a client; null when the node does not answer. */
  async connect(id: number, timeoutMs: number): Promise<RedisConnection | null> {
    const place = await this.#place(id);
    return RedisConnection.open({ host: place.host, port: place.clientPort, password: PASSWORD, timeoutMs });
  }

  /** What the processes wrote last, of those that wrote anything. */
  outputs(): readonly (readonly [number, string])[] {
    return [...this.#processes]
      .map(([id, { output }]) => [id, output] as const)
      .filter(([, output]) => output !== "");
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    for (const id of this.#control.keys()) this.#hangUp(id);
    await Promise.all([...this.#processes.values()].map((node) => node.kill()));
    process.off("exit", this.#atExit);
  }

  async #askStatus(id: number): Promise<NodeStatus> {
    const status = await retry(
      () => this.status(id),
      PATIENCE_MS,
      () => late("answers", `node ${id} does not say how it is`),
    );
    return status;
  }

  #hangUp(id: number): void {
    this.#control.get(id)?.close();
    this.#control.delete(id);
  }

  #process(id: number): ServerProcess {
    const node = this.#processes.get(id);
    if (node === undefined) throw new Error(`node ${id} was never started`);
    return node;
  }

  async #place(id: number): Promise<Place> {
    const place = this.#places.get(id) ?? (await this.network.place(id));
    this.#places.set(id, place);
    return place;
  }

  async #launch(id: number, clockMs: number): Promise<ServerProcess> {
    const place = await this.#place(id);
    const configFile = join(this.#root, `node-${id}.toml`);
    await writeFile(configFile, configOf(id, join(this.#root, `node-${id}`), place));
    const node = new ServerProcess({
      place,
      configFile,
      logFile: join(this.#root, `node-${id}.log`),
      preloads: [...(clockMs === 0 ? [] : [SHIFT_CLOCK]), ...this.#preloads],
      env: { CHAOS_CLOCK_MS: String(clockMs) },
    });
    this.#processes.set(id, node);
    return node;
  }
}

/** Snapshots come often and little is kept behind them, so that each scenario sees some. Timeouts are the product's own. */
function configOf(id: number, dir: string, { host, clientPort, peerPort }: Place): string {
  return `[node]
id = ${id}
cluster = "chaos"
dir = ${JSON.stringify(dir)}
when-new = "wait"

[clients]
host = "${host}"
port = ${clientPort}
password = "${PASSWORD}"
command-timeout-ms = 2000

[peers]
listen = "${host}:${peerPort}"

[raft]
snapshot-entries = 200
keep-entries = 50
`;
}

function late(rule: string, problem: string): ChaosFailure {
  return new ChaosFailure(rule, `${problem} after ${PATIENCE_MS / 1000} s`);
}
