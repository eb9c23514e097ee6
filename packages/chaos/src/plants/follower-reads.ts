import { KvStateMachine } from "@seshat/kv";
import { patch, serverClass } from "./patch.js";

interface ForwardRequest {
  readonly type: "read" | "write";
  readonly ops: readonly (readonly Uint8Array[])[];
}
type Send = (leader: number, address: string, request: ForwardRequest, bytes: number) => Promise<unknown>;

let machine: KvStateMachine | null = null;
patch<KvStateMachine["apply"]>(
  KvStateMachine.prototype,
  "apply",
  (apply) =>
    function applyAndRemember(this: KvStateMachine, index, request) {
      // oxlint-disable-next-line typescript/no-this-alias -- there is one in a process.
      machine = this;
      return apply.call(this, index, request);
    },
);
patch<Send>(
  await serverClass("forward/leader-link.js", "LeaderLink"),
  "send",
  (send) =>
    function sendWritesOnly(this: object, leader, address, request, bytes) {
      const here = machine;
      if (request.type === "write" || here === null) return send.call(this, leader, address, request, bytes);
      return Promise.resolve({
        type: "done",
        replies: request.ops.map((args) => here.read(args, here.clockMs)),
      });
    },
);
