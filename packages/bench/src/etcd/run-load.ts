import { LatencySamples } from "../statistics/latency-samples.js";
import { ChildError } from "../compare/run-child.js";
import { GrpcConnection } from "./grpc-connection.js";
import { ETCD_METHODS, getRequest, putRequest } from "./messages.js";

/** What is asked of one node of etcd: what redis-benchmark asks for, by gRPC. */
export interface EtcdLoad {
  readonly port: number;
  readonly command: "set" | "get";
  /** Connections. */
  readonly clients: number;
  /** Calls that each connection has under way: a pipeline, though answers may come in any order. */
  readonly pipeline: number;
  readonly requests: number;
  readonly keys: number;
  readonly valueBytes: number;
}

/** What it came to. */
export interface EtcdMeasured {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Calls that etcd refused, which it does when it has too much to do: they were made again, and count once. */
  readonly refused: number;
  /** Processor time that this process, the clients, took for one request. */
  readonly clientCpuUs: number;
}

/** A key as redis-benchmark names it. */
export function keyOf(number: number): string {
  return `key:${String(number).padStart(12, "0")}`;
}

/** Each connection has its calls under way, and begins another whenever one is answered, until all were answered. @throws {Error} when more are refused than answered. */
export async function runEtcdLoad(load: EtcdLoad): Promise<EtcdMeasured> {
  const { port, command, clients, pipeline, requests, keys, valueBytes } = load;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const connections = await Promise.all(
    Array.from({ length: clients }, () => GrpcConnection.open(port, reject)),
  );
  const value = Buffer.alloc(valueBytes, "x");
  const samples = new LatencySamples();
  const path = command === "set" ? ETCD_METHODS.put : ETCD_METHODS.range;
  let [begun, answered, refused] = [0, 0, 0];
  const next = (connection: GrpcConnection): void => {
    if (begun === requests) return;
    begun += 1;
    make(connection, performance.now());
  };
  const make = (connection: GrpcConnection, calledAt: number): void => {
    const key = keyOf(Math.floor(Math.random() * keys));
    connection.call(path, command === "set" ? putRequest(key, value) : getRequest(key), (message) => {
      if (message === null) {
        refused += 1;
        if (refused > requests) reject(new ChildError("etcd refuses more calls than it answers"));
        else make(connection, calledAt);
        return;
      }
      samples.record((performance.now() - calledAt) * 1000);
      answered += 1;
      if (answered === requests) resolve();
      else next(connection);
    });
  };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  for (const connection of connections) for (let i = 0; i < pipeline; i++) next(connection);
  try {
    await promise;
  } finally {
    for (const connection of connections) connection.close();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const [p50Us = Number.NaN, p99Us = Number.NaN] = samples.percentilesUs([0.5, 0.99]);
  return { perSecond: requests / seconds, p50Us, p99Us, refused, clientCpuUs: (user + system) / requests };
}
