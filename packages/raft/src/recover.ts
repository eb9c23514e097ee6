import type { LogId, NodeId, RaftTypeConfig, StoredMembership } from "@seshat/common";
import { InvalidValueError, checkNodeId, createMembership, isVoter, silentLogger } from "@seshat/common";
import type { RaftStateMachine, RaftStorage } from "@seshat/storage";
import { makeRaftConfig } from "./config.js";
import { nextTerm } from "./engine/vote-rule.js";
import { checkPairs } from "./membership-options.js";
import type { RaftOptions } from "./raft.js";
import { systemRuntime } from "./runtime/clock.js";
import { storageFailure } from "./runtime/failure.js";
import { claimStore } from "./runtime/identity.js";
import { Instruments } from "./runtime/instruments.js";
import { restore } from "./runtime/restore.js";

/** A stopped node, and who is to be left of its cluster. */
export interface RecoverOptions<C extends RaftTypeConfig> extends Pick<
  RaftOptions<C>,
  "id" | "storage" | "stateMachine" | "config" | "runtime" | "logger"
> {
  /** The voters from now on, this node among them. */
  readonly nodes: Iterable<readonly [NodeId, C["Node"]]>;
}

/** What a recovery found and did. */
export interface RecoveryReport<N> {
  /** The membership that was in force, and the one that is now. */
  readonly before: StoredMembership<N>;
  readonly after: StoredMembership<N>;
  /** What was known to be committed. */
  readonly committed: LogId;
  /** Entries after that, which count as committed from now on, although a majority may never have had them. */
  readonly adoptedEntries: number;
}

/**
 * Gives a cluster that has lost its majority for good a new membership, on one node that is stopped: the one of the survivors that has
 * the longest log. It is a last resort, and not part of Raft: what only the lost nodes had is lost, writes that were acknowledged
 * among it, and what this node has of unfinished writes counts from now on. No node that is left out may ever run again: its majority
 * would be a second cluster. Start this node afterwards, and add the others again as learners, with empty stores.
 *
 * @throws {InvalidValueError} when the nodes make no membership, this node is not among them, the storage belongs to no cluster, or no term is left:
 *   nothing was changed.
 * @throws {ForeignStoreError} when the storage belongs to another node or cluster: nothing was changed.
 * @throws {StorageError} when storage cannot be read or contradicts itself: nothing was changed; or when it cannot be written: then
 *   nothing was, or the term is a later one, which does no harm, and it can be tried again.
 */
export async function recover<C extends RaftTypeConfig>(
  options: RecoverOptions<C>,
): Promise<RecoveryReport<C["Node"]>> {
  const id = checkNodeId("id", options.id);
  const { clusterId } = makeRaftConfig(options.config);
  const clock = options.runtime ?? systemRuntime;
  const members = checkPairs<C["Node"]>("nodes", options.nodes);
  const { storage, stateMachine } = options;
  const voters = createMembership([members.map(([member]) => member)], members);
  if (!isVoter(voters, id)) {
    throw new InvalidValueError(
      "nodes",
      [...voters.nodes.keys()],
      `voters with this node, ${id}, among them`,
    );
  }
  // To claim a store writes to it, and one that never belonged to a cluster is not to be changed.
  if (await isEmpty(storage, stateMachine)) throw belongsToNoCluster();
  const identity = await claimStore(storage, id, clusterId, clock);
  const instruments = new Instruments(id, options.logger ?? silentLogger, null);
  const { log, vote, memberships, committed } = await restore(
    identity,
    storage,
    stateMachine,
    instruments,
    clock,
  );
  const before = memberships.at(-1) as StoredMembership<C["Node"]>;
  if (before.membership.configs.length === 0) throw belongsToNoCluster();
  // A term that nobody has led, above every term that this node knows: no other log is as new.
  const term = nextTerm(vote.term);
  const logId = { term, index: log.last.index + 1 };
  const membership = createMembership(voters.configs, voters.nodes, {
    incarnations: [[id, identity.incarnation]],
  });
  await write("save vote", () => storage.saveVote({ term, votedFor: id, committed: false }));
  await append(storage, { logId, payload: { type: "membership", membership } });
  instruments.log("warn", "raft.recovered", {
    index: logId.index,
    voters: JSON.stringify(membership.configs),
  });
  return {
    before,
    after: { logId, membership },
    committed,
    adoptedEntries: log.last.index - committed.index,
  };
}

function belongsToNoCluster(): InvalidValueError {
  return new InvalidValueError("storage", "empty", "that of a node that belongs to a cluster");
}

async function isEmpty<C extends RaftTypeConfig>(
  storage: RaftStorage<C>,
  stateMachine: RaftStateMachine<C>,
): Promise<boolean> {
  try {
    const { lastLogId } = await storage.readLogState();
    const { lastAppliedLogId } = await stateMachine.readAppliedState();
    return (
      lastLogId.index === 0 &&
      lastAppliedLogId.index === 0 &&
      (await stateMachine.readCurrentSnapshot()) === null
    );
  } catch (thrown) {
    throw storageFailure("read log", thrown);
  }
}

async function write(verb: "save vote" | "append", call: () => void | Promise<void>): Promise<void> {
  try {
    await call();
  } catch (thrown) {
    throw storageFailure(verb, thrown);
  }
}

/** Appends one entry, and waits until it is durable. */
function append<C extends RaftTypeConfig>(storage: RaftStorage<C>, entry: C["Entry"]): Promise<void> {
  return write(
    "append",
    () =>
      new Promise<void>((resolve, reject) => {
        const completion = (error: Error | null): void => {
          if (error === null) resolve();
          else reject(error);
        };
        Promise.resolve(storage.append([entry], completion)).catch(reject);
      }),
  );
}
