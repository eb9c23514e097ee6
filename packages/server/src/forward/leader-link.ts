import type { NodeId } from "@seshat/common";
import type { ForwardConnection, GrpcForwarder } from "@seshat/transport-grpc";
import { failureOf } from "../gateway/failure.js";
import type { Outcome } from "../gateway/outcome.js";
import type { ForwardRequest } from "./forward-codec.js";
import { decodeReplies, encodeForward } from "./forward-codec.js";

/** The way from a follower to whoever leads: one connection, which is given up when another node leads or it moves. */
export class LeaderLink {
  readonly #forwarder: GrpcForwarder;
  readonly #timeoutMs: number;
  #connection: ForwardConnection | null = null;
  #to = "";

  /** @param timeoutMs how long an answer is waited for. */
  constructor(forwarder: GrpcForwarder, timeoutMs: number) {
    this.#forwarder = forwarder;
    this.#timeoutMs = timeoutMs;
  }

  async send(leader: NodeId, address: string, request: ForwardRequest, bytes: number): Promise<Outcome> {
    const payload = encodeForward(request, bytes);
    try {
      const answer = await this.#connect(leader, address).call(payload, { timeoutMs: this.#timeoutMs });
      return { type: "done", replies: decodeReplies(answer, request.ops.length) };
    } catch (thrown) {
      return failureOf(thrown);
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#to = "";
  }

  #connect(leader: NodeId, address: string): ForwardConnection {
    const to = `${leader} ${address}`;
    if (this.#connection === null || this.#to !== to) {
      this.close();
      this.#connection = this.#forwarder.connect(leader, address);
      this.#to = to;
    }
    return this.#connection;
  }
}
