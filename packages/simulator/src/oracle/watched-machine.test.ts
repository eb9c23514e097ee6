import type { StateMachine } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import type { OutsideWorld } from "./outside-world.js";
import { Replicas } from "./replicas.js";
import type { Violation } from "./violation.js";
import { WatchedMachine } from "./watched-machine.js";

const CALM: OutsideWorld = {
  date: () => 0,
  performance: () => 0,
  hrtime: () => 0,
  random: () => 0,
  crypto: () => 0,
};

/** Adds up. Answers the sum, and whatever `twist` makes of it. */
class Sum implements StateMachine<number, number> {
  #sum = 0;
  readonly #twist: number;

  constructor(twist = 0) {
    this.#twist = twist;
  }

  apply(_index: number, by: number): number {
    this.#sum += by;
    return this.#sum + this.#twist;
  }

  capture(): { chunks: () => Uint8Array[] } {
    const bytes = Uint8Array.of(this.#sum);
    return { chunks: () => [bytes] };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) this.#sum = chunk[0] as number;
  }
}

/** A node's state machine, and what was found of it. */
function watched(
  replicas: Replicas<number>,
  node: number,
  inner: StateMachine<number, number> = new Sum(),
  isAlive = true,
): { machine: WatchedMachine<number, number>; found: Violation[]; hashes: number[] } {
  const found: Violation[] = [];
  const hashes: number[] = [];
  const machine = new WatchedMachine<number, number>({
    node,
    inner,
    replicas,
    world: CALM,
    random: () => 0,
    isAlive: () => isAlive,
    tap: { applied: (_, hash) => hashes.push(hash), restored: () => {} },
    fail: (violation) => found.push(violation),
  });
  return { machine, found, hashes };
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function contentOf(machine: WatchedMachine<number, number>): Promise<Uint8Array> {
  const bytes: number[] = [];
  for await (const chunk of machine.capture().chunks()) bytes.push(...chunk);
  return Uint8Array.from(bytes);
}

describe("replicas of a state machine", () => {
  test("that answer the same have the same running hash, also after a snapshot, however it is cut", async () => {
    const replicas = new Replicas<number>();
    const [one, other] = [watched(replicas, 1), watched(replicas, 2)];
    one.machine.apply(1, 5);
    for (const size of [1, 7, 100]) {
      await other.machine.restore(chunked(await contentOf(one.machine), size));
    }
    expect(one.machine.apply(4, 2)).toBe(7);
    expect(other.machine.apply(4, 2)).toBe(7);
    expect(other.hashes.at(-1)).toBe(one.hashes.at(-1));
    expect([...one.found, ...other.found]).toEqual([]);
  });

  test("that answer differently are told apart at once, with entry and answers", () => {
    const replicas = new Replicas<number>();
    const [one, other] = [watched(replicas, 1), watched(replicas, 2, new Sum(1))];
    one.machine.apply(3, 5);
    other.machine.apply(3, 5);
    expect(other.found[0]?.message).toMatch(
      /^B5 state machine safety: node 1 and node 2 answered differently to entry 3 \(command 5\): 5 and 6/,
    );
    expect(replicas.divergence?.index).toBe(3);
  });

  test("of which one is dead are not compared with it", () => {
    const replicas = new Replicas<number>();
    const [one, dead] = [watched(replicas, 1), watched(replicas, 2, new Sum(1), false)];
    one.machine.apply(3, 5);
    dead.machine.apply(3, 5);
    expect(dead.found).toEqual([]);
  });
});

/** Writes its captures out asynchronously. */
class SlowlyWritten extends Sum {
  override capture(): { chunks: () => never } {
    const { chunks } = super.capture();
    return {
      async *chunks() {
        yield* await Promise.resolve(chunks());
      },
    } as unknown as { chunks: () => never };
  }
}

describe("a snapshot", () => {
  test("may be written out asynchronously, and is compared then", async () => {
    const replicas = new Replicas<number>();
    const [one, other] = [
      watched(replicas, 1, new SlowlyWritten()),
      watched(replicas, 2, new SlowlyWritten()),
    ];
    one.machine.apply(16, 5);
    const before = one.machine.capture();
    const bytes = await contentOf(one.machine);
    await other.machine.restore(chunked(bytes, 100));
    expect([...one.found, ...other.found]).toEqual([]);
    bytes[bytes.length - 1] = 9;
    await other.machine.restore(chunked(bytes, 100));
    await contentOf(other.machine);
    expect(other.found.map(({ property }) => property)).toEqual([
      "B12 a snapshot is the state",
      "B5 state machine safety",
    ]);
    for await (const chunk of before.chunks()) expect(chunk.length).toBeGreaterThan(0);
    expect(one.found).toEqual([]);
  });

  test("counts as captured though whoever writes it out stops at its last byte", async () => {
    const replicas = new Replicas<number>();
    const [one, other] = [watched(replicas, 1), watched(replicas, 2)];
    one.machine.apply(1, 5);
    const iterator = (one.machine.capture().chunks() as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const [header, content] = [await iterator.next(), await iterator.next()];
    const bytes = Uint8Array.from([...(header.value as Uint8Array), ...(content.value as Uint8Array)]);
    await other.machine.restore(chunked(bytes, 100));
    expect(other.found).toEqual([]);
  });

  test("that no node captured is refused: storage or transport changed it", async () => {
    const replicas = new Replicas<number>();
    const [one, other] = [watched(replicas, 1), watched(replicas, 2)];
    one.machine.apply(1, 5);
    const bytes = await contentOf(one.machine);
    bytes[bytes.length - 1] = 6;
    await other.machine.restore(chunked(bytes, 100));
    expect(other.found[0]?.message).toMatch(/^B12 .*no node captured: storage or transport changed it/);
  });

  test("that is shorter than its header cannot be restored", async () => {
    const { machine } = watched(new Replicas<number>(), 1);
    await expect(machine.restore(chunked(Uint8Array.of(1, 2, 3), 1))).rejects.toThrow("shorter");
  });
});
