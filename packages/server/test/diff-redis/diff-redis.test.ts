import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandNames } from "./command-names.ts";
import { COMMANDS } from "./commands.ts";
import { compareOn } from "./compare.ts";
import type { Outcome } from "./connection.ts";
import { encoded, quoted } from "./encoded.ts";
import { ONCE_DIFFERENT } from "./once-different.ts";
import { PLANTED_DIFFERENCES } from "./planted-differences.ts";
import { redisMissing, startRedis } from "./redis-process.ts";
import type { RunningServer } from "./redis-process.ts";
import { startSeshat } from "./start-other.ts";
import { diffStreams } from "./streams.ts";
import { describe as describeFound, runDiff } from "./run.ts";

const SEED = 20_260_101;
/** What these answer is about the server that is asked: other tests look at them. */
const OF_THE_SERVER_ITSELF: readonly string[] =
  "cluster debug function info lolwut readonly readwrite role time wait".split(" ");

const missing = redisMissing();

describe.skipIf(missing !== undefined)(
  `the differential test${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let one: RunningServer;
    let two: RunningServer;
    let seshat: RunningServer;

    beforeAll(async () => {
      one = await startRedis();
      two = await startRedis("redis again");
      seshat = await startSeshat();
    });

    afterAll(async () => {
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
      await seshat[Symbol.asyncDispose]();
    });

    test("finds nothing between Redis and Redis", async () => {
      const { commands, found } = await runDiff({
        redis: one.target,
        other: two.target,
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
      const options = { redis: one.target, other: seshat.target, seed: SEED, mostDifferences: 5 };
      const { found } = await runDiff({ ...options, commands: 10_000 });
      expect(await Promise.all(found.map((each) => describeFound(each, one.target, seshat.target)))).toEqual(
        [],
      );
      expect(await diffStreams({ ...options, streams: 200 })).toEqual([]);
    });

    test.each(Object.entries(ONCE_DIFFERENT))("once different: %s", async (_, commands) => {
      for (const version of ["2", "3"]) {
        const steps = [["HELLO", version], ...commands].map((args) => ({
          client: 0,
          args,
          pipelined: false,
        }));
        const difference = await compareOn(one.target, seshat.target, steps);
        const shownOf = (outcome: Outcome | undefined): string =>
          outcome === undefined ? "" : encoded(outcome);
        const found = difference === null ? null : quoted(steps[difference.at]?.args ?? []);
        expect([found, shownOf(difference?.other)]).toEqual([null, shownOf(difference?.redis)]);
      }
    });

    test("differs on purpose: a key that was absent when it was watched, and is absent again, has not changed", async () => {
      const steps = [
        ["WATCH", "a"],
        ["SET", "a", "1"],
        ["DEL", "a"],
        ["MULTI"],
        ["SET", "a", "2"],
        ["EXEC"],
      ].map((args) => ({ client: 0, args, pipelined: false }));
      const found = await compareOn(one.target, seshat.target, steps);
      expect(found?.at).toBe(5);
      expect([found?.redis, found?.other].map((outcome) => encoded(outcome ?? null, 2))).toEqual([
        "*-1\r\n",
        "*1\r\n+OK\r\n",
      ]);
    });

    test("draws from every command that both have", async () => {
      const redis = new Set(await commandNames(one.target));
      const both = (await commandNames(seshat.target)).filter((name) => redis.has(name));
      const drawn = new Set(Object.keys(COMMANDS).map((name) => name.toLowerCase()));
      expect(both.filter((name) => !drawn.has(name)).toSorted()).toEqual(OF_THE_SERVER_ITSELF);
      expect([...drawn].filter((name) => !both.includes(name))).toEqual([]);
    });

    test.each(Object.entries(PLANTED_DIFFERENCES))("finds: %s", async (_, spoil) => {
      const { found } = await runDiff({
        redis: one.target,
        other: { ...two.target, spoil },
        seed: SEED,
        commands: 60_000,
        mostDifferences: 1,
      });
      const [first] = found;
      expect(first).toBeDefined();
      // And shows it on few commands: what brings it about, and the command that shows it.
      expect(first?.steps.length).toBeLessThanOrEqual(9);
    });
  },
);
