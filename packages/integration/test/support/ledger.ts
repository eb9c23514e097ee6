import { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { ResponseCodec, StateCapture, StateMachine } from "@seshat/storage";

const numberCodec: ResponseCodec<number> = {
  encode: (value) => new ByteWriter(8).u64(value).finish(),
  decode: (bytes) => new ByteReader("number", bytes).u64(),
};

/** Writes down every command it applies: what is there twice was applied twice. */
export class Ledger implements StateMachine<number, number> {
  applied: number[] = [];
  readonly responseCodec: ResponseCodec<number> = numberCodec;

  apply(_index: number, command: number): number {
    this.applied.push(command);
    return this.applied.length;
  }

  capture(): StateCapture {
    const writer = new ByteWriter();
    for (const command of this.applied) writer.u64(command);
    const bytes = writer.finish();
    return { chunks: () => [bytes] };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const applied: number[] = [];
    for await (const chunk of chunks) {
      const reader = new ByteReader("ledger", chunk);
      while (reader.remaining > 0) applied.push(reader.u64());
    }
    this.applied = applied;
  }
}

/** Clients that write without a pause, each command once. */
export interface Load {
  /** The commands that were answered, in the order of the answers. */
  readonly acknowledged: readonly number[];
  /** Begins no further write. @returns once those under way are answered. */
  stop(): Promise<unknown>;
}

/** Sets `clients` writing: the commands are 1, 2, 3 and so on. */
export function startLoad(clients: number, write: (command: number) => Promise<unknown>): Load {
  const acknowledged: number[] = [];
  let next = 1;
  let loading = true;
  const client = async (): Promise<void> => {
    while (loading) {
      const command = next++;
      await write(command);
      acknowledged.push(command);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    acknowledged,
    stop: () => {
      loading = false;
      return running;
    },
  };
}
