import type { BytesTypeConfig, NodeId } from "@seshat/common";
import type { RaftLogReader } from "@seshat/storage";
import { describe, expect, test } from "vitest";
import type { Deferred, Outcome } from "./support/promises.js";
import { deferred, outcomeOf, settled } from "./support/promises.js";
import { TestCluster } from "./support/test-cluster.js";
import { setCommand } from "./support/values.js";

type Reader = RaftLogReader<BytesTypeConfig>;

/** More turns than an answer takes from the network to the engine. */
const TURNS = Array.from({ length: 12 }, (_, turns) => turns);

describe("a peer that moves while it is sent entries", () => {
  test.each(TURNS)(
    "gets those that went to its old address, without a further write: %i turns after an answer",
    async (turns) => {
      const cluster = new TestCluster([1, 2], {
        logCacheEntries: 1,
        maxInFlightAppends: 4,
        maxPayloadEntries: 1,
      });
      /** Reads of the leader's log that are not answered yet; null while they are answered at once. */
      let reads: (() => void)[] | null = null;
      let fifth = 0;
      for (const id of cluster.ids) {
        const storage = cluster.storage(id);
        const reader: Reader = storage.logReader();
        const slow: Reader = {
          readVote: () => reader.readVote(),
          readEntries: async (since, upto) => {
            const waiting = reads;
            if (waiting !== null && since >= fifth)
              await new Promise<void>((resolve) => void waiting.push(resolve));
            return reader.readEntries(since, upto);
          },
        };
        storage.logReader = () => slow;
      }
      const leader = await cluster.found();
      await cluster.converge();
      const [peer] = cluster.others(leader.id) as [NodeId];
      /** Answers of the peer that have not come back; null while they do at once. */
      let held: Deferred<void>[] | null = null;
      cluster.intercept = async (call, send) => {
        const answer = await send();
        if (held === null || call.to !== peer || call.entries.length === 0) return answer;
        const back = deferred();
        held.push(back);
        await back.promise;
        return answer;
      };
      const write = async (key: string): Promise<Outcome<unknown>> => {
        const outcome = outcomeOf(leader.propose(setCommand(key, "1")));
        await cluster.clock.advance(1);
        return outcome;
      };

      // Four entries fill the window. Three more wait, of which only the last is still in memory.
      held = [];
      fifth = leader.metrics().lastLogId.index + 5;
      const writes: Outcome<unknown>[] = [];
      for (const key of "abcdefg") writes.push(await write(key));
      await cluster.clock.advance(5);
      expect(held).toHaveLength(4);
      reads = [];
      for (const answer of held.splice(0)) answer.resolve();
      await cluster.clock.advance(1);
      // The fifth is read and sent; the sixth is being read, and the seventh waits for it.
      expect(reads).toHaveLength(1);
      reads.shift()?.();
      await cluster.clock.advance(5);
      expect([held.length, reads.length]).toEqual([1, 1]);
      const [answer] = held;
      held = null;
      answer?.resolve();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const moved = outcomeOf(
        leader.changeMembership({ type: "setNodes", nodes: [[peer, { addr: "elsewhere" }]] }),
      );
      await settled();
      for (const read of reads.splice(0)) read();
      reads = null;
      await cluster.clock.advance(2_000);
      expect(moved.errors).toEqual([]);
      expect(moved.values).toHaveLength(1);
      expect(writes.flatMap(({ errors }) => errors)).toEqual([]);
      await cluster.converge();
    },
  );
});
