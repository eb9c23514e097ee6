import { VerificationError } from "../cluster/tally.js";
import type { EtcdCluster } from "../etcd/etcd-cluster.js";
import type { Load, Measured } from "../redis/run-benchmark.js";
import { KEYS, VALUE_BYTES, commandsProcessed, runRedisBenchmark } from "../redis/run-benchmark.js";
import type { SeshatCluster } from "../redis/seshat-cluster.js";
import type { BenchedServer } from "../redis/servers.js";

/** One run of a load. */
export interface SideRound extends Measured {
  /** Processor time of all processes of this side, the clients' apart, for one command. */
  readonly cpuUs: number;
}

/** One of those that are compared. Each run sees to it that everything that was asked for was done. */
export type Side = (load: Load, requests: number) => Promise<SideRound>;

/** Which node is asked. */
export type Through = "leader" | "follower";

/** How often a run is made again during which another node came to lead. */
const ATTEMPTS = 5;

interface Roles {
  readonly leader: number;
  readonly follower: number;
}

/** A single server that is asked by redis-benchmark. @param counts whether it counts the commands that it carries out. */
export function serverSide(server: BenchedServer, counts: boolean): Side {
  return (load, requests) => withCpu(server, requests, () => benchmark(server.port, load, requests, counts));
}

/** Three nodes, asked by redis-benchmark through one of them. */
export function seshatSide(cluster: SeshatCluster, through: Through): Side {
  return (load, requests) =>
    whileLed(cluster, (roles) =>
      withCpu(cluster, requests, () => benchmark(roles[through], load, requests, true)),
    );
}

/** Three nodes, asked by gRPC through one of them. */
export function etcdSide(cluster: EtcdCluster, through: Through): Side {
  return ({ command, clients, pipeline }, requests) =>
    whileLed(cluster, async (roles) => {
      const before = await cluster.revision(roles.leader);
      const load = { command, clients, pipeline, requests, keys: KEYS, valueBytes: VALUE_BYTES };
      const measured = await withCpu(cluster, requests, () => cluster.run({ ...load, port: roles[through] }));
      const written = (await cluster.revision(roles.leader)) - before;
      // One that was refused may have been made all the same.
      const [least, most] = command === "set" ? [requests, requests + measured.refused] : [0, 0];
      if (written < least || written > most)
        throw new VerificationError(`of ${requests} calls of ${command} etcd made ${written} writes`);
      return measured;
    });
}

async function benchmark(port: number, load: Load, requests: number, counts: boolean): Promise<Measured> {
  const before = counts ? await commandsProcessed(port) : 0;
  const measured = await runRedisBenchmark(port, load, requests);
  const processed = counts ? (await commandsProcessed(port)) - before : requests;
  if (!(processed >= requests))
    throw new VerificationError(`of ${requests} commands a server has carried out ${processed}`);
  return measured;
}

async function withCpu<M extends Measured>(
  of: { cpuUs(): Promise<number> },
  requests: number,
  run: () => Promise<M>,
): Promise<M & SideRound> {
  const before = await of.cpuUs();
  const measured = await run();
  return { ...measured, cpuUs: ((await of.cpuUs()) - before) / requests };
}

/** A run during which another node came to lead measures something else, and does not count. */
async function whileLed(
  cluster: { roles(): Promise<Roles> },
  run: (roles: Roles) => Promise<SideRound>,
): Promise<SideRound> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const roles = await cluster.roles();
    const round = await run(roles);
    if ((await cluster.roles()).leader === roles.leader) return round;
  }
  throw new VerificationError(`no leader stayed for a round, in ${ATTEMPTS} attempts`);
}
