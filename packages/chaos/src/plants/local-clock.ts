import { KvStateMachine, decodeKvEntry, encodeKvEntry } from "@seshat/kv";
import { patch } from "./patch.js";

type Apply = KvStateMachine["apply"];

patch<Apply>(
  KvStateMachine.prototype,
  "apply",
  (apply) =>
    function applyByLocalClock(this: KvStateMachine, index, { data }) {
      return apply.call(this, index, { data: encodeKvEntry({ ...decodeKvEntry(data), timeMs: Date.now() }) });
    },
);
