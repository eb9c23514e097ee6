/**
 * Plays generated commands to Redis's own server and to another, and compares the replies: `pnpm diff-redis --help`.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { redisMissing, startRedis } from "./redis-process.ts";
import { describe, runDiff } from "./run.ts";
import { startOther } from "./start-other.ts";
import { diffStreams } from "./streams.ts";

/** For every so many commands, one stream of bytes, good and broken. */
const COMMANDS_A_STREAM = 100;

const HELP = `pnpm diff-redis: the same commands to Redis 7.0 and to Seshat, and every reply compared

  --commands N   how many, at least (100000)
  --seed S       what decides them (a fresh one, printed)
  --case N       begins with this case; with --commands 1, plays it alone
  --most N       stops after so many different differences (20)
  --against A    host:port of a server that runs already, or "redis": Redis against itself (a Seshat started for it)

The exit code is 0 if nothing differs, 1 if something does, 2 if it could not be found out.
`;

const { values: flags } = parseArgs({
  options: {
    commands: { type: "string", default: "100000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    case: { type: "string", default: "0" },
    most: { type: "string", default: "20" },
    against: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<number> {
  if (flags.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const missing = redisMissing();
  if (missing !== undefined) {
    process.stderr.write(`diff-redis: ${missing}\n`);
    return 2;
  }
  await using redis = await startRedis();
  await using other = await startOther(flags.against);
  const seed = count("seed");
  const repeat = `pnpm diff-redis --seed ${seed}`;
  process.stderr.write(`${repeat} --commands ${flags.commands}\n`);
  let shownAt = 0;
  const { commands, cases, found } = await runDiff({
    redis: redis.target,
    other: other.target,
    seed,
    commands: count("commands"),
    from: count("case"),
    mostDifferences: count("most"),
    progress: (commands, differences) => {
      if (commands - shownAt < 10_000) return;
      shownAt = commands;
      process.stderr.write(`${commands} commands, ${differences} differences\n`);
    },
  });
  for (const each of found) {
    process.stdout.write(
      `\n${await describe(each, redis.target, other.target)}\n  again: ${repeat} --case ${each.index} --commands 1\n`,
    );
  }
  const streams = await diffStreams({
    redis: redis.target,
    other: other.target,
    seed,
    streams: Math.ceil(commands / COMMANDS_A_STREAM),
    from: count("case"),
    mostDifferences: count("most"),
  });
  for (const stream of streams) {
    process.stdout.write(
      `\nstream ${stream.index}: ${stream.pieces.map((piece) => JSON.stringify(piece)).join(" ")}\n`,
    );
    process.stdout.write(
      `      redis: ${JSON.stringify(stream.redis)}\n      ${other.target.name}: ${JSON.stringify(stream.other)}\n`,
    );
    process.stdout.write(`  again: ${repeat} --case ${stream.index} --commands 1\n`);
  }
  const differences = found.length + streams.length;
  process.stdout.write(
    `${commands} commands in ${cases} cases with seed ${seed}: ${differences} differences\n`,
  );
  return differences === 0 ? 0 : 1;
}

function count(name: "seed" | "commands" | "case" | "most"): number {
  const value = Number(flags[name]);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`--${name} must be a whole number, not ${flags[name]}`);
  return value;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    `diff-redis: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 2;
}
