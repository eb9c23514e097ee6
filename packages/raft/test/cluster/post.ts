import type { NodeId } from "@seshat/common";
import type { Event } from "../../src/engine/event.js";
import { effectiveMembership } from "../../src/engine/membership-state.js";
import type { Life } from "./life.js";
import type { Address, Message, PartsTaken, Request } from "./network.js";

/** How messages are addressed, and which are for whom: a store that was erased must not count as the one that is gone. */

/** Sends a request to `to`, on the store that the membership names. */
export function ask(life: Life, to: NodeId, request: Request): void {
  const { id, disk, world } = life;
  const toStore = recordedStore(life, to);
  world.network.send({ type: "request", from: id, fromStore: disk.incarnation, to, toStore, request });
}

/** Answers whoever asked. */
export function respond(life: Life, { from, fromStore }: Address, event: Event | PartsTaken): void {
  const { id, disk, world } = life;
  world.network.send({
    type: "response",
    from: id,
    fromStore: disk.incarnation,
    to: from,
    toStore: fromStore,
    event,
  });
}

/**
 * True when a message is for this node on this store, and, if it is an answer, comes from the store that its sender votes from. Who asks may be on
 * any store: a node that is far behind knows the leader by one that is gone.
 */
export function isMeant(life: Life, { type, from, fromStore, toStore }: Message): boolean {
  if (life.world.sabotage === "trustsErasedDisks") return true;
  if (type === "request") return toStore === 0 || toStore === life.disk.incarnation;
  const known = recordedStore(life, from);
  return toStore === life.disk.incarnation && (known === 0 || known === fromStore);
}

function recordedStore({ engine }: Life, id: NodeId): number {
  return effectiveMembership(engine.state).membership.incarnations.get(id) ?? 0;
}
