import type { BasicNode, BytesTypeConfig, NodeId } from "@seshat/common";
import type { MembershipChange } from "../../src/engine/event.js";
import type { ChangeMembershipOptions } from "../../src/membership-options.js";
import type { Raft } from "../../src/raft.js";
import type { SeededRandom } from "../../src/testing.js";
import type { Fleet, Metrics } from "./fleet.js";
import { POOL } from "./fleet.js";

/** How many voters there are at most. */
const MAX_VOTERS = 7;

/** How long the operator waits for a change. */
export const CHANGE_TIMEOUT_MS = 4000;

export type Node = Raft<BytesTypeConfig>; /** A change, or a set of voters. */
export type Change = MembershipChange<BasicNode> | readonly NodeId[];

/** What an operation finds. */
export interface Scene {
  /** The node it is asked of: the leader, mostly. */
  readonly raft: Node;
  readonly metrics: Metrics;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly outsiders: readonly NodeId[];
}

/** Something that the operator does now and then. */
export interface Operation {
  readonly name: string;
  readonly weight: number;
  /** True for what changes the membership: it waits while somebody has to be mended. */
  readonly changes: boolean;
  /** @returns undefined when it makes no sense now. */
  run(scene: Scene): Promise<unknown> | undefined;
}

/** Everything that the operator does, with how often. */
export function operationsOf(fleet: Fleet, random: SeededRandom): readonly Operation[] {
  return new Operations(fleet, random).make();
}

class Operations {
  readonly #fleet: Fleet;
  readonly #random: SeededRandom;

  constructor(fleet: Fleet, random: SeededRandom) {
    this.#fleet = fleet;
    this.#random = random;
  }

