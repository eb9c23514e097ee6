import type { CommandSpec } from "@seshat/kv";
import { NameTable } from "@seshat/kv";
import type { LocalCommand } from "./local-command.js";

/** Who carries a command out: the log, the state machine of the leader, or the server itself. */
export type Route =
  | { readonly route: "write" | "read"; readonly spec: CommandSpec; calls: number }
  | { readonly route: "local"; readonly spec: LocalCommand; calls: number };

/** Every command there is. */
export class CommandTable {
  readonly #byName = new NameTable<Route>();
  readonly #all: Route[] = [];

  constructor(data: readonly CommandSpec[], local: readonly LocalCommand[]) {
    for (const spec of data)
      this.#add({ route: spec.flags.includes("write") ? "write" : "read", spec, calls: 0 });
    for (const spec of local) this.#add({ route: "local", spec, calls: 0 });
  }

  find(name: Uint8Array): Route | null {
    return this.#byName.find(name) ?? null;
  }

  /** All of them, in no order that means anything. */
  get all(): readonly Route[] {
    return this.#all;
  }

  #add(found: Route): void {
    if (this.#byName.add(found.spec.name, found)) this.#all.push(found);
  }
}

/** Whether so many arguments, the name included, are as many as a command takes. */
export function fitsArity({ arity }: CommandSpec, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}
