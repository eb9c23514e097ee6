import type { AsyncRuntime, LogId, NodeId, RaftTypeConfig } from "@seshat/common";
import {
  NotLeaderError,
  OverloadedError,
  QuorumNotEnoughError,
  SessionError,
  ShutdownError,
  StoppedError,
  StorageStalledError,
  TimeoutError,
  TransferInProgressError,
  UnknownOutcomeError,
} from "@seshat/common";
import type { ClientWriteResponse, Raft } from "@seshat/raft";
import { CallSlots } from "./call-slots.js";
import { withTimeout } from "./with-timeout.js";

/** How a client of a cluster goes on when a node fails it. */
export interface ClusterClientOptions {
  /** How long a call may take, over all attempts, in milliseconds. */
  readonly timeoutMs: number;
  /** How long one attempt may take before another node is asked. */
  readonly attemptTimeoutMs: number;
  /** The pause between two attempts. */
  readonly pauseMs: number;
}

/** What a client needs of a node. */
export type ClusterNode<C extends RaftTypeConfig> = Pick<
  Raft<C>,
  "id" | "isLeader" | "metrics" | "clientWrite" | "openSession" | "ensureLinearizable"
>;

/** Fewer commands of one session than a state machine remembers may wait for an answer at once. */
const WRITE_LIMITS = { running: 512, waiting: 16_384 };
const READ_LIMITS = { running: 4096, waiting: 16_384 };

/** An attempt ended without an answer; another may succeed. */
export function isWorthRetrying(error: unknown): boolean {
  return (
    error instanceof NotLeaderError ||
    error instanceof QuorumNotEnoughError ||
    error instanceof TransferInProgressError ||
    error instanceof StorageStalledError ||
    error instanceof OverloadedError ||
    error instanceof UnknownOutcomeError ||
    error instanceof TimeoutError ||
    error instanceof ShutdownError ||
    error instanceof StoppedError
  );
}

function isExpired(error: unknown): boolean {
  return error instanceof SessionError && error.problem === "expired";
}

/**
 * Talks to a cluster whose nodes come and go: finds the leader, and tries again until there is an answer. Writes go
 * through a session, so that a command takes effect once however often it was sent.
 */
export class ClusterClient<C extends RaftTypeConfig, N extends ClusterNode<C> = ClusterNode<C>> {
  readonly #nodes: () => readonly N[];
  readonly #clock: AsyncRuntime;
  readonly #options: ClusterClientOptions;
  readonly #writes: CallSlots;
  readonly #reads: CallSlots;
  /** The session that new commands belong to, open or being opened. */
  #session: Promise<number> | null = null;
  /** The last of them that was opened, and its id: most commands need not wait for it. */
  #opened: { readonly session: Promise<number>; readonly id: number } | null = null;
  #lastSequence = 0;
  /** Sequence numbers without an answer, lowest first. */
  readonly #unanswered = new Set<number>();
  #closed = false;
  /** Ends the pauses between attempts. */
  readonly #pauses = new Set<() => void>();

  /** @param nodes the nodes that run at the moment. */
  constructor(nodes: () => readonly N[], clock: AsyncRuntime, options: ClusterClientOptions) {
    this.#nodes = nodes;
    this.#clock = clock;
    this.#options = options;
    this.#writes = new CallSlots(clock, WRITE_LIMITS);
    this.#reads = new CallSlots(clock, READ_LIMITS);
  }