  #any<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.#random.integer(0, items.length - 1)];
  }

  /** From `least` to `most` of `items`, any of them. */
  #some<T>(items: readonly T[], least: number, most: number): T[] {
    const rest = [...items];
    const atMost = Math.min(most, rest.length);
    const wanted = this.#random.integer(Math.min(least, atMost), atMost);
    return Array.from(
      { length: wanted },
      () => rest.splice(this.#random.integer(0, rest.length - 1), 1)[0] as T,
    );
  }

  #places(ids: readonly NodeId[]): [NodeId, BasicNode][] {
    return ids.map((id) => [id, this.#fleet.where(id)]);
  }

  make(): readonly Operation[] {
    const random = this.#random;
    const patient = { timeoutMs: CHANGE_TIMEOUT_MS };
    const change = (
      name: string,
      weight: number,
      plan: (scene: Scene) => readonly [Change, ChangeMembershipOptions?] | undefined,
    ): Operation => ({
      name,
      weight,
      changes: true,
      run: (scene) => {
        const planned = plan(scene);
        return planned && scene.raft.changeMembership(planned[0], { ...patient, ...planned[1] });
      },
    });
    const other = (name: string, weight: number, run: Operation["run"]): Operation => ({
      name,
      weight,
      changes: false,
      run,
    });
    /** Not on top of another change that went before: together they might pass what is allowed. */
    const pinned = ({ metrics }: Scene): ChangeMembershipOptions => ({
      membershipLogId: metrics.membership.logId,
    });
    const room = ({ voters }: Scene): number => MAX_VOTERS - voters.length;

    return [
      {
        name: "addLearner",
        weight: 4,
        changes: true,
        run: ({ raft, outsiders }) => {
          const id = this.#any(outsiders);
          return id === undefined ? undefined : raft.addLearner(id, this.#fleet.where(id), patient);
        },
      },
      {
        name: "addLearner blocking",
        weight: 4,
        changes: true,
        run: ({ raft, outsiders, learners }) => {
          const id = this.#any([...outsiders, ...learners]);
          return id === undefined
            ? undefined
            : raft.addLearner(id, this.#fleet.where(id), {
                blocking: true,
                timeoutMs: random.integer(200, 4000),
              });
        },
      },
      change("promote", 8, (scene) => {
        const ids = this.#some(scene.learners, 1, room(scene));
        return ids.length === 0 ? undefined : [{ type: "addVoters", ids }, pinned(scene)];
      }),
      change("promote lagging", 1, (scene) => {
        // They answer now, or soon: nobody is lost, or this would not be tried.
        const ids = this.#some(scene.learners, 1, Math.min(2, room(scene)));
        return ids.length === 0
          ? undefined
          : [
              { type: "addVoters", ids },
              { ...pinned(scene), allowLagging: true },
            ];
      }),
      change("demote", 4, ({ voters }) => {
        const ids = this.#some(voters, 1, Math.max(1, voters.length - 2));
        return [{ type: "removeVoters", ids }, { retain: true }];
      }),
      change("remove voter", 3, ({ voters }) => {
        const ids = this.#some(voters, 1, Math.max(1, voters.length - 3));
        return [{ type: "removeVoters", ids }];
      }),
      change("remove leader", 2, ({ raft, voters }) => {
        if (voters.length < 2) return undefined;
        return [{ type: "removeVoters", ids: [raft.id] }, { retain: random.chance(0.5) }];
      }),
      change("remove learner", 3, ({ learners }) => {
        const ids = this.#some(learners, 1, 2);
        return ids.length === 0 ? undefined : [{ type: "removeNodes", ids }];
      }),
      change("replace voters", 5, ({ voters, learners }) => {
        const ids = this.#some([...voters, ...learners], 1, MAX_VOTERS);
        return [ids, { retain: random.chance(0.6) }];
      }),
      change("replace with learners alone", 2, ({ learners }) => {
        return learners.length === 0
          ? undefined
          : [this.#some(learners, 1, MAX_VOTERS), { retain: random.chance(0.6) }];
      }),
      change("replace nodes", 1, ({ voters }) => {
        const ids = [...new Set([...this.#some(voters, 1, MAX_VOTERS), ...this.#some(POOL, 0, 3)])];
        return [{ type: "replaceNodes", nodes: this.#places(ids) }];
      }),
      change("batch", 2, (scene) => {
        const added = this.#some(scene.learners, 0, room(scene));
        const outsider = this.#some(scene.outsiders, 0, 1);
        const changes: MembershipChange<BasicNode>[] = [
          { type: "addNodes", nodes: this.#places(outsider) },
          { type: "addVoters", ids: added },
          { type: "removeVoters", ids: this.#some(scene.voters, 0, 1) },
        ];
        return [
          { type: "batch", changes },
          { ...pinned(scene), retain: random.chance(0.5) },
        ];
      }),
      change("expect", 2, ({ metrics, outsiders }) => {
        const id = this.#any(outsiders);
        if (id === undefined) return undefined;
        const { term, membership } = metrics;
        const wrong = random.chance(0.4);
        const { term: of, index } = membership.logId;
        const expected = random.chance(0.5)
          ? { leaderTerm: Math.max(1, term - (wrong ? 1 : 0)) }
          : { membershipLogId: { term: of, index: Math.max(0, index - (wrong ? 1 : 0)) } };
        return [{ type: "addNodes", nodes: this.#places([id]) }, expected];
      }),
      change("nonsense", 1, ({ voters, outsiders }) => {
        if (random.chance(0.5)) return [{ type: "removeVoters", ids: voters }];
        return outsiders.length === 0 ? undefined : [{ type: "addVoters", ids: outsiders.slice(0, 1) }];
      }),
      other("transfer named", 5, ({ raft, voters }) => {
        const to = this.#any(voters.filter((id) => id !== raft.id));
        return to === undefined
          ? undefined
          : raft.transferLeader({ to, timeoutMs: random.integer(30, 1500) });
      }),
      other("transfer best", 4, ({ raft }) => raft.transferLeader()),
      other("transfer nonsense", 1, ({ raft, learners, outsiders }) => {
        const to = this.#any([...learners, ...outsiders]);
        return to === undefined ? undefined : raft.transferLeader({ to });
      }),
      other("snapshot", 3, () => this.#anyNode((raft) => raft.trigger.snapshot())),
      other("purge", 3, () => this.#anyNode((raft) => raft.trigger.purgeLog(raft.metrics().snapshot.index))),
      other("elect", 1, () => this.#anyNode((raft) => raft.trigger.elect())),
      other("configure", 1, () =>
        this.#anyNode((raft) =>
          raft.configure({
            preVote: random.chance(0.7),
            elect: random.chance(0.9),
            snapshotPolicy: { type: "logsSinceLast", entries: random.integer(10, 80), bytes: 20_000 },
          }),
        ),
      ),
    ];
  }

  async #anyNode(work: (raft: Node) => unknown): Promise<void> {
    const node = this.#any([...this.#fleet.running.values()]);
    if (node !== undefined) await work(node.raft);
  }
}
