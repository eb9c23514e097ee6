import type { ServerStatus } from "../admin/status.js";
import { CliError } from "./exit-codes.js";
import type { CliIo } from "./io.js";
import { onLeader, statusOf } from "./cluster-access.js";
import type { Target } from "./resp-connection.js";
import { RespConnection } from "./resp-connection.js";

/** Founds a cluster of servers that belong to none. Refused as soon as one of them does, or does not answer in time. */
export async function bootstrap(targets: readonly Target[], io: CliIo): Promise<void> {
  const founders = await Promise.all(targets.map((target) => patiently(target)));
  const ids = new Set(founders.map(({ id }) => id));
  if (ids.size !== founders.length) {
    throw new CliError(
      `each node needs a number of its own (--id): these have ${founders.map(({ id }) => id).join(", ")}`,
    );
  }
  const clusters = new Set(founders.map(({ clusterId }) => clusterId));
  if (clusters.size !== 1) throw new CliError(`they are of different clusters: ${[...clusters].join(", ")}`);
  const old = founders.find(({ isNew }) => !isNew);
  if (old !== undefined) {
    throw new CliError(
      `node ${old.id} at ${old.clientAddr} belongs to a cluster already: to make that larger, use join`,
    );
  }
  using first = await RespConnection.open(targets[0] as Target);
  await first.call(
    "SESHAT",
    "BOOTSTRAP",
    ...founders.flatMap(({ id, addr, clientAddr }) => [id, addr, clientAddr]),
  );
  io.stdout.write(`OK, the cluster "${[...clusters][0]}" has the nodes ${[...ids].join(", ")}\n`);
}

const RETRY_MS = 100;

/** Servers that were started a moment ago may not listen yet. */
async function patiently(target: Target): Promise<ServerStatus> {
  const until = performance.now() + target.timeoutMs;
  for (;;) {
    try {
      return await statusOf(target);
    } catch (error) {
      if (
        !(error instanceof CliError) ||
        !error.message.includes("ECONNREFUSED") ||
        performance.now() > until
      )
        throw error;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, RETRY_MS);
    });
  }
}

/** Makes a new server a member of the cluster that another belongs to. */
export async function join(fresh: Target, member: Target, io: CliIo): Promise<void> {
  const status = await statusOf(fresh);
  const cluster = await statusOf(member);
  if (status.clusterId !== cluster.clusterId) {
    throw new CliError(
      `node ${status.id} is of cluster "${status.clusterId}", and not of "${cluster.clusterId}"`,
    );
  }
  const known = cluster.members.find(({ id }) => id === status.id);
  if (!status.isNew && known !== undefined) {
    await onLeader(member, (leader) =>
      leader.call("SESHAT", "MOVE", status.id, status.addr, status.clientAddr),
    );
    if (known.votes) {
      io.stdout.write(`OK, node ${status.id} is a member of "${cluster.clusterId}", at ${status.addr}\n`);
      return;
    }
    // It was joined before, and did not catch up in time.
    await makeVoter(status, cluster, member, io);
    return;
  }
  if (!status.isNew) {
    throw new CliError(
      `node ${status.id} at ${status.clientAddr} belongs to a cluster already, or did: give it an empty folder`,
    );
  }
  await makeVoter(status, cluster, member, io);
}

async function makeVoter(
  { id, addr, clientAddr }: ServerStatus,
  { clusterId }: ServerStatus,
  member: Target,
  io: CliIo,
): Promise<void> {
  // To catch up takes longer than an answer to anything else.
  const patient = { ...member, timeoutMs: Math.max(member.timeoutMs, JOIN_TIMEOUT_MS) };
  await onLeader(patient, (leader) => leader.call("SESHAT", "ADD", id, addr, clientAddr));
  io.stdout.write(`OK, node ${id} is a member of "${clusterId}", and votes\n`);
}

/** More than the leader waits for a node to catch up, in milliseconds: it says why it gave up. */
const JOIN_TIMEOUT_MS = 90_000;

/** Takes a node out of its cluster: the one that is asked, or another. */
export async function leave(target: Target, id: number | null, io: CliIo): Promise<void> {
  const node = id ?? (await statusOf(target)).id;
  await onLeader(target, (leader) => leader.call("SESHAT", "REMOVE", node));
  io.stdout.write(
    `OK, node ${node} is no member any more: stop it, and do not start it on this data again\n`,
  );
}

export async function transfer(target: Target, to: number | null, io: CliIo): Promise<void> {
  const leader = await onLeader(target, (connection) =>
    connection.call("SESHAT", "TRANSFER", ...(to === null ? [] : [to])),
  );
  io.stdout.write(`OK, node ${Number(leader)} leads\n`);
}

export async function snapshot(target: Target, io: CliIo): Promise<void> {
  using connection = await RespConnection.open(target);
  const index = await connection.call("SESHAT", "SNAPSHOT");
  io.stdout.write(
    `OK, ${target.address} has a snapshot up to entry ${new TextDecoder().decode(index as Uint8Array)}\n`,
  );
}
