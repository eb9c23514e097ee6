/** A process of its own for `node-processes.test.ts`: one node with the key-value state machine, driven over the channel to its parent. */
import type { BytesTypeConfig } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import { until } from "@seshat/raft";
import { KeyValueStateMachine, encodeOperation } from "@seshat/storage";
import { startNode } from "seshat";
import type { NodeCall } from "./node-process.js";

const [, , id = "", dir = ""] = process.argv;
const utf8 = new TextEncoder();
const kv = new KeyValueStateMachine();
const node = await startNode<BytesTypeConfig>({
  id: Number(id),
  dir,
  address: "127.0.0.1:0",
  stateMachine: kv,
  codec: BYTES_CODEC,
});

async function answer(call: NodeCall): Promise<unknown> {
  switch (call.type) {
    case "initialize":
      return await node.raft.initialize(call.members.map(([member, addr]) => [member, { addr }] as const));
    case "move":
      return await node.raft.changeMembership({
        type: "setNodes",
        nodes: call.members.map(([member, addr]) => [member, { addr }] as const),
      });
    case "set": {
      const data = encodeOperation({
        type: "set",
        key: utf8.encode(call.key),
        value: utf8.encode(call.value),
      });
      return (await node.raft.clientWrite({ data })).logId.index;
    }
    case "get": {
      // One that has just started does not know whom to ask yet.
      await node.raft.wait(until.leader(), 60_000);
      await node.raft.ensureLinearizable({ timeoutMs: 60_000 });
      const value = kv.get(utf8.encode(call.key));
      return value === null ? null : new TextDecoder().decode(value);
    }
    case "leader":
      return node.raft.leaderId();
    case "close":
      return await node.close();
    default:
      throw new Error(`unknown call ${JSON.stringify(call satisfies never)}`);
  }
}

process.on("message", ({ number, call }: { number: number; call: NodeCall }) => {
  answer(call).then(
    (value) =>
      process.send?.({ number, value: value ?? null }, () => call.type === "close" && process.disconnect()),
    (error: unknown) => process.send?.({ number, error: String(error) }),
  );
});
process.send?.({ address: node.address });
