import type { Snapshot } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import type { Client } from "../client/client.js";
import { CommandError } from "../commands/command-error.js";
import { bulk } from "../commands/text.js";
import type { ServerNode } from "../node/type-config.js";
import type { ServerContext } from "../server/context.js";

/** How much of a backup is read at once, in bytes. */
const BACKUP_PART_BYTES: number = 1024 * 1024;

type ServerSnapshot = Snapshot<Snapshot["data"], ServerNode>;

/** The snapshot that a client reads, for as long as it is connected: a newer one that takes its place changes nothing. */
const backups = new WeakMap<Client, ServerSnapshot>();

/** Takes a snapshot of everything that was acknowledged to anybody before, for this client to read. @returns what it stands for, as JSON. */
export async function beginBackup(
  { node, clusterId, commandTimeoutMs: timeoutMs }: ServerContext,
  client: Client,
): Promise<RespValue> {
  await node.raft.ensureLinearizable({ timeoutMs });
  await node.raft.trigger.snapshot();
  const snapshot = node.store.stateMachine.readCurrentSnapshot();
  if (snapshot === null) throw new CommandError("ERR there is nothing to back up yet");
  backups.set(client, snapshot);
  const { lastLogId, snapshotId } = snapshot.meta;
  return bulk(JSON.stringify({ clusterId, lastLogId, snapshotId, size: snapshot.data.size }));
}

export async function readBackup(client: Client, offset: number, length: number): Promise<RespValue> {
  const snapshot = backups.get(client);
  if (snapshot === undefined) throw new CommandError("ERR no backup was begun on this connection");
  const { data } = snapshot;
  if (offset > data.size) throw new CommandError("ERR value is out of range");
  const wanted = Math.min(length, BACKUP_PART_BYTES, data.size - offset);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  if (wanted > 0) {
    for await (const chunk of data.read(offset)) {
      const part = chunk.subarray(0, wanted - bytes);
      parts.push(part.slice());
      bytes += part.length;
      if (bytes >= wanted) break;
    }
  }
  return Buffer.concat(parts);
}
