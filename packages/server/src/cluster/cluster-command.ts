import type { NodeId } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import type { Client } from "../client/client.js";
import { CommandError, wrongArity } from "../commands/command-error.js";
import type { LocalReply } from "../commands/local-command.js";
import { OK, bulk, word } from "../commands/text.js";
import { unknownSubcommand } from "../commands/unknown-command.js";
import type { Args } from "../gateway/op.js";
import type { ServerNode } from "../node/type-config.js";
import type { ServerContext } from "../server/context.js";
import { hostAndPort } from "./host-and-port.js";
import { SLOTS, keySlot } from "./key-slot.js";

/** CLUSTER, for clients of Redis Cluster: one shard, whose master is the leader and whose replicas are the other voters. */
export function runCluster(_client: Client, args: Args, server: ServerContext): LocalReply {
  switch (word(args, 1)) {
    case "info":
      return { type: "verbatim", format: "txt", text: bulk(info(server)) };
    case "nodes":
      return { type: "verbatim", format: "txt", text: bulk(nodes(server)) };
    case "slots":
      return slots(server);
    case "shards":
      return shards(server);
    case "myid":
      return bulk(nameOf(server.node.raft.id));
    case "keyslot":
      if (args.length !== 3) throw wrongArity("cluster|keyslot");
      return keySlot(args[2] as Uint8Array);
    default:
      throw new CommandError(unknownSubcommand(args));
  }
}

/** READONLY: reads of this connection see the state of this node as it is, which may be old. READWRITE takes that back. */
export function readOnly(isOn: boolean): (client: Client) => LocalReply {
  return ({ state }) => {
    state.readsLocally = isOn;
    return OK;
  };
}

interface Member {
  readonly id: NodeId;
  readonly node: ServerNode;
  readonly isLeader: boolean;
  readonly isSelf: boolean;
}

/** The leader first. */
function members({ node }: ServerContext): Member[] {
  const { membership, currentLeader, id: self } = node.raft.metrics();
  const all = [...membership.membership.nodes].map(([id, member]) => ({
    id,
    node: member,
    isLeader: id === currentLeader,
    isSelf: id === self,
  }));
  return all.sort((a, b) => Number(b.isLeader) - Number(a.isLeader) || a.id - b.id);
}

/** Redis names nodes by 40 hexadecimal digits. */
function nameOf(id: NodeId): string {
  return id.toString(16).padStart(40, "0");
}

function info(server: ServerContext): string {
  const { term, currentLeader, membership } = server.node.raft.metrics();
  const fields: Readonly<Record<string, string | number>> = {
    cluster_state: currentLeader === null ? "fail" : "ok",
    cluster_slots_assigned: SLOTS,
    cluster_slots_ok: currentLeader === null ? 0 : SLOTS,
    cluster_slots_pfail: 0,
    cluster_slots_fail: currentLeader === null ? SLOTS : 0,
    cluster_known_nodes: membership.membership.nodes.size,
    cluster_size: 1,
    cluster_current_epoch: term,
    cluster_my_epoch: term,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join("");
}

function nodes(server: ServerContext): string {
  const { term, currentLeader } = server.node.raft.metrics();
  const lines = members(server).map(({ id, node, isLeader, isSelf }) => {
    const [, bus] = hostAndPort(node.addr);
    const flags = `${isSelf ? "myself," : ""}${isLeader ? "master" : "slave"}`;
    const master = isLeader || currentLeader === null ? "-" : nameOf(currentLeader);
    const served = isLeader ? ` 0-${SLOTS - 1}` : "";
    return `${nameOf(id)} ${node.clientAddr}@${bus} ${flags} ${master} 0 0 ${term} connected${served}\n`;
  });
  return lines.join("");
}

function slots(server: ServerContext): RespValue {
  const all = members(server);
  if (all[0]?.isLeader !== true) return [];
  return [
    [
      0,
      SLOTS - 1,
      ...all.map(({ id, node }) => {
        const [host, port] = hostAndPort(node.clientAddr);
        return [bulk(host), Number(port), bulk(nameOf(id)), []];
      }),
    ],
  ];
}

function shards(server: ServerContext): RespValue {
  const map = (entries: readonly (readonly [string, RespValue])[]): RespValue => ({
    type: "map",
    entries: entries.map(([name, value]) => [bulk(name), value] as const),
  });
  const all = members(server);
  const { lastApplied } = server.node.raft.metrics();
  return [
    map([
      ["slots", all[0]?.isLeader === true ? [0, SLOTS - 1] : []],
      [
        "nodes",
        all.map(({ id, node, isLeader }) => {
          const [host, port] = hostAndPort(node.clientAddr);
          return map([
            ["id", bulk(nameOf(id))],
            ["port", Number(port)],
            ["ip", bulk(host)],
            ["endpoint", bulk(host)],
            ["role", bulk(isLeader ? "master" : "replica")],
            ["replication-offset", lastApplied.index],
            ["health", bulk("online")],
          ]);
        }),
      ],
    ]),
  ];
}
