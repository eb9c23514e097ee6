import { parseArgs } from "node:util";
import type { Plant } from "../plants/plants.js";
import { PLANTS, isPlant } from "../plants/plants.js";
import { SCENARIOS } from "../scenario/scenarios.js";
import { oneOf, whole } from "./values.js";

const list = (entries: readonly (readonly [string, string])[]): string =>
  entries.map(([name, what]) => `                      ${name.padEnd(28)} ${what}`).join("\n");

export const HELP: string = `Runs clusters of three real seshat processes under load, lets things happen to them, and checks that what their clients were told is linearizable,
that all nodes end with the same data, and that nothing that was acknowledged is lost.

Usage: pnpm chaos [options]

  --scenario NAME     one of these, as often as you like (default: all of them):
${list(SCENARIOS.map(({ name, what }) => [name, what]))}
  --rounds N          how often each (default 1)
  --seed S            decides what is drawn (default: a random one, which is printed)
  --network KIND      namespaces: each node in a network of its own, cut by packet filters; proxies: all on loopback, with proxies between them
                      (default: namespaces where this machine and user may make them; 100 ms latency is always made by proxies)
  --plant NAME        build a fault into the servers, to see that it is found:
${list(Object.entries(PLANTS))}
  --dir DIR           where nodes keep data, configuration and logs, an empty or missing directory (default: a temporary one)
  --json              print the outcome as one JSON object on standard output
  --help              this text

The seed decides what is done. What the processes are doing at that moment is up to the machine, so a failure need not come again by its seed: the directories
of the nodes are kept.

Exit code: 0 everything held, 1 something did not, 2 the options make no sense, 130 interrupted.
`;

export interface ChaosOptions {
  readonly help: boolean;
  /** By name, in the order of the matrix. */
  readonly scenarios: readonly string[];
  readonly rounds: number;
  /** Null for a random one. */
  readonly seed: number | null;
  /** Null for the best that there is. */
  readonly network: "namespaces" | "proxies" | null;
  readonly plant: Plant | null;
  /** Null for a temporary one. */
  readonly dir: string | null;
  readonly json: boolean;
}

/** @throws {Error} that says what is wrong with the command line. */
export function parseOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: "string", multiple: true },
      rounds: { type: "string" },
      seed: { type: "string" },
      network: { type: "string" },
      plant: { type: "string" },
      dir: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const { scenario, rounds, seed, network, plant, dir = null, json = false, help = false } = values;
  const names = SCENARIOS.map(({ name }) => name);
  for (const name of scenario ?? []) if (!names.includes(name)) throw oneOf("--scenario", name, names);
  if (plant !== undefined && !isPlant(plant)) throw oneOf("--plant", plant, Object.keys(PLANTS));
  if (network !== undefined && network !== "namespaces" && network !== "proxies") {
    throw oneOf("--network", network, ["namespaces", "proxies"]);
  }
  if (dir === "") throw new Error("--dir is empty, but it must be the path of a directory");
  return {
    help,
    scenarios: scenario === undefined ? names : names.filter((name) => scenario.includes(name)),
    rounds: rounds === undefined ? 1 : whole("--rounds", rounds, 1),
    seed: seed === undefined ? null : whole("--seed", seed, 0),
    network: network ?? null,
    plant: plant ?? null,
    dir,
    json,
  };
}
