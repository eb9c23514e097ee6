import type { StateCapture } from "@seshat/storage";
import { KeyValueStateMachine } from "@seshat/storage";

/** The key-value state machine, counting the snapshots that were written out whole. */
export class CountingStateMachine extends KeyValueStateMachine {
  #snapshotsTaken = 0;

  /** Snapshots taken since this object was made. */
  get snapshotsTaken(): number {
    return this.#snapshotsTaken;
  }

  override capture(): StateCapture {
    const capture = super.capture();
    return { chunks: () => this.#countAtEnd(capture.chunks()) };
  }

  async *#countAtEnd(chunks: ReturnType<StateCapture["chunks"]>): AsyncGenerator<Uint8Array> {
    yield* chunks;
    this.#snapshotsTaken += 1;
  }
}
