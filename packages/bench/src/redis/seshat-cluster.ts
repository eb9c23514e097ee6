import { fileURLToPath } from "node:url";
import { VerificationError } from "../cluster/tally.js";
import { ChildError, runChild } from "../compare/run-child.js";
import { KEYS, ask } from "./run-benchmark.js";
import type { BenchedServer } from "./servers.js";
import { NODE_FLAGS, spawnIn, start } from "./servers.js";

const SESHAT = fileURLToPath(new URL("bin/seshat.js", import.meta.resolve("seshat")));
/** As the program starts itself, by its first line. */
const NODES = 3;
/** How long nodes have to come to the same end, in milliseconds. */
const PATIENCE_MS = 30_000;

/** What is read of what a node says of itself. */
interface Status {
  readonly state: string;
  readonly lastLog: string;
  readonly applied: string;
}

/** Three durable processes, started and made a cluster as a user does. */
export class SeshatCluster implements AsyncDisposable {
  readonly #nodes: readonly BenchedServer[];

  private constructor(nodes: readonly BenchedServer[]) {
    this.#nodes = nodes;
  }

  static async start(): Promise<SeshatCluster> {
    const started = await Promise.allSettled(
      Array.from({ length: NODES }, (_, i) =>
        start((directory) => {
          const settings = { dir: directory, id: String(i + 1), port: "0", "log-level": "error" };
          const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
          return spawnIn(directory, process.execPath, [...NODE_FLAGS, SESHAT, "start", "--wait", ...flags]);
        }),
      ),
    );
    const nodes = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const cluster = new SeshatCluster(nodes);
    try {
      if (nodes.length < NODES) throw new ChildError("three nodes of Seshat did not start");
      const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
      await runChild(process.execPath, [SESHAT, "bootstrap", addresses]);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The ports of the leader, and of a node that follows it. */
  async roles(): Promise<{ readonly leader: number; readonly follower: number }> {
    const statuses = await this.#statuses();
    const leader = statuses.find(({ state }) => state === "leader");
    const follower = statuses.find(({ state }) => state === "follower");
    if (leader === undefined || follower === undefined) throw new VerificationError("Seshat has no leader");
    return { leader: leader.port, follower: follower.port };
  }

  /** Processor time of all nodes, in microseconds. */
  async cpuUs(): Promise<number> {
    return (await Promise.all(this.#nodes.map((node) => node.cpuUs()))).reduce((sum, each) => sum + each, 0);
  }

  /** That every node has the same log and, of its own, the same number of keys. @returns that number. */
  async verify(): Promise<number> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const statuses = await this.#statuses();
      const logs = new Set(statuses.flatMap(({ lastLog, applied }) => [lastLog, applied]));
      const sizes = new Set(await Promise.all(this.#nodes.map(({ port }) => ownSize(port))));
      const [keys = 0] = sizes;
      if (logs.size === 1 && sizes.size === 1 && keys > 0 && keys <= KEYS) return keys;
      if (performance.now() > end) {
        const seen = `logs that end at ${[...logs].join(", ")}, and ${[...sizes].join(", ")} keys`;
        throw new VerificationError(`nodes of Seshat have ${seen}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node[Symbol.asyncDispose]()));
  }

  #statuses(): Promise<readonly (Status & { readonly port: number })[]> {
    return Promise.all(
      this.#nodes.map(async ({ port }) => {
        const reply = await ask(port, "SESHAT STATUS\r\n", /^\$\d+\r\n.*\r\n$/s);
        return { port, ...(JSON.parse(reply.slice(reply.indexOf("\n") + 1)) as Status) };
      }),
    );
  }
}

/** How many keys a node has itself, without asking the leader. */
async function ownSize(port: number): Promise<number> {
  const answer = await ask(port, "READONLY\r\nDBSIZE\r\n", /^\+OK\r\n:\d+\r\n$/);
  return Number(/:(\d+)/.exec(answer)?.[1]);
}
