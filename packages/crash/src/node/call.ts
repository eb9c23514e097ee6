import type { RedisStringReply } from "@seshat/simulator";
import type { Command } from "../machine/command.js";
import type { JournalLine, RoundSum } from "../machine/journal-machine.js";

/** What a node in a process of its own is asked, and what it answers. */
export interface Calls {
  initialize: {
    readonly ask: { readonly members: readonly (readonly [number, string])[] };
    readonly answer: null;
  };
  write: {
    readonly ask: { readonly command: Command };
    /** Index 0 where the node does not know. */
    readonly answer: { readonly index: number; readonly reply: RedisStringReply };
  };
  read: { readonly ask: { readonly key: string }; readonly answer: { readonly reply: RedisStringReply } };
  /** What was applied of a round, once everything up to `index` is. */
  journal: {
    readonly ask: { readonly round: number; readonly index: number };
    readonly answer: { readonly lines: readonly JournalLine[]; readonly sums: readonly RoundSum[] };
  };
  leader: { readonly ask: Readonly<Record<string, never>>; readonly answer: number | null };
  close: { readonly ask: Readonly<Record<string, never>>; readonly answer: null };
}

export type CallName = keyof Calls;
export type Ask<K extends CallName> = Calls[K]["ask"];
export type Answer<K extends CallName> = Calls[K]["answer"];

/** A call on its way to the process. */
export type Question = {
  [K in CallName]: { readonly number: number; readonly name: K; readonly ask: Ask<K> };
}[CallName];

/** What went wrong, as far as a client has to know it. */
export interface CallFailure {
  readonly message: string;
  /** True when it may have taken effect all the same. */
  readonly unknown: boolean;
}

/** What comes back: the address of a node that has started, or what became of a call. */
export type Reply =
  | { readonly type: "started"; readonly address: string }
  | { readonly type: "answer"; readonly number: number; readonly answer: unknown }
  | { readonly type: "failure"; readonly number: number; readonly failure: CallFailure };
