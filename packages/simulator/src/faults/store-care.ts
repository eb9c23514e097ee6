import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { StorageError, UnknownOutcomeError, isVoter, voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import { DiskError } from "../disk/disk-error.js";
import { DamagedFileError } from "../storage/damaged-file-error.js";
import type { Cluster } from "../world/cluster.js";
import type { SimNode } from "../world/sim-node.js";
import type { CrashKind } from "../world/node-storage.js";

/** How long an operator waits for a change of the cluster, in milliseconds. */
export const PATIENCE_MS = 1_500;

/** After so long without an answer there will be none: a change takes up to two requests, each of which has its time. */
const SILENCE_MS = 3 * PATIENCE_MS;

/** How often a store that was harmed is looked at, in milliseconds. */
const LOOK_MS = 50;

/** A voter whose store was harmed, until it is known what came of it. */
interface Suspect {
  readonly id: NodeId;
  /** When it crashes, and has to read all that it holds, on the cluster's clock. */
  verifyAt: number;
  readonly what: CrashKind;
  verified: boolean;
}

/**
 * Which voter is lost to the others, or may be: because its store is harmed or gone, or because it has moved and nobody knows where to. One
 * at a time: two at once could take a majority with them, and with it what was committed.
 */
export class StoreCare<C extends RaftTypeConfig> {
  readonly #cluster: Cluster<C>;
  readonly #setTimer: (delayMs: number, callback: () => void) => void;
  readonly #count: (what: string) => void;
  #suspect: Suspect | null = null;
  /** Its store is gone, and it is not replaced yet. */
  #lost: NodeId | null = null;
  #replacing = false;
  /** It has moved, and the membership is to be told. */
  #moved: NodeId | null = null;
  /** All but one are lost, and that one is being recovered. */
  #isRecovering = false;
  /** Changes of the membership that are under way, as far as operators know. */
  #changes = 0;

  constructor(
    cluster: Cluster<C>,
    setTimer: (delayMs: number, callback: () => void) => void,
    count: (what: string) => void,
  ) {
    this.#cluster = cluster;
    this.#setTimer = setTimer;
    this.#count = count;
  }

  /** True while no voter is lost, nor may be. */
  get settled(): boolean {
    return this.#suspect === null && this.#lost === null && this.#moved === null && !this.#isRecovering;
  }

  /** True when no change of the membership is under way, either. */
  get isQuiet(): boolean {
    return this.settled && this.#changes === 0;
  }

  /** All but one are lost. @returns to be called once that one is a cluster again. */
  lostMajority(): () => void {
    this.#isRecovering = true;
    return () => {
      this.#isRecovering = false;
    };
  }

  /** A voter has moved. @returns to be called once the membership knows. */
  moved(id: NodeId): () => void {
    this.#moved = id;
    return () => {
      this.#moved = null;
    };
  }

  /** Counts a change of the membership as under way until it ends, or nobody will say any more because the leader crashed. */
  async during<T>(change: Promise<T>): Promise<T> {
    this.#changes += 1;
    const silence = new Promise<never>((_, reject) => {
      this.#setTimer(SILENCE_MS, () => reject(new UnknownOutcomeError("no answer")));
    });
    try {
      return await Promise.race([change, silence]);
    } finally {
      this.#changes -= 1;
    }
  }

  /** The voters of which any one may be lost now, such that a majority keeps all that is committed and can go on. */
  expendable(): readonly SimNode<C>[] {
    const leader = this.#cluster.leader();
    if (leader === null || !this.settled || this.#changes > 0) return [];
    const { membership: stored, committed, term } = (leader.raft as Raft<C>).metrics();
    const { membership, logId } = stored;
    const voters = voterIds(membership);
    // What an earlier leader, or one that is down, appended and nobody knows of any more can be in the way.
    const isKnown = committed.term === term && logId.index <= committed.index;
    const isLatest = [...this.#cluster.nodes.values()].every(({ latestTerm }) => latestTerm <= term);
    // Until the stores of the voters are noted an erased one is not noticed.
    const isBound = membership.incarnations.size === voters.length;
    if (!isKnown || !isLatest || !isBound || membership.configs.length !== 1 || voters.length < 3) return [];
    return voters.map((id) => this.#cluster.node(id));
  }

  /** A store was harmed. After `ms` its node crashes, and either notices what was done or can do without. */
  harmed(id: NodeId, ms: number, what: CrashKind): void {
    this.#suspect = { id, verifyAt: this.#cluster.now + ms, what, verified: false };
    this.#look();
  }

  /** The store of a voter is gone. */
  erase(id: NodeId): void {
    this.#suspect = null;
    this.#lost = id;
    this.#cluster.wipe(id);
    void this.#cluster.start(id);
    const retry = (): void => {
      void this.replaceLost().then((done) => {
        if (!done) this.#setTimer(300, retry);
      });
    };
    this.#setTimer(200, retry);
  }

  /** Whether a fault is to blame for this. */
  explains(id: NodeId, error: Error): boolean {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof DiskError) return true;
      if (cause instanceof StorageError && this.#suspect?.id === id) return true;
    }
    return false;
  }

  /** What is to be verified later is verified now. */
  hurry(): void {
    if (this.#suspect !== null) this.#suspect.verifyAt = this.#cluster.now;
  }

  /** Puts a voter whose store is gone back in its place: it is removed, and added again. @returns true when that is done. */
  async replaceLost(): Promise<boolean> {
    const leader = this.#cluster.leader()?.raft ?? null;
    if (this.#lost === null) return true;
    if (this.#replacing || leader === null) return false;
    this.#replacing = true;
    try {
      return await this.during(this.#replace(leader, this.#lost));
    } catch {
      return false;
    } finally {
      this.#replacing = false;
    }
  }

  async #replace(leader: Raft<C>, id: NodeId): Promise<boolean> {
    const options = { timeoutMs: PATIENCE_MS };
    try {
      if (isVoter(leader.metrics().membership.membership, id))
        await leader.changeMembership({ type: "removeVoters", ids: [id] }, options);
      this.#lost = null;
      await leader.addLearner(id, this.#cluster.node(id).address, { ...options, blocking: true });
      await leader.changeMembership({ type: "addVoters", ids: [id] }, options);
      this.#count("erased voter replaced");
    } catch {
      return this.#lost === null;
    }
    return true;
  }

  /** Looks again and again, until it is known what came of the harm. */
  #look(): void {
    const suspect = this.#suspect;
    if (suspect === null) return;
    const { id, verified, what } = suspect;
    const node = this.#cluster.node(id);
    if (node.raft === null && isDamage(node.stopCause)) {
      this.#count("damage: noticed");
      this.erase(id);
      return;
    }
    if (verified && node.raft !== null) {
      this.#count("damage: did not matter");
      this.#suspect = null;
      return;
    }
    if (verified) {
      void this.#cluster.start(id);
    } else if (this.#cluster.now >= suspect.verifyAt) {
      suspect.verified = true;
      node.store.trouble?.disarm();
      this.#cluster.crash(id, what);
      void this.#cluster.start(id);
    }
    this.#setTimer(LOOK_MS, () => this.#look());
  }
}

function isDamage(error: Error | null): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DamagedFileError) return true;
  }
  return false;
}
