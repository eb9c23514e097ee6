import type { NodeId, RequestHeader, RpcRequest, RpcResponse } from "@seshat/common";
import { expect } from "vitest";
import { DEFAULT_RAFT_CONFIG } from "../../src/config.js";

/** A request as a peer sends it that runs on a store of its own, and does not know on which the other one runs. */
export function addressed<T>(
  from: NodeId,
  to: NodeId,
  request: T,
  header: Partial<RequestHeader> = {},
): RpcRequest<T> {
  const { clusterId } = DEFAULT_RAFT_CONFIG;
  return {
    ...request,
    header: { clusterId, from, incarnation: 1000 + from, to, toIncarnation: 0, ...header },
  };
}

/** What an answer says, without who gave it. */
export function unaddressed<T>(response: RpcResponse<T>): Omit<RpcResponse<T>, "header"> {
  const { header, ...answer } = response;
  expect(header.from).toBeGreaterThan(0);
  return answer;
}
