import { parseArgs } from "node:util";
import type { Plant } from "../node/plants.js";
import { PLANTS, isPlant } from "../node/plants.js";

const plants = Object.entries(PLANTS)
  .map(([name, what]) => `                      ${name.padEnd(12)} ${what}`)
  .join("\n");

export const HELP: string = `Runs a cluster of three real processes on loopback, under load, and kills them with kill -9 at random moments; checks after each round that
every acknowledged write is there, in order, on all nodes, and that the history of the clients is linearizable.

Usage: pnpm crash [options]

  --rounds N        how many rounds (default 20)
  --seed S          decides who is killed when (default: a random one, which is printed)
  --dir DIR         where the nodes keep their data, an empty or missing directory (default: a temporary one)
  --plant NAME      build a fault into the nodes, to see that it is found:
${plants}
  --json            print the outcome as one JSON object on standard output
  --help            this text

The seed decides what is done. What the processes are doing at that moment is up to the machine, so a failure need not come again by its seed: the
directories of the nodes are kept.

Exit code: 0 all rounds passed, 1 one did not, 2 the options make no sense, 130 interrupted.
`;

export interface CrashOptions {
  readonly help: boolean;
  readonly rounds: number;
  /** Null for a random one. */
  readonly seed: number | null;
  /** Null for a temporary one. */
  readonly dir: string | null;
  readonly plant: Plant | null;
  readonly json: boolean;
}

/** @throws {Error} that says what is wrong with the command line. */
export function parseOptions(args: readonly string[]): CrashOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string" },
      seed: { type: "string" },
      dir: { type: "string" },
      plant: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const { rounds, seed, dir = null, plant, json = false, help = false } = values;
  if (dir === "") throw new Error("--dir is empty, but it must be the path of a directory");
  if (plant !== undefined && !isPlant(plant)) {
    throw new Error(
      `--plant is ${JSON.stringify(plant)}, but it must be one of ${Object.keys(PLANTS).join(", ")}`,
    );
  }
  return {
    help,
    rounds: rounds === undefined ? 20 : whole("--rounds", rounds, 1),
    seed: seed === undefined ? null : whole("--seed", seed, 0),
    dir,
    plant: plant ?? null,
    json,
  };
}

function whole(option: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < min) {
    throw new Error(`${option} is ${JSON.stringify(text)}, but it must be a whole number from ${min} on`);
  }
  return value;
}
