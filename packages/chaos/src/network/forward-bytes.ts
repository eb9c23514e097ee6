import type { Socket } from "node:net";
import type { Gate } from "./gate.js";

/** What may be under way before more is taken, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Brings what `from` says to `to`, in order, each piece `gate.delayMs` after it came, and none while the gate is shut: what is said meanwhile comes
 * late, as it does when TCP sends it again. The end of a connection is said in the same way.
 */
export function forwardBytes(from: Socket, to: Socket, gate: Gate): void {
  let [line, bytes] = [Promise.resolve(), 0];
  const pass = (act: () => void): void => {
    const due = performance.now() + gate.delayMs;
    line = line.then(async () => {
      const left = due - performance.now();
      if (left > 0) await new Promise((resolve) => void setTimeout(resolve, left));
      await gate.passed();
      act();
    });
  };
  from.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) from.pause();
    pass(() => {
      bytes -= chunk.length;
      if (bytes <= MAX_BYTES) from.resume();
      if (!to.destroyed) to.write(chunk);
    });
  });
  from.on("end", () => pass(() => to.end()));
  from.on("error", () => {});
  from.on("close", () => pass(() => to.destroy()));
}
