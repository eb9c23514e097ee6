import type { StateCapture, StateMachine } from "../state-machine.js";

/** Runs one synchronous call to a state machine, perhaps in another environment than usual. */
export type Surround = <T>(act: () => T) => T;

export const asItIs: Surround = (act) => act();

/** All bytes that a capture writes. Each of its turns runs within `surround`. */
export async function bytesOf(capture: StateCapture, surround: Surround = asItIs): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const source = surround(() => {
    const content = capture.chunks();
    return Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
  });
  for (;;) {
    const next = await surround(() => source.next());
    if (next.done === true) break;
    chunks.push(next.value.slice());
  }
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Restores a state from bytes that come in pieces of `pieceBytes`. */
export async function restoreFrom<D, R>(
  machine: StateMachine<D, R>,
  bytes: Uint8Array,
  pieceBytes = 1000,
): Promise<void> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
  }
  await machine.restore(pieces());
}
