import type { AsyncRuntime, NodeId, RaftTypeConfig } from "@seshat/common";
import {
  LearnerNotFoundError,
  NotLeaderError,
  TimeoutError,
  UnknownOutcomeError,
  checkNodeId,
} from "@seshat/common";
import type { RaftConfig } from "./config.js";
import { checkTimeoutMs } from "./config.js";
import type { MembershipChange } from "./engine/event.js";
import type {
  AddLearnerOptions,
  ChangeMembershipOptions,
  TransferLeaderOptions,
} from "./membership-options.js";
import {
  checkAddLearnerOptions,
  checkChange,
  checkChangeOptions,
  checkTransferOptions,
} from "./membership-options.js";
import type { ChangeMembershipResponse } from "./runtime/callers.js";
import type { Instruments } from "./runtime/instruments.js";
import type { MetricsWatch } from "./runtime/metrics-watch.js";
import type { RaftMetrics } from "./runtime/metrics.js";
import { withPatience } from "./runtime/patience.js";
import { addressOf } from "./runtime/refusal.js";
import type { Runtime } from "./runtime/runtime.js";
import { expectationOf } from "./write-options.js";

/** How long a blocking add waits when its caller sets no time. */
const CATCH_UP_TIMEOUT_MS = 60_000;

/** What a membership door works with. */
export interface MembershipDoorParts<C extends RaftTypeConfig> {
  readonly runtime: Runtime<C>;
  readonly watch: MetricsWatch<C["Node"]>;
  readonly config: RaftConfig;
  readonly clock: AsyncRuntime;
  readonly instruments: Instruments;
}

/** Where changes of who belongs to the cluster, and of who leads it, come in. Documented on `Raft`. */
export class MembershipDoor<C extends RaftTypeConfig> {
  readonly #runtime: Runtime<C>;
  readonly #watch: MetricsWatch<C["Node"]>;
  readonly #config: RaftConfig;
  readonly #clock: AsyncRuntime;
  readonly #instruments: Instruments;

  constructor(parts: MembershipDoorParts<C>) {
    this.#runtime = parts.runtime;
    this.#watch = parts.watch;
    this.#config = parts.config;
    this.#clock = parts.clock;
    this.#instruments = parts.instruments;
  }

  async addLearner(
    id: NodeId,
    node: C["Node"],
    options: AddLearnerOptions,
  ): Promise<ChangeMembershipResponse<C["Node"]>> {
    checkAddLearnerOptions(options);
    const nodes = [[checkNodeId("id", id), node] as const];
    const { blocking = false, ...patience } = options;
    const { timeoutMs = CATCH_UP_TIMEOUT_MS, signal } = patience;
    const until = this.#clock.now() + timeoutMs;
    const added = await this.change({ type: "addNodes", nodes }, patience);
    if (!blocking) return added;
    const what = `the catching up of node ${id}`;
    const holds = (metrics: RaftMetrics<unknown>): boolean => this.#hasCaughtUp(metrics, id);
    try {
      await this.#watch.until({ what, holds }, Math.max(1, until - this.#clock.now()), signal);
    } catch (error) {
      // What the caller asked for, not what was left of it.
      throw error instanceof TimeoutError ? new TimeoutError(what, timeoutMs) : error;
    }
    return added;
  }

  async change(
    change: MembershipChange<C["Node"]> | Iterable<NodeId>,
    options: ChangeMembershipOptions,
  ): Promise<ChangeMembershipResponse<C["Node"]>> {
    checkChangeOptions(options);
    const checked = checkChange<C["Node"]>(change);
    const { retain = false, allowLagging = false } = options;
    const expect = expectationOf(options);
    const done = await withPatience(
      "the membership change",
      options,
      this.#clock,
      () =>
        this.#instruments.operation("raft.membership.change", { "raft.change": checked.type }, () =>
          this.#runtime.change((requestId) => ({
            type: "changeMembership",
            requestId,
            change: checked,
            retain,
            allowLagging,
            ...(expect === null ? {} : { expect }),
          })),
        ),
      (cause) => new UnknownOutcomeError(`its caller gave up waiting (${cause.message})`, { cause }),
    );
    return done as ChangeMembershipResponse<C["Node"]>;
  }

  async transferLeader(options: TransferLeaderOptions): Promise<void> {
    checkTransferOptions(options);
    const target = options.to === undefined ? null : checkNodeId("options.to", options.to);
    const timeoutMs = checkTimeoutMs(
      "options.timeoutMs",
      options.timeoutMs ?? this.#config.electionTimeoutMaxMs,
    );
    await this.#instruments.operation("raft.transfer", { "raft.target": target ?? "best" }, () =>
      this.#runtime.request((requestId) => ({ type: "transferLeader", requestId, target, timeoutMs })),
    );
  }

  /** What the engine asks of a voter to be, so that the change that makes it one is not refused. */
  #hasCaughtUp({ state, replication, currentLeader, membership }: RaftMetrics<unknown>, id: NodeId): boolean {
    const { nodes } = membership.membership;
    if (state === "stopped") return false;
    if (replication === null) {
      const node = currentLeader === null ? null : addressOf(nodes.get(currentLeader));
      throw new NotLeaderError(currentLeader, node);
    }
    if (!nodes.has(id)) throw new LearnerNotFoundError(id);
    const progress = replication.get(id);
    if (progress === undefined) return id === this.#runtime.id;
    const { matchIndex, lag, sinceLastAckMs } = progress;
    const { replicationLagThreshold, electionTimeoutMaxMs } = this.#config;
    const answers = sinceLastAckMs !== null && sinceLastAckMs < electionTimeoutMaxMs;
    return matchIndex > 0 && answers && lag <= replicationLagThreshold;
  }
}
