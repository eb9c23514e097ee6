/**
 * A counter on three nodes. Run it with `node examples/replicated-counter.ts`.
 *
 * The counter is the state machine: it says how a command changes it, and how it is written into a snapshot.
 * Everything else (who leads, what is committed, what happens when a node dies) is Seshat's.
 */
/* oxlint-disable no-console -- it is there to be watched */
import { strict as assert } from "node:assert";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import { startCluster } from "@seshat/integration";
import type { ResponseCodec, StateCapture, StateMachine } from "@seshat/storage";

// A number, written in 8 bytes: what a snapshot of the counter holds, and what a response is in it.
const numberCodec: ResponseCodec<number> = {
  encode: (value) => new ByteWriter(8).u64(value).finish(),
  decode: (bytes) => new ByteReader("number", bytes).u64(),
};

// Commands are numbers to add, responses are the sums.
class Counter implements StateMachine<number, number> {
  value = 0;
  readonly responseCodec = numberCodec;

  apply(_index: number, add: number): number {
    this.value += add;
    return this.value;
  }

  capture(): StateCapture {
    const bytes = numberCodec.encode(this.value);
    return { chunks: () => [bytes] };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const bytes: number[] = [];
    for await (const chunk of chunks) bytes.push(...chunk);
    this.value = numberCodec.decode(Uint8Array.from(bytes));
  }
}

await using cluster = await startCluster({ nodes: 3, stateMachine: () => new Counter() });

// A write is answered once two of the three nodes have it, whoever leads.
console.log("add 5:", (await cluster.write(5)).response);
console.log("add 37:", (await cluster.write(37)).response);

// The leader dies. The others elect a new one; the next write finds it, and is applied once.
const leader = cluster.running().find((node) => node.isLeader());
assert(leader !== undefined);
await cluster.kill(leader.id);
console.log(`node ${leader.id} led and is dead; add 58:`, (await cluster.write(58)).response);

// It comes back, and catches up by itself: a read through it sees everything that was answered.
await cluster.restart(leader.id);
const value = await cluster.read((counter) => counter.value, leader.id);
console.log(`node ${leader.id} is back and reads:`, value);
assert.equal(value, 100);