  /**
   * Replicates a command and applies it, once. Commands that wait at the same time may take effect in any order.
   *
   * @param timeoutMs how long it may take. Default: as the options say.
   * @throws {UnknownOutcomeError} when there was no answer in time, or the session or the client ended before, and an
   *   attempt may have reached a log. After every other error the command has no effect, now or later.
   */
  async write(
    data: C["D"],
    timeoutMs: number = this.#options.timeoutMs,
  ): Promise<ClientWriteResponse<C["R"]>> {
    const deadline = this.#clock.now() + timeoutMs;
    await this.#writes.enter(timeoutMs);
    const sequence = ++this.#lastSequence;
    this.#unanswered.add(sequence);
    // An attempt may be in a log. From then on no other session will do: it would carry the command out again.
    let outcomeUnknown = false;
    let session: Promise<number> | null = null;
    const attempt = async (node: ClusterNode<C>, attemptMs: number): Promise<ClientWriteResponse<C["R"]>> => {
      session ??= this.#openSession(node, attemptMs);
      const mine = session;
      let sessionId: number;
      try {
        sessionId =
          this.#opened?.session === mine
            ? this.#opened.id
            : await withTimeout(this.#clock, mine, attemptMs, "the opening of a session");
      } catch (error) {
        session = null;
        // Nothing of the command itself was sent.
        throw error instanceof UnknownOutcomeError
          ? new TimeoutError("the opening of a session", attemptMs)
          : error;
      }
      const [oldest = sequence] = this.#unanswered;
      try {
        return await node.clientWrite(data, {
          timeoutMs: attemptMs,
          session: { sessionId, sequence, answeredBelow: oldest },
        });
      } catch (error) {
        if (error instanceof UnknownOutcomeError) outcomeUnknown = true;
        if (isExpired(error)) {
          if (this.#session === mine) this.#session = null;
          if (!outcomeUnknown) session = null;
        }
        throw error;
      }
    };
    // A session that expired before anything reached a log is as good as none: there is another.
    const goOn = (error: unknown): boolean => isWorthRetrying(error) || (isExpired(error) && !outcomeUnknown);
    try {
      return await this.#retry(deadline, timeoutMs, attempt, goOn);
    } catch (error) {
      if (!outcomeUnknown || error instanceof UnknownOutcomeError) throw error;
      throw new UnknownOutcomeError(`there is no answer to it (${(error as Error).message})`, {
        cause: error,
      });
    } finally {
      this.#unanswered.delete(sequence);
      this.#writes.leave();
    }
  }

  /**
   * Waits until a node may be read so that the read sees every write that was answered before.
   *
   * @param from a node to read from; by default the leader.
   * @returns the node, and the log id that its state machine has reached at least.
   * @throws {TimeoutError} or the error of the last attempt, when it did not succeed in time.
   */
  async readIndex(from?: NodeId): Promise<{ node: NodeId; readIndex: LogId }> {
    const { timeoutMs } = this.#options;
    const deadline = this.#clock.now() + timeoutMs;
    await this.#reads.enter(timeoutMs);
    // A node that is cut off after it was told the index would wait for its entries as long as it stays so.
    const attempt = async (
      node: ClusterNode<C>,
      attemptMs: number,
    ): Promise<{ node: NodeId; readIndex: LogId }> => ({
      node: node.id,
      readIndex: await withTimeout(this.#clock, node.ensureLinearizable(), attemptMs, "the read"),
    });
    try {
      return await this.#retry(deadline, timeoutMs, attempt, isWorthRetrying, from);
    } finally {
      this.#reads.leave();
    }
  }

  /**
   * Asks the leader for something that may be asked twice.
   *
   * @param call asks it; `leftMs` is all the time that is left, not that of one attempt.
   * @param goOn after which errors it is asked again, or another one that leads by then.
   * @throws the error of the last attempt, or {TimeoutError} when there was none.
   */
  async lead<T>(
    call: (leader: N, leftMs: number) => Promise<T>,
    timeoutMs: number,
    goOn: (error: unknown) => boolean = isWorthRetrying,
  ): Promise<T> {
    const deadline = this.#clock.now() + timeoutMs;
    return await this.#retry(
      deadline,
      timeoutMs,
      (leader, _, leftMs) => call(leader, Math.ceil(leftMs)),
      goOn,
    );
  }

  /** Ends every call: those under way as soon as their attempt ends, new ones at once. */
  close(): void {
    this.#closed = true;
    for (const end of this.#pauses) end();
  }

  /** The session that commands belong to, opened now if there is none. */
  #openSession(node: ClusterNode<C>, timeoutMs: number): Promise<number> {
    if (this.#session !== null) return this.#session;
    const opening = node.openSession({ timeoutMs });
    this.#session = opening;
    opening.then(
      (id) => {
        this.#opened = { session: opening, id };
      },
      () => {
        if (this.#session === opening) this.#session = null;
      },
    );
    return opening;
  }

  async #retry<T>(
    deadline: number,
    timeoutMs: number,
    attempt: (node: N, attemptMs: number, leftMs: number) => Promise<T>,
    goOn: (error: unknown) => boolean,
    from?: NodeId,
  ): Promise<T> {
    const { attemptTimeoutMs, pauseMs } = this.#options;
    let lastError: Error | null = null;
    while (!this.#closed) {
      const node = from === undefined ? this.#leader() : this.#nodes().find(({ id }) => id === from);
      const left = deadline - this.#clock.now();
      if (left <= 0) {
        throw (
          lastError ??
          new TimeoutError(
            from === undefined ? "the election of a leader" : `the start of node ${from}`,
            timeoutMs,
          )
        );
      }
      if (node !== undefined) {
        try {
          return await attempt(node, Math.min(attemptTimeoutMs, left), left);
        } catch (error) {
          if (!goOn(error)) throw error;
          lastError = error as Error;
        }
      }
      await this.#pause(Math.min(pauseMs, Math.max(0, deadline - this.#clock.now())));
    }
    throw new ShutdownError();
  }

  #pause(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const timer = this.#clock.setTimer(ms, end);
      this.#pauses.add(end);
    });
  }

  /** Of the nodes that believe to lead the one with the latest term: an older one has been deposed. */
  #leader(): N | undefined {
    let best: N | undefined;
    for (const node of this.#nodes()) {
      if (node.isLeader() && (best === undefined || node.metrics().term > best.metrics().term)) best = node;
    }
    return best;
  }
}
