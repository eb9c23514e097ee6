import { Work, matchesGlob } from "@seshat/kv";
import { CommandError } from "./command-error.js";

/**
 * Compares names with the patterns of one command: of all of them together, no more than one command may do.
 *
 * @returns what throws a `CommandError` when it is more.
 */
export function boundedGlob(): (pattern: Uint8Array, name: Uint8Array) => boolean {
  const work = new Work();
  work.begin();
  return (pattern, name) => {
    try {
      return matchesGlob(pattern, name, work);
    } catch (thrown) {
      throw new CommandError((thrown as Error).message);
    }
  };
}
