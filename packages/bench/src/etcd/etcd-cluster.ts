import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { VerificationError } from "../cluster/tally.js";
import { ChildError, runChild } from "../compare/run-child.js";
import type { BenchedServer } from "../redis/servers.js";
import { freePort, spawnIn, start } from "../redis/servers.js";
import { GrpcConnection } from "./grpc-connection.js";
import type { Fields } from "./messages.js";
import { ETCD_METHODS, countRequest, emptyRequest, getRequest, nested, readAnswer } from "./messages.js";
import type { EtcdLoad, EtcdMeasured } from "./run-load.js";
import { keyOf } from "./run-load.js";

const LOAD_CHILD = fileURLToPath(new URL("../benches/etcd-load-child.js", import.meta.url));
const NODES = 3;

/** Why there is no etcd to compare with; null when there is one. */
export function etcdProblem(): string | null {
  const { status, error } = spawnSync("etcd", ["--version"]);
  if (status === 0) return null;
  return `etcd cannot be run (${error?.message ?? `exit code ${String(status)}`})`;
}

/** Three processes of etcd with its defaults: each syncs its log before it acknowledges. */
export class EtcdCluster implements AsyncDisposable {
  readonly #nodes: readonly BenchedServer[];

  private constructor(nodes: readonly BenchedServer[]) {
    this.#nodes = nodes;
  }

  static async start(): Promise<EtcdCluster> {
    const ports = await Promise.all(Array.from({ length: 2 * NODES }, freePort));
    const url = (port: number | undefined): string => `http://127.0.0.1:${String(port)}`;
    const peers = Array.from({ length: NODES }, (_, i) => `n${i}=${url(ports[NODES + i])}`).join(",");
    const started = await Promise.allSettled(
      Array.from({ length: NODES }, (_, i) => {
        const [clients, own] = [url(ports[i]), url(ports[NODES + i])];
        const flags = {
          name: `n${i}`,
          "listen-client-urls": clients,
          "advertise-client-urls": clients,
          "listen-peer-urls": own,
          "initial-advertise-peer-urls": own,
          "initial-cluster": peers,
          logger: "zap",
          "log-outputs": "stdout",
          "log-level": "info",
        };
        const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
        return start(
          (directory) => spawnIn(directory, "etcd", [...args, `--data-dir=${directory}`], "ignore"),
          {
            port: ports[i] ?? 0,
            says: "serving client traffic insecurely",
          },
        );
      }),
    );
    const nodes = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const cluster = new EtcdCluster(nodes);
    if (nodes.length === NODES) return cluster;
    await cluster[Symbol.asyncDispose]();
    throw new ChildError("three nodes of etcd did not start");
  }

  /** The ports of the leader, and of a node that follows it. */
  async roles(): Promise<{ readonly leader: number; readonly follower: number }> {
    const statuses = await Promise.all(
      this.#nodes.map(async ({ port }) => ({
        port,
        answer: await ask(port, ETCD_METHODS.status, emptyRequest()),
      })),
    );
    // Field 4 is the leader's id, and field 2 of the header that of who answers.
    const leads = (answer: Fields): boolean => answer.get(4) === nested(answer, 1).get(2);
    const leader = statuses.find(({ answer }) => leads(answer));
    const follower = statuses.find(({ answer }) => !leads(answer));
    if (leader === undefined || follower === undefined) throw new VerificationError("etcd has no leader");
    return { leader: leader.port, follower: follower.port };
  }

  /** How many writes there were: each makes a revision. */
  async revision(port: number): Promise<number> {
    return Number(nested(await ask(port, ETCD_METHODS.range, getRequest(keyOf(0))), 1).get(3));
  }

  /** Runs the clients in a process of their own. */
  async run(load: EtcdLoad): Promise<EtcdMeasured> {
    return JSON.parse(await runChild(process.execPath, [LOAD_CHILD, JSON.stringify(load)])) as EtcdMeasured;
  }

  /** Processor time of all nodes, in microseconds. */
  async cpuUs(): Promise<number> {
    return (await Promise.all(this.#nodes.map((node) => node.cpuUs()))).reduce((sum, each) => sum + each, 0);
  }

  /** That every node has the same number of keys, with values of the right length. @returns that number. */
  async verify(valueBytes: number): Promise<number> {
    const { leader } = await this.roles();
    const last = await this.revision(leader);
    const counts = new Set<number>();
    for (const { port } of this.#nodes) {
      for (;;) {
        // Field 4 is the count; the header's revision says how far this node is.
        const answer = await ask(port, ETCD_METHODS.range, countRequest("key:"));
        if (Number(nested(answer, 1).get(3)) < last) continue;
        counts.add(Number(answer.get(4) ?? 0));
        break;
      }
    }
    const [keys = 0, ...others] = counts;
    if (keys === 0 || others.length > 0)
      throw new VerificationError(`nodes of etcd have ${[...counts].join(", ")} keys`);
    const found = nested(await ask(leader, ETCD_METHODS.range, getRequest(keyOf(0))), 2).get(5);
    if (typeof found === "object" && found.length !== valueBytes)
      throw new VerificationError(`etcd has a value of ${found.length} bytes`);
    return keys;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node[Symbol.asyncDispose]()));
  }
}

async function ask(port: number, path: string, message: Buffer): Promise<Fields> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | null>();
  const connection = await GrpcConnection.open(port, reject);
  connection.call(path, message, resolve);
  try {
    const answer = await promise;
    if (answer === null) throw new ChildError(`etcd refuses ${path}`);
    return readAnswer(answer);
  } finally {
    connection.close();
  }
}
