import type { NodeId } from "@seshat/common";
import type { EngineStep } from "@seshat/raft";
import { Violation } from "./violation.js";

/** C4, as far as the engine can keep it: a linearizable read is served at an index that holds all that was committed when it came. */
export class ReadRules {
  /** What was committed when a read came, by node and request. */
  readonly #floors = new Map<NodeId, Map<number, number>>();

  /** A life of a node begins: nobody waits. */
  restart(id: NodeId): void {
    this.#floors.delete(id);
  }

  /** @param committed the highest index that was committed anywhere. */
  step(name: string, { event, commands, state }: EngineStep, committed: number): void {
    let floors = this.#floors.get(state.id);
    if (event.type === "readIndex") {
      if (floors === undefined) {
        floors = new Map();
        this.#floors.set(state.id, floors);
      }
      floors.set(event.requestId, committed);
    }
    if (floors === undefined || floors.size === 0) return;
    for (const command of commands) {
      if (command.type === "refuseReads") floors.delete(command.requestId);
      if (command.type !== "readReady") continue;
      const floor = floors.get(command.requestId) ?? 0;
      floors.delete(command.requestId);
      if (command.readIndex.index < floor) {
        throw new Violation(
          "C4 reads see what was committed before them",
          `${name} serves a read at ${command.readIndex.index}, and ${floor} was committed when it came`,
        );
      }
    }
  }
}
