import type { NodeId, RaftTypeConfig, Snapshot } from "@seshat/common";
import { voterIds } from "@seshat/common";
import type { Raft } from "@seshat/raft";
import { MemSnapshotData } from "@seshat/storage";
import type { RaftStateMachine } from "@seshat/storage";
import { NO_DISK_FAULTS } from "../disk/sim-disk-faults.js";
import { CALM } from "../network/network-faults.js";
import type { Cluster } from "../world/cluster.js";
import type { Act, ActOf } from "./act.js";
import { chooseCore } from "./core.js";
import { Disaster } from "./disaster.js";
import { DiskFaults } from "./disk-faults.js";
import { LinkTrouble } from "./link-trouble.js";
import { Operator } from "./operator.js";
import { Scene, pickOf } from "./scene.js";
import { StoreCare } from "./store-care.js";

/** How long a write that nobody waits for is kept. */
const FLOOD_PATIENCE_MS = 1_500;

/** What was done, by kind, and what came of it. */
export type ActCounts = ReadonlyMap<string, number>;

/** Does to a cluster what a plan says, as far as it can be done at that moment. */
export class Nemesis<C extends RaftTypeConfig> {
  /** How long clients think between two operations, in milliseconds. */
  thinkMs = 2;
  readonly #cluster: Cluster<C>;
  readonly #scene: Scene<C>;
  readonly #links: LinkTrouble<C>;
  readonly #disks: DiskFaults<C>;
  readonly #care: StoreCare<C>;
  readonly #operator: Operator<C>;
  readonly #disaster: Disaster<C>;

