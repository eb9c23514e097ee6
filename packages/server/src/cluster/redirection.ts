import type { CommandSpec } from "@seshat/kv";
import { keysOf } from "@seshat/kv";
import type { Raft } from "@seshat/raft";
import type { Args } from "../gateway/op.js";
import type { ServerTypeConfig } from "../node/type-config.js";
import { keySlot } from "./key-slot.js";

/** What a client is told that wants to go to the leader itself; null when it is here, or the command has no key to go by. */
export function redirection(raft: Raft<ServerTypeConfig>, spec: CommandSpec, args: Args): string | null {
  if (raft.isLeader()) return null;
  const [key] = keysOf(spec, args);
  if (key === undefined) return null;
  const leader = raft.leaderId();
  const address =
    leader === null ? undefined : raft.metrics().membership.membership.nodes.get(leader)?.clientAddr;
  if (address === undefined) return "CLUSTERDOWN The cluster has no leader";
  return `MOVED ${keySlot(key)} ${address}`;
}
