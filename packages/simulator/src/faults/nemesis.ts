import type { NodeId, RaftTypeConfig } from "@seshat/common";
import { isVoter, voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import { NO_DISK_FAULTS } from "../disk/sim-disk-faults.js";
import { CALM } from "../network/sim-network.js";
import type { Cluster, SimNode } from "../world/cluster.js";
import type { Act, PartitionKind, Target } from "./plan.js";

/** How long an operator waits for a change of the cluster. */
const PATIENCE_MS = 1_500;

/** What was done, by kind, and what came of it. */
export type ActCounts = Map<string, number>;

/** Does to a cluster what a plan says, as far as it can be done at that moment. */
export class Nemesis<C extends RaftTypeConfig> {
  readonly counts: ActCounts = new Map();
  /** How long clients think between two operations, in milliseconds. */
  thinkMs = 2;
  readonly #cluster: Cluster<C>;
  readonly #setTimer: (delayMs: number, callback: () => void) => void;
  readonly #describe: (id: NodeId) => C["Node"];
  /** A voter whose disk was erased and that is not replaced yet: no other is erased meanwhile, for that could lose what was committed. */
  #erased: NodeId | null = null;

  constructor(
    cluster: Cluster<C>,
    setTimer: (delayMs: number, callback: () => void) => void,
    describe: (id: NodeId) => C["Node"],
  ) {
    this.#cluster = cluster;
    this.#setTimer = setTimer;
    this.#describe = describe;
  }

  /** Does one thing. What takes time goes on by itself. */
  act(act: Act): void {
    const done = this.#act(act);
    this.#count(done ? act.type : `${act.type}: not possible`);
  }

  /** Ends every fault, and lets all nodes run that have a disk. */
  async healAll(): Promise<void> {
    this.#cluster.network.faults = CALM;
    this.#cluster.network.heal();
    for (const { store } of this.#cluster.nodes.values()) {
      store.release();
      store.setFaults(NO_DISK_FAULTS);
    }
    this.#cluster.reap();
    for (const id of this.#cluster.nodes.keys()) await this.#cluster.start(id);
  }

  /** Puts an erased voter back in its place: it is removed, and added again. @returns true when that is done. */
  async replaceErased(): Promise<boolean> {
    const id = this.#erased;
    if (id === null) return true;
    const leader = this.#cluster.leader()?.raft;
    if (leader === null || leader === undefined) return false;
    const { membership } = leader.metrics().membership;
    const options = { timeoutMs: PATIENCE_MS };
    try {
      if (isVoter(membership, id))
        await leader.changeMembership({ type: "removeVoters", ids: [id] }, options);
      this.#erased = null;
      await leader.addLearner(id, this.#describe(id), { ...options, blocking: true });
      await leader.changeMembership({ type: "addVoters", ids: [id] }, options);
      this.#count("erased voter replaced");
    } catch {
      return this.#erased === null;
    }
    return true;
  }

  #act(act: Act): boolean {
    const cluster = this.#cluster;
    switch (act.type) {
      case "crash":
        return this.#with(act.target, ({ id }) => cluster.crash(id));
      case "crashAll":
        for (const { id } of cluster.running()) cluster.crash(id);
        return true;
      case "restart": {
        const dead = [...cluster.nodes.values()].filter(({ raft, starting }) => raft === null && !starting);
        return pickOf(dead, act.target, ({ id }) => void cluster.start(id));
      }
      case "pause":
        return this.#with(act.target, ({ life }) => life?.pause(act.ms));
      case "partition":
        return this.#with(act.target, ({ id }) => this.#partition(act.kind, id, act.second));
      case "heal":
        cluster.network.heal();
        return true;
      case "clog":
        return this.#with(act.target, ({ id }) => this.#clog(id, act.second, act.ms));
      case "network":
        cluster.network.faults = act.faults;
        return true;
      case "hangDisk":
        return this.#with(act.target, ({ store }) => {
          store.hang();
          this.#setTimer(act.ms, () => store.release());
        });
      case "slowDisk":
        return this.#with(act.target, ({ store }) =>
          store.setFaults({ syncMs: act.syncMs, meanSyncMs: act.syncMs, slowRate: 0.01 }),
        );
      case "failSync":
        return this.#with(act.target, ({ store }) => store.failNextSync());
      case "elect":
        return pickOf(cluster.running(), act.target, ({ raft }) =>
          this.#try("elect", () => raft?.trigger.elect()),
        );
      case "transfer":
        return this.#lead((raft) => {
          const voters = voterIds(raft.metrics().membership.membership);
          const to = voters[Math.floor(act.target * voters.length)];
          return raft.transferLeader(to === undefined || act.target > 0.9 ? {} : { to });
        }, act.type);
      case "snapshot":
        return this.#with(act.target, ({ raft }) => this.#watch("snapshot", raft?.trigger.snapshot()));
      case "purge":
        return this.#with(act.target, ({ raft }) =>
          this.#try("purge", () => raft?.trigger.purgeLog(raft.metrics().snapshot.index)),
        );
      case "load":
        this.thinkMs = act.thinkMs;
        return true;
      case "erase":
        return this.#erase(act.target);
      default:
        return this.#changeMembers(act);
    }
  }

  #changeMembers(
    act: Extract<Act, { readonly type: "addVoter" | "addLearner" | "demote" | "remove" | "replace" }>,
  ): boolean {
    // With a voter gone, one more that leaves may leave a majority that cannot be had: no operator does that.
    if (this.#erased !== null && act.type !== "addVoter" && act.type !== "addLearner") return false;
    const options = { timeoutMs: PATIENCE_MS };
    const spare = (raft: Raft<C>): NodeId | undefined => {
      const { nodes } = raft.metrics().membership.membership;
      return [...this.#cluster.nodes.keys()].find((id) => !nodes.has(id));
    };
    return this.#lead(async (raft) => {
      const { membership } = raft.metrics().membership;
      const voters = voterIds(membership);
      switch (act.type) {
        case "addVoter":
        case "addLearner": {
          const id = spare(raft);
          if (id === undefined) return;
          await this.#cluster.start(id);
          await raft.addLearner(id, this.#describe(id), { ...options, blocking: act.type === "addVoter" });
          if (act.type === "addVoter") await raft.changeMembership({ type: "addVoters", ids: [id] }, options);
          return;
        }
        case "demote":
        case "remove": {
          const id = act.target === "leader" ? raft.id : voters[Math.floor(act.target * voters.length)];
          if (id === undefined || voters.length < 2) return;
          await raft.changeMembership(
            { type: "removeVoters", ids: [id] },
            { ...options, retain: act.type === "demote" },
          );
          return;
        }
        case "replace": {
          const members = [...membership.nodes.keys()];
          const ids = members.filter((_, i) => (act.picks[i] ?? 0) < 0.5);
          if (ids.length > 0) await raft.changeMembership(ids, { ...options, retain: true });
        }
      }
    }, act.type);
  }

  #erase(target: number): boolean {
    const leader = this.#cluster.leader()?.raft;
    if (this.#erased !== null || leader === null || leader === undefined) return false;
    const { membership } = leader.metrics().membership;
    // Until the stores of the voters are noted an erased one is not noticed; and a majority must keep what is committed.
    const isBound = membership.incarnations.size === voterIds(membership).length;
    const others = voterIds(membership).filter((id) => id !== leader.id);
    if (!isBound || membership.configs.length !== 1 || others.length < 2) return false;
    const id = others[Math.floor(target * others.length)] as NodeId;
    this.#erased = id;
    this.#cluster.wipe(id);
    void this.#cluster.start(id);
    const retry = (): void => {
      void this.replaceErased().then((done) => {
        if (!done) this.#setTimer(300, retry);
      });
    };
    this.#setTimer(200, retry);
    return true;
  }

  #partition(kind: PartitionKind, id: NodeId, second: number): void {
    const { network } = this.#cluster;
    const ids = [...this.#cluster.nodes.keys()];
    const others = ids.filter((other) => other !== id);
    const cutBoth = (a: readonly NodeId[], b: readonly NodeId[]): void => {
      for (const x of a) {
        for (const y of b) {
          network.cut(x, y);
          network.cut(y, x);
        }
      }
    };
    const half = Math.max(1, Math.floor(second * ids.length));
    switch (kind) {
      case "isolate":
        return cutBoth([id], others);
      case "split":
        return cutBoth(ids.slice(0, half), ids.slice(half));
      case "leaderInMinority":
        return cutBoth([id, ...others.slice(0, 1)], others.slice(1));
      case "oneWay":
        for (const other of others) {
          if (second < 0.5) network.cut(id, other);
          else network.cut(other, id);
        }
        return;
      case "ring":
        for (const [i, a] of ids.entries()) {
          for (const [j, b] of ids.entries()) {
            const apart = Math.abs(i - j);
            if (apart > 1 && apart < ids.length - 1) network.cut(a, b);
          }
        }
        return;
      case "bridge":
        return cutBoth(
          others.slice(0, Math.floor(others.length / 2)),
          others.slice(Math.floor(others.length / 2)),
        );
    }
  }

  #clog(id: NodeId, second: number, ms: number): void {
    const { network } = this.#cluster;
    const others = [...this.#cluster.nodes.keys()].filter((other) => other !== id);
    const other = others[Math.floor(second * others.length)];
    if (other === undefined) return;
    network.clog(id, other);
    this.#setTimer(ms, () => network.unclog(id, other));
  }

  #with(target: Target, use: (node: SimNode<C>) => void): boolean {
    if (target !== "leader") return pickOf(this.#cluster.running(), target, use);
    const leader = this.#cluster.leader();
    if (leader !== null) use(leader);
    return leader !== null;
  }

  #lead(use: (raft: Raft<C>) => Promise<unknown>, what: string): boolean {
    const raft = this.#cluster.leader()?.raft;
    if (raft === null || raft === undefined) return false;
    this.#watch(what, use(raft));
    return true;
  }

  #try(what: string, act: () => void): void {
    try {
      act();
    } catch (thrown) {
      this.#count(`${what}: ${codeOf(thrown)}`);
    }
  }

  #watch(what: string, outcome: Promise<unknown> | undefined): void {
    outcome?.then(
      () => this.#count(`${what}: done`),
      (thrown: unknown) => this.#count(`${what}: ${codeOf(thrown)}`),
    );
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function pickOf<T>(items: readonly T[], at: number, use: (item: T) => void): boolean {
  const item = items[Math.floor(at * items.length)];
  if (item === undefined) return false;
  use(item);
  return true;
}

function codeOf(thrown: unknown): string {
  const { code } = thrown as { readonly code?: unknown };
  return typeof code === "string" ? code : String(thrown);
}
