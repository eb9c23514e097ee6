import type { TypeConfig } from "@seshat/common";
import type { TypeCodec } from "@seshat/common/codec";
import { jsonCodec } from "@seshat/common/codec";
import type { RedisStringReply } from "@seshat/simulator";

/** What a client can write, as the model of Redis strings has it. */
export type WriteInput =
  | { readonly key: string; readonly f: "set" | "append" | "setget"; readonly value: string }
  | { readonly key: string; readonly f: "del" };

/** What a client writes, under a number of its own by which it is found again. */
export interface Write {
  readonly type: "write";
  readonly id: number;
  readonly round: number;
  readonly input: WriteInput;
}

/** Ends a round: its writes are summed up, and the keys of the rounds before it go. */
export interface EndRound {
  readonly type: "end";
  readonly round: number;
}

export type Command = Write | EndRound;

/** The types of the cluster under test. */
export type CrashTypes = TypeConfig<Command, RedisStringReply>;

export const CRASH_CODEC: TypeCodec<CrashTypes> = { command: jsonCodec<Command>() };
