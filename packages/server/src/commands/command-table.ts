import type { CommandSpec } from "@seshat/kv";
import type { LocalCommand } from "./local-command.js";

/** Who carries a command out: the log, the state machine of the leader, or the server itself. */
export type Route =
  | { readonly route: "write" | "read"; readonly spec: CommandSpec; calls: number }
  | { readonly route: "local"; readonly spec: LocalCommand; calls: number };

interface Entry {
  readonly name: Uint8Array;
  readonly found: Route;
}

const UPPER_A = 65;
const UPPER_Z = 90;
const TO_LOWER = 32;
const SLOTS = 4096;

/** Every command there is. Looked up by the bytes of a name, in whatever case, without making a string of them. */
export class CommandTable {
  readonly #slots: Entry[][] = Array.from({ length: SLOTS }, () => []);
  readonly #all: Route[] = [];

  constructor(data: readonly CommandSpec[], local: readonly LocalCommand[]) {
    for (const spec of data)
      this.#add({ route: spec.flags.includes("write") ? "write" : "read", spec, calls: 0 });
    for (const spec of local) this.#add({ route: "local", spec, calls: 0 });
  }

  find(name: Uint8Array): Route | null {
    const slot = this.#slots[slotOf(name)] as Entry[];
    for (const entry of slot) if (isSame(entry.name, name)) return entry.found;
    return null;
  }

  /** All of them, in no order that means anything. */
  get all(): readonly Route[] {
    return this.#all;
  }

  #add(found: Route): void {
    const name = Buffer.from(found.spec.name, "latin1");
    if (this.find(name) !== null) return;
    (this.#slots[slotOf(name)] as Entry[]).push({ name, found });
    this.#all.push(found);
  }
}

function slotOf(name: Uint8Array): number {
  let hash = name.length;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + ((name[i] as number) | TO_LOWER)) | 0;
  return (hash ^ (hash >>> 12)) & (SLOTS - 1);
}

/** @param lower in lower case. */
function isSame(lower: Uint8Array, name: Uint8Array): boolean {
  if (lower.length !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const byte = name[i] as number;
    if (lower[i] !== (byte >= UPPER_A && byte <= UPPER_Z ? byte + TO_LOWER : byte)) return false;
  }
  return true;
}

/** Whether so many arguments, the name included, are as many as a command takes. */
export function fitsArity({ arity }: CommandSpec, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}
