import type { Logger } from "@seshat/common";
import type { KvStateMachine, NEEDS_TICK } from "@seshat/kv";
import type { RespValue } from "@seshat/resp";
import type { Args } from "./op.js";

/** Reads the state. @param seed for commands that choose at random. */
export type Read = (args: Args, nowMs: number, seed?: number) => RespValue | typeof NEEDS_TICK;

/**
 * Reads a state machine so that what fails, because no memory is to be had for the reply, say, fails alone: it has changed nothing, so the node
 * goes on, and so do the reads beside it.
 */
export function carefulRead(machine: Pick<KvStateMachine, "read">, logger: Logger): Read {
  return (args, nowMs, seed) => {
    try {
      return machine.read(args, nowMs, seed);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      const command = Buffer.from(args[0] ?? []).toString("latin1");
      logger.log("error", "read.failed", { command, error });
      return { type: "error", message: `ERR the read failed: ${error}` };
    }
  };
}
