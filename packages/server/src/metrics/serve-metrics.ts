import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { formatAddress, hostAndPort } from "../cluster/host-and-port.js";
import type { ServerContext } from "../server/context.js";
import { serverMetrics } from "./server-metrics.js";

/** Where metrics and health are served. */
export interface MetricsListener {
  /** `host:port`, with the port that was taken. */
  readonly address: string;
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 5000;
const MAX_HEADER_BYTES = 8192;

/**
 * Serves `/metrics` for Prometheus, `/healthz` (this process is to be left alone) and `/readyz` (clients may be sent to it).
 *
 * @param address `host:port`.
 * @throws The error of the system when it cannot listen there.
 */
export async function serveMetrics(server: ServerContext, address: string): Promise<MetricsListener> {
  const registry = serverMetrics(server);
  const [host, port] = hostAndPort(address);
  const http = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        server.logger.log("error", "metrics.failed", { error: String(error) });
        if (!response.headersSent) send(response, 500, "text/plain", "failed\n");
        else response.destroy();
      });
    },
  );
  http.maxConnections = MAX_CONNECTIONS;

  const answer = async ({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (method !== "GET" && method !== "HEAD") return send(response, 405, "text/plain", "only GET\n");
    switch ((url ?? "").split("?", 1)[0]) {
      case "/metrics":
        return send(response, 200, registry.contentType, await registry.metrics());
      case "/healthz":
        return sayHealth(response, health(server));
      case "/readyz":
        return sayHealth(response, readiness(server));
      default:
        return send(response, 404, "text/plain", "there are /metrics, /healthz and /readyz\n");
    }
  };

  http.listen({ host, port: Number(port) });
  await once(http, "listening");
  const taken = http.address() as AddressInfo;
  return {
    address: formatAddress(taken.address, taken.port),
    close: async () => {
      const closed = once(http, "close");
      http.close();
      http.closeAllConnections();
      registry.clear();
      await closed;
    },
  };
}

interface Health {
  readonly ok: boolean;
  /** Why not. */
  readonly problem?: string;
}

/** A node that has stopped by itself has to be started again. */
function health({ node }: ServerContext): Health {
  const { state, stopCause } = node.raft.metrics();
  return state === "stopped"
    ? { ok: false, problem: stopCause?.message ?? "the node has stopped" }
    : { ok: true };
}

/** Clients can be served, here or through the leader. */
function readiness(server: ServerContext): Health {
  const alive = health(server);
  if (!alive.ok) return alive;
  const { currentLeader, storageStalled } = server.node.raft.metrics();
  if (storageStalled !== null) return { ok: false, problem: `storage hangs: ${storageStalled}` };
  return currentLeader === null ? { ok: false, problem: "no leader is known" } : { ok: true };
}

function sayHealth(response: ServerResponse, state: Health): void {
  send(response, state.ok ? 200 : 503, "application/json", `${JSON.stringify(state)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
