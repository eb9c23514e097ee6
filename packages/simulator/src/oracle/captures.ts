import type { NodeId } from "@seshat/common";
import type { Content } from "./content.js";
import { describeDifference } from "./content.js";
import type { OutsideWorld } from "./outside-world.js";
import { within } from "./outside-world.js";
import { Violation } from "./violation.js";

/** B12: a capture is of one moment. */
export function checkUnchanged(node: NodeId, index: number, before: Content, after: Content): void {
  if (before.hash === after.hash) return;
  throw new Violation(
    "B12 a snapshot is the state",
    `node ${node}: what was captured after entry ${index} changed while later entries were applied, ${describeDifference(before.bytes, after.bytes)}. A capture must not share with the state what apply changes.`,
  );
}

/** The chunks of a capture, each made in the world of its node. */
export async function* inWorld(
  world: OutsideWorld,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (!(Symbol.iterator in chunks)) {
    yield* chunks;
    return;
  }
  const source = chunks[Symbol.iterator]();
  for (;;) {
    const next = within(world, () => source.next());
    if (next.done === true) return;
    yield next.value;
  }
}

/** The same bytes, cut anywhere. */
export async function* inPieces(bytes: Uint8Array, random: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() * 256);
    yield await Promise.resolve(bytes.slice(at, at + length));
    at += length;
  }
}
