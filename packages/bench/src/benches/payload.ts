import type { BytesTypeConfig, Request, Response } from "@seshat/common";
import type { StateCapture, StateMachine } from "@seshat/storage";
import type { Bench } from "../bench.js";
import { BenchCluster } from "../cluster/bench-cluster.js";
import { memStorage } from "../cluster/mem-storage.js";
import { VerificationError } from "../cluster/tally.js";
import { interleave } from "../load/interleave.js";
import { promiseLimit } from "../load/promise-limit.js";
import { text } from "../statistics/cells.js";
import { SHARE_COLUMNS, SHARE_COMPARED, shareFigures } from "../statistics/figures.js";

const OK: Response = { result: new Uint8Array(0), error: null };

/** Looks at what it gets and keeps none of it. */
class PayloadChecker implements StateMachine<Request, Response> {
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  apply(index: number, { data }: Request): Response {
    // The first and last byte are those of `makeCommands`.
    if (data.length !== this.#bytes || data[0] !== 1 || data[data.length - 1] !== 2)
      throw new VerificationError(`entry ${index} does not hold the bytes that were written`);
    return OK;
  }

  capture(): StateCapture {
    return { chunks: () => [] };
  }

  async restore(): Promise<void> {
    throw new VerificationError("a snapshot was installed in place of entries");
  }
}

/** Each write has bytes of its own, as those that come from a socket. */
function makeCommands(bytes: number): () => Request {
  return () => {
    const data = new Uint8Array(bytes);
    data[0] = 1;
    data[bytes - 1] = 2;
    return { data };
  };
}

/** What the bytes of commands cost. */
export const payload: Bench = {
  name: "payload",
  about: "commands of 100 B and 10 KB, kept by OpenRaftMemStorage",
  keys: ["bytes", "clients"],
  compared: SHARE_COMPARED,
  columns: [text("bytes", "bytes"), text("clients", "clients"), ...SHARE_COLUMNS],
  async *run(settings) {
    for (const bytes of [100, 10_240]) {
      for (const clients of settings.clients ?? [1, 64, 256, 1024]) {
        await using cluster = await BenchCluster.start<BytesTypeConfig>({
          nodes: 3,
          makeStorage: () => memStorage(new PayloadChecker(bytes)),
          config: { maxPendingBytes: 64 * 1024 * 1024 + 2 * bytes * clients },
        });
        const loops = [promiseLimit(clients), cluster.writers(clients, makeCommands(bytes))];
        const [limit = [], raft = []] = await interleave(loops, settings, `${bytes} B, ${clients} clients`);
        const verified = await cluster.verify();
        yield { bench: "payload", nodes: 3, bytes, clients, ...shareFigures(limit, raft), ...verified };
      }
    }
  },
};
