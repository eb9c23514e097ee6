import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandNames } from "./command-names.ts";
import { vocabulary } from "./generate.ts";
import { PLANTED_DIFFERENCES } from "./planted-differences.ts";
import { redisMissing, startRedis } from "./redis-process.ts";
import type { RunningServer } from "./redis-process.ts";
import { startSeshat } from "./start-other.ts";
import { diffStreams } from "./streams.ts";
import { describe as describeFound, runDiff } from "./run.ts";

const SEED = 20_260_101;
const missing = redisMissing();
const words = vocabulary(() => true);

describe.skipIf(missing !== undefined)(
  `the differential test${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let one: RunningServer;
    let two: RunningServer;

    beforeAll(async () => {
      one = await startRedis();
      two = await startRedis("redis again");
    });

    afterAll(async () => {
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
    });

    test("finds nothing between Redis and Redis", async () => {
      const { commands, found } = await runDiff({
        redis: one.target,
        other: two.target,
        words,
        seed: SEED,
        commands: 10_000,
        mostDifferences: 1,
      });
      for (const each of found) expect.fail(await describeFound(each, one.target, two.target));
      expect(commands).toBeGreaterThanOrEqual(10_000);
    });

    test("nor in how they take streams of bytes, good and broken", async () => {
      const options = { redis: one.target, other: two.target, seed: SEED, streams: 200, mostDifferences: 1 };
      expect(await diffStreams(options)).toEqual([]);
    });

    test("finds nothing between Redis and Seshat", async () => {
      await using seshat = await startSeshat();
      const commands = new Set(await commandNames(seshat.target));
      const options = { redis: one.target, other: seshat.target, seed: SEED, mostDifferences: 5 };
      const known = vocabulary((name) => commands.has(name.toLowerCase()));
      const { found } = await runDiff({ ...options, words: known, commands: 10_000 });
      expect(await Promise.all(found.map((each) => describeFound(each, one.target, seshat.target)))).toEqual(
        [],
      );
      expect(await diffStreams({ ...options, streams: 200 })).toEqual([]);
    });

    test.each(Object.entries(PLANTED_DIFFERENCES))("finds: %s", async (_, spoil) => {
      const { found } = await runDiff({
        redis: one.target,
        other: { ...two.target, spoil },
        words,
        seed: SEED,
        commands: 20_000,
        mostDifferences: 1,
      });
      const [first] = found;
      expect(first).toBeDefined();
      // And shows it on few commands: what brings it about, and the command that shows it.
      expect(first?.steps.length).toBeLessThanOrEqual(9);
    });
  },
);
