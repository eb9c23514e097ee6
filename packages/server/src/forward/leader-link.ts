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
  #leader: NodeId | null = null;
  #address = "";
  /** Requests without an answer on this connection. */
  #underWay = 0;

  /** @param timeoutMs how long an answer is waited for. */
  constructor(forwarder: GrpcForwarder, timeoutMs: number) {
    this.#forwarder = forwarder;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Whether requests may go to `leader`: nothing is under way to another node, which may still answer. What goes elsewhere meanwhile could
   * take effect before it.
   */
  isFreeFor(leader: NodeId): boolean {
    return this.#underWay === 0 || this.#leader === leader;
  }

  /** @returns of reads perhaps the replies to the first ones only: no more of them fit into an answer. */
  async send(leader: NodeId, address: string, request: ForwardRequest, bytes: number): Promise<Outcome> {
    const payload = encodeForward(request, bytes);
    const connection = this.#connect(leader, address);
    this.#underWay += 1;
    try {
      const answer = await connection.call(payload, { timeoutMs: this.#timeoutMs });
      return { type: "done", replies: decodeReplies(answer, request.ops.length, request.type === "read") };
    } catch (thrown) {
      return failureOf(thrown);
    } finally {
      // One that was given up has taken its requests with it.
      if (this.#connection === connection) this.#underWay -= 1;
    }
  }

  /** Gives the connection up: what is under way on it has an unknown outcome. */
  close(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#leader = null;
    this.#underWay = 0;
  }

  #connect(leader: NodeId, address: string): ForwardConnection {
    if (this.#connection !== null && this.#leader === leader && this.#address === address) {
      return this.#connection;
    }
    this.close();
    const connection = this.#forwarder.connect(leader, address);
    this.#connection = connection;
    this.#leader = leader;
    this.#address = address;
    return connection;
  }
}
