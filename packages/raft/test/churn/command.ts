import { decodeOperation } from "@seshat/storage";
import { text } from "../support/values.js";

const ID_PREFIX = "#";

/** A command, and what it does. `id` is its own and nobody else's. */
export interface Command {
  readonly id: string;
  readonly key: string;
  readonly value: string | null;
}

const PADDING = ".".repeat(48);

/** The value that the command `id` sets: it names the command, so that what is read says who wrote it. */
export function valueOf(id: string): string {
  return `${id} ${PADDING}`;
}

/** The keys that the command `id` deletes: the second one is never there, and names the command. */
export function deletedKeys(key: string, id: string): [string, string] {
  return [key, ID_PREFIX + id];
}

/** Reads a command that a client has written. */
export function readCommand(data: Uint8Array): Command {
  const operation = decodeOperation(data);
  if (operation.type === "del") {
    const [key, id] = operation.keys.map((bytes) => text(bytes) as string) as [string, string];
    return { id: id.slice(ID_PREFIX.length), key, value: null };
  }
  const value = text(operation.value) as string;
  return { id: value.slice(0, value.indexOf(" ")), key: text(operation.key) as string, value };
}
