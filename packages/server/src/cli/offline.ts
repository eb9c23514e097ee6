import { randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import { createMembership } from "@seshat/common";
import { KvStateMachine } from "@seshat/kv";
import { recover } from "@seshat/raft";
import type { RocksdbStorage } from "@seshat/storage-rocksdb";
import { openRocksdbStorage } from "@seshat/storage-rocksdb";
import type { ServerConfig } from "../config/server-config.js";
import { addressesOf } from "../config/server-config.js";
import type { ServerNode, ServerTypeConfig } from "../node/type-config.js";
import { SERVER_CODEC } from "../node/type-config.js";
import { openBackup } from "./backup-file.js";
import { CliError } from "./exit-codes.js";
import type { CliIo } from "./io.js";
import { checkRestored, restoringInto } from "./unfinished-restore.js";

/** What is done to the store of a node that does not run. */
async function withStore<T>(
  { server: { dir, id = 1, clusterId = "seshat" } }: ServerConfig,
  act: (store: RocksdbStorage<ServerTypeConfig>, id: number, clusterId: string) => Promise<T>,
): Promise<T> {
  const store = await openRocksdbStorage<ServerTypeConfig>(dir, {
    stateMachine: new KvStateMachine(),
    codec: SERVER_CODEC,
    clusterId,
    nodeId: id,
  });
  try {
    return await act(store, id, clusterId);
  } finally {
    await store.close();
  }
}

/**
 * Makes the store of a new node out of a backup: alone in its cluster, to which others can be joined then.
 *
 * @throws {CliError} when the folder is not empty, or the backup is not whole.
 */
export async function restoreBackup(path: string, config: ServerConfig, io: CliIo): Promise<void> {
  const { dir } = config.server;
  const there = await readdir(dir).catch(() => []);
  if (there.length > 0) throw new CliError(`${dir} is not empty: a backup is restored into a new folder`);
  await using backup = await openBackup(path);
  const self = addressesOf(config);
  const { lastLogId, snapshotId, data } = backup;
  await withStore(config, ({ storage, stateMachine }, nodeId, clusterId) =>
    restoringInto(dir, async () => {
      const incarnation = randomInt(1, 2 ** 47);
      await storage.saveIdentity({ clusterId, nodeId, incarnation });
      await storage.saveVote({ term: lastLogId.term, votedFor: null, committed: false });
      const membership = createMembership([[nodeId]], [[nodeId, self]] as const, {
        incarnations: [[nodeId, incarnation]],
      });
      const meta = { lastLogId, lastMembership: { logId: lastLogId, membership }, snapshotId };
      await stateMachine.installSnapshot({ meta, data }, turn);
    }),
  );
  io.stdout.write(
    `OK, ${dir} holds node ${config.server.id ?? 1}, alone, with everything up to entry ${backup.lastLogId.index}: start it\n`,
  );
}

/**
 * Gives what is left of a cluster that has lost its majority for good a membership of this node alone. What only the lost nodes had is lost.
 *
 * @param isSure without it, nothing is done.
 */
export async function recoverNode(config: ServerConfig, isSure: boolean, io: CliIo): Promise<void> {
  if (!isSure) {
    throw new CliError(
      "recover is for a cluster that has lost its majority for good: what only the lost nodes had is lost, and none of them may ever run again, or there are two clusters. " +
        "Run it on the node with the longest log, while that is stopped, with --yes",
    );
  }
  const { dir } = config.server;
  if ((await readdir(dir).catch(() => [])).length === 0) throw new CliError(`${dir} holds no node`);
  await checkRestored(dir);
  const self: ServerNode = addressesOf(config);
  const report = await withStore(config, ({ storage, stateMachine }, id, clusterId) =>
    recover<ServerTypeConfig>({ id, storage, stateMachine, config: { clusterId }, nodes: [[id, self]] }),
  );
  const before = report.before.membership.configs.map((ids) => ids.join(", ")).join(" to ");
  io.stdout.write(
    `OK, the voters were ${before}; now node ${config.server.id ?? 1} votes alone. ${report.adoptedEntries} entries count that may never have been acknowledged.\n` +
      "Start it, and join the others as new nodes, with empty folders.\n",
  );
}

/** Lets timers and sockets have their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
