import { CaseRandom } from "@seshat/storage/conformance";
import { describe, expect, test } from "vitest";
import { KvStateMachine } from "../src/index.js";
import { randomEntry } from "./random-commands.js";

function snapshot(machine: KvStateMachine): Uint8Array {
  const chunks = [...(machine.capture().chunks() as Iterable<Uint8Array>)];
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe("a node that was restored from a snapshot and one that applied everything", () => {
  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    "answer alike and come to the same bytes, seed %d",
    async (seed) => {
      const random = new CaseRandom(seed);
      let grown = new KvStateMachine();
      let restored: KvStateMachine | null = null;
      for (let index = 1; index <= 400; index++) {
        const data = randomEntry(random, index * 3);
        const expected = grown.apply(index, { data: data.slice() });
        if (restored !== null) {
          expect(restored.apply(index, { data })).toStrictEqual(expected);
          // What is charged decides what is refused.
          expect(restored.work).toBe(grown.work);
        }
        if (random.chance(0.03)) {
          const bytes = snapshot(grown);
          if (restored !== null) expect(Buffer.compare(snapshot(restored), bytes)).toBe(0);
          const fresh = new KvStateMachine();
          await fresh.restore(inOne(bytes));
          expect([fresh.size, fresh.usedBytes, fresh.clockMs, fresh.deadlines]).toEqual([
            grown.size,
            grown.usedBytes,
            grown.clockMs,
            grown.deadlines,
          ]);
          // The one that was restored goes on as the one to be restored from.
          if (restored !== null && random.chance(0.5)) grown = restored;
          restored = fresh;
        }
      }
      if (restored !== null) expect(Buffer.compare(snapshot(restored), snapshot(grown))).toBe(0);
    },
  );
});
