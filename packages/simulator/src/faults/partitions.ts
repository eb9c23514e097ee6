import type { NodeId } from "@seshat/common";
import type { PartitionKind } from "./act.js";

/** A link, one way. */
export type Cut = readonly [from: NodeId, to: NodeId];

/**
 * Which links a partition cuts.
 *
 * @param id the node that it is about, where it is about one.
 * @param second from 0 to 1: where it splits, or which way it cuts.
 */
export function cutsOf(kind: PartitionKind, ids: readonly NodeId[], id: NodeId, second: number): Cut[] {
  const others = ids.filter((other) => other !== id);
  const half = Math.floor(others.length / 2);
  switch (kind) {
    case "isolate":
      return between([id], others);
    case "split": {
      const size = Math.max(1, Math.floor(second * ids.length));
      return between(ids.slice(0, size), ids.slice(size));
    }
    case "leaderInMinority":
      return between([id, ...others.slice(0, 1)], others.slice(1));
    case "oneWay":
      return others.map((other): Cut => (second < 0.5 ? [id, other] : [other, id]));
    case "ring":
      return ids.flatMap((a, i) =>
        ids.flatMap((b, j): Cut[] => {
          const apart = Math.abs(i - j);
          return apart > 1 && apart < ids.length - 1 ? [[a, b]] : [];
        }),
      );
    case "bridge":
      return between(others.slice(0, half), others.slice(half));
  }
}

function between(a: readonly NodeId[], b: readonly NodeId[]): Cut[] {
  return a.flatMap((x) =>
    b.flatMap((y): Cut[] => [
      [x, y],
      [y, x],
    ]),
  );
}
