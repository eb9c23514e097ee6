import type { AsyncRuntime, BasicNode, NodeId, RaftTypeConfig } from "@seshat/common";
import {
  ChangeInProgressError,
  LearnerLaggingError,
  TimeoutError,
  UnknownOutcomeError,
  isJoint,
  voterIds,
} from "@seshat/common";
import type { Condition, Raft } from "@seshat/raft";
import { until } from "@seshat/raft";
import { LastVoterError, NodeExistsError, NodeNotAddedError, NodeNotRemovedError } from "../errors.js";
import type { ClusterClient, ClusterNode } from "./cluster-client.js";
import { isWorthRetrying } from "./cluster-client.js";

/** What the operations need of a node. */
export type OperatedNode<C extends RaftTypeConfig> = ClusterNode<C> &
  Pick<Raft<C>, "addLearner" | "changeMembership" | "transferLeader" | "leaderId" | "wait">;

/** What is known of a change that several attempts were made at. */
interface Attempts {
  /** One of them may be done, now or later. */
  unknown: boolean;
}

/** How long a leader is watched before it is asked again who leads. */
const WATCH_MS = 1000;
/** How long a node has to take the leadership over. Writes wait meanwhile. */
const TRANSFER_TIMEOUT_MS = 1000;

function isUnderWay(error: unknown): boolean {
  return isWorthRetrying(error) || error instanceof ChangeInProgressError;
}

/** A learner needs time to get the log, and may fall behind again; a new leader has yet to hear from the voters that are to remain. */
function isUnderWayOrLagging(error: unknown): boolean {
  return isUnderWay(error) || error instanceof LearnerLaggingError;
}

/** A transfer that may have worked must not be tried again: it would be handed on. */
function isRefused(error: unknown): boolean {
  return isWorthRetrying(error) && !(error instanceof TimeoutError || error instanceof UnknownOutcomeError);
}

/**
 * Changes who belongs to a cluster and who leads it, whoever leads meanwhile: each change says what is to be, so that one whose outcome
 * is not known is simply made again.
 */
export class MembershipOperations<C extends RaftTypeConfig & { Node: BasicNode }> {
  readonly #client: ClusterClient<C, OperatedNode<C>>;
  readonly #clock: AsyncRuntime;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long each of them may take, over all attempts. */
  constructor(client: ClusterClient<C, OperatedNode<C>>, clock: AsyncRuntime, timeoutMs: number) {
    this.#client = client;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Makes a node that runs a learner, and once it has caught up a voter. For a learner it goes on from there.
   *
   * @throws {NodeExistsError} when it votes already.
   * @throws {NodeNotAddedError} when it may have become a learner, or a voter. After every other error nothing has changed, now or later.
   */
  async add(id: NodeId, node: C["Node"]): Promise<void> {
    const deadline = this.#clock.now() + this.#timeoutMs;
    const attempts: Attempts = { unknown: false };
    let isLearner = false;
    try {
      await this.#change(deadline, attempts, isUnderWay, async (leader, timeoutMs) => {
        if ((await settledVoters(leader, timeoutMs)).includes(id)) throw new NodeExistsError(id);
        await leader.addLearner(id, node, { timeoutMs });
      });
      isLearner = true;
      attempts.unknown = false;
      await this.#change(deadline, attempts, isUnderWayOrLagging, async (leader, timeoutMs) => {
        const { index } = leader.metrics().committed;
        // By an earlier attempt it may vote already, and even lead.
        if (leader.id !== id) await leader.wait(until.replicated(id, index), Math.min(WATCH_MS, timeoutMs));
        await leader.changeMembership({ type: "addVoters", ids: [id] }, { timeoutMs });
      });
    } catch (error) {
      if (attempts.unknown) throw new NodeNotAddedError(id, "unknown", error as Error);
      if (isLearner) throw new NodeNotAddedError(id, "learner", error as Error);
      throw error;
    }
  }

  /**
   * Removes a node, the leader too, whatever it is.
   *
   * @throws {LastVoterError} when no other node votes.
   * @throws {NodeNotRemovedError} when it may be removed, now or later. After every other error nothing has changed.
   */
  async remove(id: NodeId): Promise<void> {
    const deadline = this.#clock.now() + this.#timeoutMs;
    const attempts: Attempts = { unknown: false };
    try {
      await this.#change(deadline, attempts, isUnderWayOrLagging, async (leader, timeoutMs) => {
        const voters = await settledVoters(leader, timeoutMs);
        if (voters.length === 1 && voters[0] === id) throw new LastVoterError(id);
        const ids = [id];
        const changes = [{ type: "removeVoters", ids } as const, { type: "removeNodes", ids } as const];
        await leader.changeMembership({ type: "batch", changes }, { timeoutMs });
      });
    } catch (error) {
      throw attempts.unknown ? new NodeNotRemovedError(id, error as Error) : error;
    }
  }

  /**
   * Hands the leadership over.
   *
   * @param to who is to lead; by default the voter that has most of the log.
   * @returns who leads.
   * @throws {TransferFailedError} when it did not take over, and {InvalidChangeError} when nobody could.
   */
  async transfer(to?: NodeId): Promise<NodeId> {
    const target = to === undefined ? {} : { to };
    return await this.#client.lead(
      async (leader, leftMs) => {
        await leader.transferLeader({ ...target, timeoutMs: Math.min(TRANSFER_TIMEOUT_MS, leftMs) });
        return to ?? leader.leaderId() ?? leader.id;
      },
      this.#timeoutMs,
      isRefused,
    );
  }

  /** Makes a change, again and again until it is known to be made, and notes whether one that failed may be. */
  async #change(
    deadline: number,
    attempts: Attempts,
    goOn: (error: unknown) => boolean,
    make: (leader: OperatedNode<C>, timeoutMs: number) => Promise<void>,
  ): Promise<void> {
    await this.#client.lead(
      async (leader, leftMs) => {
        try {
          await make(leader, leftMs);
        } catch (error) {
          if (error instanceof UnknownOutcomeError) attempts.unknown = true;
          throw error;
        }
      },
      Math.max(0, Math.ceil(deadline - this.#clock.now())),
      goOn,
    );
  }
}

const SETTLED: Condition = {
  what: "the end of the membership change under way",
  holds: ({ membership: { logId, membership }, committed }) =>
    !isJoint(membership) && committed.index >= logId.index,
};

/** Who votes, once that is not changing. */
async function settledVoters<C extends RaftTypeConfig>(
  leader: OperatedNode<C>,
  timeoutMs: number,
): Promise<readonly NodeId[]> {
  const { membership } = await leader.wait(SETTLED, Math.min(WATCH_MS, timeoutMs));
  return voterIds(membership.membership);
}
