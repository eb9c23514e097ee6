import { LatencySamples } from "../statistics/latency-samples.js";
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
  /** Processor time that this process, the clients, took for one request. */
  readonly clientCpuUs: number;
}

/** A key as redis-benchmark names it. */
export function keyOf(number: number): string {
  return `key:${String(number).padStart(12, "0")}`;
}

/** Each connection has its calls under way, and begins another whenever one is answered, until all were made. @throws the first error. */
export async function runEtcdLoad(load: EtcdLoad): Promise<EtcdMeasured> {
  const { port, command, clients, pipeline, requests, keys, valueBytes } = load;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const connections = await Promise.all(
    Array.from({ length: clients }, () => GrpcConnection.open(port, reject)),
  );
  const value = Buffer.alloc(valueBytes, "x");
  const samples = new LatencySamples();
  const path = command === "set" ? ETCD_METHODS.put : ETCD_METHODS.range;
  let [begun, answered] = [0, 0];
  const next = (connection: GrpcConnection): void => {
    if (begun === requests) return;
    begun += 1;
    const key = keyOf(Math.floor(Math.random() * keys));
    const calledAt = performance.now();
    connection.call(path, command === "set" ? putRequest(key, value) : getRequest(key), () => {
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
  return { perSecond: requests / seconds, p50Us, p99Us, clientCpuUs: (user + system) / requests };
}
