/** Faults that can be built into the servers from outside, to see that the scenarios find them. Each is a module that their processes load first. */
export const PLANTS = {
  "follower-reads": "a node that does not lead answers reads out of what it has",
  "unconfirmed-reads": "a read does not ask whether the node still leads",
  "early-ack": "a SET is acknowledged before it is committed",
  "forward-twice":
    "a write that was forwarded, and of which nobody knows, is taken for one that was not made",
  "local-clock": "the clock of the machine decides what has expired, and not the time in the log",
} as const;

export type Plant = keyof typeof PLANTS;

export function isPlant(name: string): name is Plant {
  return Object.hasOwn(PLANTS, name);
}

/** The module to load. */
export function plantModule(plant: Plant): string {
  return new URL(`./${plant}.js`, import.meta.url).href;
}
