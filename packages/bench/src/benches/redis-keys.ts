import type { Bench } from "../bench.js";
import { loadKeys } from "../redis/load-keys.js";
import { verifyWritten } from "../redis/run-benchmark.js";
import { SERVERS, startTraced } from "../redis/servers.js";
import { compareTwins } from "../redis/twins.js";
import { count, micros, percent, text } from "../statistics/cells.js";

const FEW = 1000;
const MANY = 10_000_000;

/** Whether commands cost more where there are many keys, and what a key takes. */
export const redisKeys: Bench = {
  name: "redis-keys",
  about: "redis-benchmark on a durable node with 1 thousand keys and on one with 10 million, values of 64 B",
  notes: [
    'Both nodes run at the same time and are measured by turns. "share" is what the node with many keys reaches of the other; memory is what its process has in use',
    "beyond the other's, by the key, once all of them are there: keys of 16 B, values of 64 B, what is left of the log and of the snapshots of the load included. A Redis that keeps",
    "nothing on disk is given the same keys. Pauses are those of garbage collection in the node with many keys: the longest and the sum of them, in all rounds of the row.",
  ],
  keys: ["command", "pipeline"],
  compared: ["otherPerSec", "share", "bytesPerKey"],
  columns: [
    text("command", "command"),
    text("pipeline", "pipeline"),
    count("keys", "keys"),
    count("few keys, /s", "plainPerSec"),
    count("many keys, /s", "otherPerSec"),
    percent("share", "share"),
    micros("few, CPU us", "plainCpuUs"),
    micros("many, CPU us", "otherCpuUs"),
    micros("few, p99 us", "plainP99Us"),
    micros("many, p99 us", "otherP99Us"),
    count("bytes a key", "bytesPerKey"),
    count("Redis, bytes a key", "redisBytesPerKey"),
    micros("longest pause, us", "longestPauseUs"),
    micros("pauses, us", "pausesUs"),
    percent("spread", "spread"),
  ],
  async *run(settings) {
    await using few = await SERVERS.seshat();
    await using many = await startTraced();
    const keys = Math.max(FEW, Math.round(MANY * settings.scale));
    await loadKeys(few.port, FEW);
    settings.progress(`loading ${keys} keys`);
    await loadKeys(many.port, keys);
    const bytesPerKey = ((await many.residentBytes()) - (await few.residentBytes())) / (keys - FEW || 1);
    settings.progress("loading Redis");
    const redisBytesPerKey = await bytesInRedis(keys);
    for (const pipeline of [1, 16]) {
      for (const command of ["set", "get"] as const) {
        many.takePauses();
        const compared = await compareTwins(
          { server: few, keys: FEW },
          { server: many, keys },
          { command, pipeline },
          settings,
        );
        const { longestMs, totalMs } = many.takePauses();
        await verifyWritten(few.port, FEW);
        const there = await verifyWritten(many.port, keys);
        yield {
          bench: "redis-keys",
          ...compared,
          keys: there,
          bytesPerKey: Math.round(bytesPerKey),
          redisBytesPerKey: Math.round(redisBytesPerKey),
          longestPauseUs: Math.round(longestMs * 1000),
          pausesUs: Math.round(totalMs * 1000),
          verified: there === keys,
        };
      }
    }
  },
};

/** What a key takes in Redis. */
async function bytesInRedis(keys: number): Promise<number> {
  await using server = await SERVERS.redisMemory();
  const before = await server.residentBytes();
  await loadKeys(server.port, keys);
  return ((await server.residentBytes()) - before) / keys;
}
