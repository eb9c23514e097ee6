import type { RedisStringReply } from "@seshat/simulator";
import type { Command } from "../machine/command.js";
import { JournalMachine } from "../machine/journal-machine.js";

/** Faults that can be built into the nodes, to see that the checks find them. */
export const PLANTS = {
  "early-ack": "a write is acknowledged before it is committed",
  "lost-apply": "a node that has started again leaves out one of the writes that it applies",
  "stale-read": "a read does not ask whether the node still leads",
} as const;

export type Plant = keyof typeof PLANTS;

export function isPlant(name: string): name is Plant {
  return Object.hasOwn(PLANTS, name);
}

/** Leaves out the third write that it is given. */
export class ForgetfulMachine extends JournalMachine {
  #writes = 0;

  override apply(index: number, command: Command): RedisStringReply {
    if (command.type === "write") this.#writes += 1;
    return command.type === "write" && this.#writes === 3 ? "OK" : super.apply(index, command);
  }
}
