import { once } from "node:events";
import { until } from "@seshat/raft";
import { isNew } from "../admin/status.js";
import type { ClientListener } from "../client/listen-clients.js";
import { handOver } from "../node/hand-over.js";
import type { ServerContext } from "./context.js";

/** How long clients have to take their last replies when the server closes. */
const FAREWELL_MS = 200;
const LOOK_MS = 5;

/** A node that belongs to no cluster yet founds one of its own. */
export async function foundAlone({ node, self }: ServerContext): Promise<void> {
  const { raft } = node;
  if (isNew(raft.metrics())) await raft.initialize([[raft.id, self]]);
}

/** How long a node that is alone has to apply its log, before it serves whoever is patient. */
const TAKE_OFFICE_MS = 600_000;

/**
 * A node that is alone in its cluster leads as soon as it has looked through its log: clients need not find out that it does not yet.
 *
 * @param signal ends the wait.
 */
export async function takeOffice({ node: { raft } }: ServerContext, signal?: AbortSignal): Promise<void> {
  const { configs } = raft.metrics().membership.membership;
  const isAlone = configs.length === 1 && configs[0]?.length === 1 && configs[0].includes(raft.id);
  if (!isAlone) return;
  // What keeps it from leading it says in its log, and to those who ask.
  const taken = raft
    .wait(until.leader(raft.id), TAKE_OFFICE_MS)
    .then(() => raft.ensureLinearizable({ timeoutMs: TAKE_OFFICE_MS }))
    .catch(() => {});
  await Promise.race(signal === undefined ? [taken] : [taken, aborted(signal)]);
}

/** Ends when `signal` is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** Says good-bye: nobody is accepted, another node leads, and what is under way is answered. */
export async function farewell(listener: ClientListener, server: ServerContext): Promise<void> {
  listener.stop();
  await handOver(server.node.raft, server.logger);
  const { clients } = server;
  for (const client of clients) client.end();
  // Each operation under way has its answer within its own time; then the sockets are to take what was said.

  await patiently(server.commandTimeoutMs, () => [...clients].every(({ inFlight }) => inFlight === 0));

  await patiently(FAREWELL_MS, () => clients.size === 0);
}

/** Waits until `holds`, but no longer than so many milliseconds. */
async function patiently(ms: number, holds: () => boolean): Promise<void> {
  const until = performance.now() + ms;
  while (!holds() && performance.now() < until) {
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}
