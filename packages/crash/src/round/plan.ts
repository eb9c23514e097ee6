import type { SeededRandom } from "@seshat/raft/testing";

export const KILL_KINDS = ["leader", "follower", "two", "all"] as const;
export type KillKind = (typeof KILL_KINDS)[number];

/** What happens to one node. */
export interface NodePlan {
  /** After the first one of the round. */
  readonly killAfterMs: number;
  /** How long it stays down. */
  readonly downMs: number;
  /** So long after its process was launched again it is killed once more, which may be while it starts; null: it is left alone. */
  readonly againAfterMs: number | null;
}

/** What happens in a round, and when. Which nodes it happens to is known once somebody leads. */
export interface RoundPlan {
  readonly kind: KillKind;
  /** How long the load runs before anything happens. */
  readonly loadMs: number;
  /** Breaks ties between followers. */
  readonly choice: number;
  readonly nodes: readonly [NodePlan, NodePlan, NodePlan];
}

/** All from the seed: the moments are the same in each run, what the processes are at by then is not. */
export function drawPlan(random: SeededRandom): RoundPlan {
  const dice = random.next();
  const kind = dice < 0.3 ? "leader" : dice < 0.5 ? "follower" : dice < 0.7 ? "two" : "all";
  const atOnce = random.chance(0.5);
  const node = (): NodePlan => ({
    killAfterMs: atOnce ? 0 : random.integer(0, 60),
    downMs: random.chance(0.3) ? 0 : random.integer(0, 300),
    againAfterMs: random.chance(0.2) ? random.integer(0, 600) : null,
  });
  return {
    kind,
    loadMs: random.integer(50, 500),
    choice: random.integer(0, 1),
    nodes: [node(), node(), node()],
  };
}

/** Which nodes are killed. */
export function victims({ kind, choice }: RoundPlan, leader: number, ids: readonly number[]): number[] {
  const followers = ids.filter((id) => id !== leader);
  switch (kind) {
    case "leader":
      return [leader];
    case "follower":
      return [followers[choice] as number];
    case "two":
      return [leader, followers[choice] as number];
    case "all":
      return [...ids];
  }
}
