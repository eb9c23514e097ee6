import type { RpcResponse } from "@seshat/common";
import type { RpcCaller } from "../network/raft-network.js";
import { toError } from "./failure.js";
import type { Instruments } from "./instruments.js";

/**
 * Who asked through a network. It is told in the middle of a step, or of the end of the node: what the network throws then is its own
 * failure, which it answers for by losing the message, and not that of this node.
 */
export class CarefulCaller<T> implements RpcCaller<T> {
  readonly #caller: RpcCaller<T>;
  readonly #instruments: Instruments;

  constructor(caller: RpcCaller<T>, instruments: Instruments) {
    this.#caller = caller;
    this.#instruments = instruments;
  }

  resolve(response: RpcResponse<T>): void {
    try {
      this.#caller.resolve(response);
    } catch (thrown) {
      this.#lost(thrown);
    }
  }

  reject(error: Error): void {
    try {
      this.#caller.reject(error);
    } catch (thrown) {
      this.#lost(thrown);
    }
  }

  #lost(thrown: unknown): void {
    this.#instruments.log("warn", "raft.answer.failed", { error: toError(thrown).message });
  }
}
