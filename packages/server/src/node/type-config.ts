import type { BasicNode, Request, TypeConfig } from "@seshat/common";
import type { TypeCodec } from "@seshat/common/codec";
import { BYTES_CODEC, jsonCodec } from "@seshat/common/codec";
import type { KvResponse } from "@seshat/kv";

/** A member of a cluster of servers. */
export interface ServerNode extends BasicNode {
  /** Where other nodes reach it: `host:port`. */
  readonly addr: string;
  /** Where clients reach it: `host:port`. */
  readonly clientAddr: string;
}

/** What the nodes of the server replicate. */
export type ServerTypeConfig = TypeConfig<Request, KvResponse, ServerNode>;

/** How that is written, on disk and between nodes. */
export const SERVER_CODEC: TypeCodec<ServerTypeConfig> = {
  command: BYTES_CODEC.command,
  node: jsonCodec<ServerNode>(),
};
