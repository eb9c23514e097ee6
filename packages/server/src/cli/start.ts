import type { ServerConfig } from "../config/server-config.js";
import type { MetricsListener } from "../metrics/serve-metrics.js";
import { serveMetrics } from "../metrics/serve-metrics.js";
import { pinoLogger } from "../node/pino-logger.js";
import { aborted } from "../server/begin-and-end.js";
import type { RunningServer } from "../server/start-server.js";
import { startServer } from "../server/start-server.js";
import { EXIT } from "./exit-codes.js";
import type { CliIo } from "./io.js";
import { checkRestored } from "./unfinished-restore.js";

/**
 * Runs a server until it is told to end, or its node stops by itself.
 *
 * @param talk talks with a user; when that has ended, so does the server.
 * @returns the exit code.
 */
export async function runStart(
  { server: options, logLevel, metrics: metricsAddress }: ServerConfig,
  io: CliIo,
  talk: ((address: string) => Promise<void>) | null = null,
): Promise<number> {
  await checkRestored(options.dir);
  const logger = pinoLogger(logLevel, io.log);
  const server = await startServer({ ...options, logger, signal: io.interrupt });
  let metrics: MetricsListener | null = null;
  try {
    if (metricsAddress !== null) metrics = await serveMetrics(server.context, metricsAddress);
  } catch (error) {
    await server.close();
    throw error;
  }
  io.stdout.write(greeting(server, options.dir));
  if (metrics !== null) io.stdout.write(`Metrics and health are at http://${metrics.address}/metrics\n`);
  const ends = [aborted(io.interrupt), server.node.raft.whenStopped()];
  if (talk !== null) ends.push(talk(server.address));
  await Promise.race(ends).catch((error: unknown) => io.stderr.write(`error: ${String(error)}\n`));
  const { stopCause } = server.node.raft.metrics();
  // What is left of a node that has failed is not worth waiting for, but its ports and its store are to be free.
  await server.close();
  // It tells until the end how it goes.
  await metrics?.close();
  if (stopCause === null) return EXIT.ok;
  io.stderr.write(`error: the node has stopped: ${stopCause.message}\n`);
  return EXIT.internal;
}

function greeting({ address, context, node }: RunningServer, dir: string): string {
  const at = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, at).replace(/^\[|\]$/g, ""), address.slice(at + 1)];
  return (
    `Seshat ${context.version}: node ${node.raft.id} of cluster "${context.clusterId}", data in ${dir}\n` +
    `Clients connect to ${address}, for example: redis-cli -h ${host} -p ${port}\n`
  );
}
