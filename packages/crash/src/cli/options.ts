import { parseArgs } from "node:util";
import { oneOf, whole } from "@seshat/chaos";
import type { Plant } from "../node/plants.js";
import { PLANTS, isPlant } from "../node/plants.js";

const plants = Object.entries(PLANTS)
  .map(([name, what]) => `                      ${name.padEnd(12)} ${what}`)
  .join("\n");

export const HELP: string = `Runs a cluster of three real processes on loopback, under load, and kills them with kill -9 at random moments; checks after each round that
every acknowledged write is there, in order, on all nodes, and that the history of the clients is linearizable.

  nodes: the product's nodes under a state machine that keeps a journal: what became of each write, and at which index, is known exactly.
  servers: seshat itself, and Redis clients that set, append, count, delete, and set keys that have an end, through every node.

Usage: pnpm crash [options]

  --target WHAT     nodes (default) or servers
  --rounds N        how many rounds (default 20)
  --seed S          decides who is killed when (default: a random one, which is printed)
  --dir DIR         where the nodes keep their data, an empty or missing directory (default: a temporary one)
  --plant NAME      build a fault in, to see that it is found; servers take early-ack alone:
${plants}
  --json            print the outcome as one JSON object on standard output
  --help            this text

The seed decides what is done. What the processes are doing at that moment is up to the machine, so a failure need not come again by its seed: the
directories of the nodes are kept.

Exit code: 0 all rounds passed, 1 one did not, 2 the options make no sense, 130 interrupted.
`;

const TARGETS = ["nodes", "servers"] as const;

export interface CrashOptions {
  readonly help: boolean;
  /** What is killed. */
  readonly target: (typeof TARGETS)[number];
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
      target: { type: "string" },
      rounds: { type: "string" },
      seed: { type: "string" },
      dir: { type: "string" },
      plant: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const { target = "nodes", rounds, seed, dir = null, plant, json = false, help = false } = values;
  if (dir === "") throw new Error("--dir is empty, but it must be the path of a directory");
  const known = TARGETS.find((each) => each === target);
  if (known === undefined) throw oneOf("--target", target, TARGETS);
  if (plant !== undefined && !isPlant(plant)) throw oneOf("--plant", plant, Object.keys(PLANTS));
  if (known === "servers" && plant !== undefined && plant !== "early-ack") {
    throw new Error(`--plant is ${JSON.stringify(plant)}, but servers can be given early-ack alone`);
  }
  return {
    help,
    target: known,
    rounds: rounds === undefined ? 20 : whole("--rounds", rounds, 1),
    seed: seed === undefined ? null : whole("--seed", seed, 0),
    dir,
    plant: plant ?? null,
    json,
  };
}