  /** @param setTimer on the cluster's clock. */
  constructor(cluster: Cluster<C>, setTimer: (delayMs: number, callback: () => void) => void) {
    this.#cluster = cluster;
    this.#scene = new Scene(cluster, setTimer);
    this.#care = new StoreCare(cluster, setTimer, (what) => this.#scene.count(what));
    this.#links = new LinkTrouble(this.#scene);
    this.#disks = new DiskFaults(this.#scene, this.#care);
    this.#operator = new Operator(cluster, this.#care, setTimer);
    this.#disaster = new Disaster(
      cluster,
      this.#care,
      this.#operator,
      setTimer,
      (ms, act) => this.#scene.later(ms, act),
      (what) => this.#scene.count(what),
    );
  }

  /** What was done, by kind, and what came of it. */
  get counts(): ActCounts {
    return this.#scene.counts;
  }

  /** True when no voter is lost, or may be. */
  get settled(): boolean {
    return this.#care.settled;
  }

  /** Does one thing. What takes time goes on by itself. */
  act(act: Act): void {
    const done = this.#act(act);
    this.#scene.count(done ? act.type : `${act.type}: not possible`);
  }

  /** Whether a fault is to blame for a node that stopped with this, or did not start. */
  explains(id: NodeId, error: Error): boolean {
    return this.#care.explains(id, error);
  }

  /** Ends every fault, and lets all nodes run that have a disk. */
  async healAll(): Promise<void> {
    this.#cluster.network.links.heal();
    await this.#healNodes();
  }

  /**
   * Ends every fault but one: whoever is not needed for a majority stays cut off for good, from everybody. Where no majority can do without
   * the rest, or a voter waits to be replaced, it heals all.
   *
   * @returns the nodes that reach each other.
   */
  async healCore(random: () => number): Promise<readonly NodeId[]> {
    const { network } = this.#cluster;
    const all = [...this.#cluster.nodes.keys()];
    const cutOff = (ids: readonly NodeId[]): void => {
      for (const id of ids) {
        for (const other of all) {
          if (other === id) continue;
          network.links.cut(id, other);
          network.links.cut(other, id);
        }
      }
    };
    network.links.heal();
    // Nobody hears from anybody until it is settled who stays away.
    cutOff(all);
    await this.#healNodes();
    const views = this.#cluster.running().map(({ id, raft }) => {
      const { membership, committed } = (raft as Raft<C>).metrics();
      const { configs } = membership.membership;
      return { id, index: membership.logId.index, configs, committed: committed.index };
    });
    const core = this.settled ? chooseCore(views, random) : null;
    network.links.heal();
    if (core === null) return all;
    this.#scene.count("healed only a core");
    cutOff(all.filter((id) => !core.includes(id)));
    return core;
  }

  async #healNodes(): Promise<void> {
    this.#scene.healed = true;
    this.#cluster.network.links.faults = CALM;
    for (const node of this.#cluster.nodes.values()) {
      node.store.release();
      node.store.setFaults(NO_DISK_FAULTS);
      node.store.trouble?.disarm();
      node.store.trouble?.watch(null);
      node.downUntil = 0;
    }
    this.#care.hurry();
    for (const id of this.#cluster.nodes.keys()) await this.#cluster.start(id);
  }

  /** Puts a voter whose store is gone back in its place. @returns true when that is done. */
  replaceErased(): Promise<boolean> {
    return this.#care.replaceLost();
  }

  #act(act: Act): boolean {
    const cluster = this.#cluster;
    switch (act.type) {
      case "crash":
        return this.#scene.with(act.target, ({ id }) => cluster.crash(id, act.what));
      case "crashAll":
        for (const { id } of cluster.running()) cluster.crash(id, act.what);
        return true;
      case "restart": {
        const dead = [...cluster.nodes.values()].filter(
          ({ raft, starting, downUntil }) => raft === null && !starting && downUntil <= cluster.now,
        );
        return pickOf(dead, act.target, ({ id }) => void cluster.start(id));
      }
      case "outage":
        return this.#scene.with(act.target, (node) => {
          cluster.crash(node.id);
          node.downUntil = cluster.now + act.ms;
          this.#scene.later(act.ms, () => void cluster.start(node.id));
        });
      case "crashInDisk":
        return this.#scene.withTrouble(act.target, (node, trouble) =>
          this.#disks.crashAt(node.id, trouble, act.operations, act.what),
        );
      case "crashInRecovery":
        return this.#scene.withTrouble(act.target, ({ id }, trouble) => {
          cluster.crash(id, act.what);
          this.#disks.crashAt(id, trouble, act.operations, act.what);
          void cluster.start(id);
        });
      case "pause":
        return this.#scene.with(act.target, ({ life }) => life?.pause(act.ms));
      case "jump":
        return this.#scene.with(act.target, ({ life }) => life?.jump(act.ms));
      case "partition":
        return this.#scene.with(act.target, ({ id }) => this.#links.cut(act, id));
      case "heal":
        cluster.network.links.heal();
        return true;
      case "flap":
        return this.#scene.with(act.target, ({ id }) => this.#links.flap(act, id));
      case "clog":
        return this.#scene.with(act.target, ({ id }) => this.#links.clog(act, id));
      case "swizzle":
        this.#links.swizzle(act);
        return true;
      case "slowLinks":
        return this.#scene.with(act.target, ({ id }) => this.#links.slow(act, id));
      case "network":
        cluster.network.links.faults = act.faults;
        return true;
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
        return this.#scene.with(act.target, ({ raft }) => this.#watch("snapshot", raft?.trigger.snapshot()));
      case "purge":
        return this.#scene.with(act.target, ({ raft }) =>
          this.#try("purge", () => raft?.trigger.purgeLog(raft.metrics().snapshot.index)),
        );
      case "compact":
        return this.#scene.with(act.target, ({ raft }) => {
          if (raft !== null) this.#watch("compact", compact(raft));
        });
      case "bringSnapshot":
        return this.#scene.with(act.target, ({ id }) => this.#bringSnapshot(act, id));
      case "load":
        this.thinkMs = act.thinkMs;
        return true;
      case "flood":
        return this.#scene.with(act.target, ({ raft }) => {
          // Any state machine has sessions to open, and these are over before there are many.
          for (let i = 0; i < act.writes; i += 1)
            this.#watch("flood", raft?.openSession({ expiresAfter: 20, timeoutMs: FLOOD_PATIENCE_MS }));
        });
      case "disaster":
        return this.#disaster.strike(act.target);
      case "addVoter":
      case "addLearner":
      case "demote":
      case "remove":
      case "replace":
      case "reuse":
      case "move": {
        const outcome = this.#operator.act(act);
        if (outcome !== null) this.#watch(act.type, outcome);
        return outcome !== null;
      }
      default:
        return this.#disks.act(act);
    }
  }

  #bringSnapshot({ from, ms, type }: ActOf<"bringSnapshot">, id: NodeId): void {
    const source = this.#cluster.running().filter((node) => node.id !== id);
    pickOf(source, from, ({ stateMachine }) => {
      const taken = stateMachine === null ? Promise.resolve(null) : copyOfSnapshot(stateMachine);
      taken.then(
        (snapshot) => {
          if (snapshot === null) return this.#scene.count(`${type}: there is none`);
          this.#scene.later(ms, () => {
            const { raft } = this.#cluster.node(id);
            this.#watch(type, raft?.installFullSnapshot(snapshot));
          });
        },
        () => this.#scene.count(`${type}: cannot be read`),
      );
    });
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
      this.#scene.count(`${what}: ${codeOf(thrown)}`);
    }
  }

  #watch(what: string, outcome: Promise<unknown> | undefined): void {
    outcome?.then(
      () => this.#scene.count(`${what}: done`),
      (thrown: unknown) => this.#scene.count(`${what}: ${codeOf(thrown)}`),
    );
  }
}

async function compact<C extends RaftTypeConfig>(raft: Raft<C>): Promise<void> {
  await raft.trigger.snapshot();
  raft.trigger.purgeLog(raft.metrics().snapshot.index);
}

/** What is brought elsewhere does not depend any more on the node that it is from. */
async function copyOfSnapshot<C extends RaftTypeConfig>(
  stateMachine: RaftStateMachine<C>,
): Promise<Snapshot<C["SnapshotData"], C["Node"]> | null> {
  const snapshot = await stateMachine.readCurrentSnapshot();
  if (snapshot === null) return null;
  return { meta: snapshot.meta, data: await MemSnapshotData.collect(snapshot.data.read(0)) };
}

function codeOf(thrown: unknown): string {
  const { code } = thrown as { readonly code?: unknown };
  return typeof code === "string" ? code : String(thrown);
}
