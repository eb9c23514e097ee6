import { patch, serverClass } from "./patch.js";

interface Write {
  readonly type: string;
  readonly args?: readonly Uint8Array[];
}
interface Outcome {
  readonly type: string;
  readonly replies?: readonly unknown[];
}
type Submit = (ops: readonly Write[], bytes: number) => Promise<Outcome>;

/** How much later than its answer a write is begun, in milliseconds: a quick disk would leave too little time for a kill between the two. */
const LATE_MS = 20;
const OK = { type: "simple", text: "OK" };

patch<Submit>(
  await serverClass("gateway/local-writer.js", "LocalWriter"),
  "submit",
  (submit) =>
    function submitAndAnswer(this: object, ops, bytes) {
      const isPlain =
        ops.length > 0 &&
        ops.every(({ type, args }) => type === "command" && args?.length === 3 && isSet(args[0]));
      if (!isPlain) return submit.call(this, ops, bytes);
      setTimeout(() => void submit.call(this, ops, bytes).catch(() => {}), LATE_MS);
      return Promise.resolve({ type: "done", replies: ops.map(() => OK) });
    },
);

function isSet(name: Uint8Array | undefined): boolean {
  return (
    Buffer.from(name ?? [])
      .toString("latin1")
      .toUpperCase() === "SET"
  );
}
