import type { SeededRandom } from "@seshat/raft/testing";
import type { System, SystemClient } from "../system.js";
import { SimMachine } from "./sim-machine.js";
import type { SimInput, SimOutput } from "./sim-model.js";
import { simModel } from "./sim-model.js";
import type { SimTypes } from "./sim-types.js";

const KINDS = ["register", "counter", "set"] as const;

/** Registers, counters and sets: what is simulated where nothing else is given. */
export const simSystem: System<SimTypes, SimInput, SimOutput> = {
  makeMachine: () => new SimMachine(),
  operation,
  attempts: {
    tag: (command, attempt) => ({ ...command, attempt }),
    of: (command) => command.attempt ?? null,
  },
  toCommand: (input) => (input.op === "get" ? undefined : input),
  read: (machine: SimMachine, input) => machine.read(input.key),
  lastReads: (keys) =>
    KINDS.flatMap((kind) =>
      Array.from({ length: keys }, (_, i) => ({ op: "get", key: `${kind}${i}` }) as const),
    ),
  model: simModel,
};

function operation(random: SeededRandom, client: SystemClient<SimInput, SimOutput>): SimInput {
  const kind = KINDS[Math.floor(random.next() * KINDS.length)] as (typeof KINDS)[number];
  const key = `${kind}${Math.floor(random.next() * client.keys)}`;
  if (random.next() < client.readShare) return { op: "get", key };
  const value = String(Math.floor(random.next() * 1_000_000));
  switch (kind) {
    case "register":
      if (random.next() < 0.6) return { op: "set", key, value: value + ballast(random, client) };
      return { op: "cas", key, expected: lastValue(key, client), value };
    case "counter":
      return { op: "add", key, by: 1 + Math.floor(random.next() * 5) };
    case "set":
      return { op: "insert", key, member: value.slice(0, 2) };
  }
}

function ballast(random: SeededRandom, { largeBytes }: SystemClient<SimInput, SimOutput>): string {
  return largeBytes > 0 && random.next() < 0.125 ? "x".repeat(largeBytes) : "";
}

/** What a register held when this client last heard of it: a compare-and-set that expects it has a chance. */
function lastValue(key: string, { seen }: SystemClient<SimInput, SimOutput>): string | null {
  for (const { input, output } of seen.toReversed()) {
    if (input.key !== key) continue;
    if (input.op === "set") return input.value;
    if (input.op === "get" && (typeof output === "string" || output === null)) return output;
  }
  return null;
}
