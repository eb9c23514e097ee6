import type { Readable } from "node:stream";

/**
 * Takes the keys of a terminal away from its line editor, which would write them into the next line.
 *
 * @param onKey called at each key, and when the input ends.
 * @returns how to give them back.
 */
export function borrowKeys(input: Readable, onKey: () => void): () => void {
  const listeners = input.listeners("keypress") as ((...args: unknown[]) => void)[];
  input.removeAllListeners("keypress");
  const events = ["keypress", "end", "close"];
  for (const event of events) input.on(event, onKey);
  return () => {
    for (const event of events) input.off(event, onKey);
    for (const listener of listeners) input.on("keypress", listener);
  };
}
