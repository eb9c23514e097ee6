import type { Round } from "../load/closed-loop.js";

/** What a process of `long-log` is told to do. */
export type LongLogOrder = { readonly type: "round"; readonly seconds: number } | { readonly type: "verify" };

/** What it answers; `ready` once its log is filled. */
export type LongLogAnswer =
  | { readonly type: "ready" }
  | { readonly type: "round"; readonly limit: Round; readonly raft: Round }
  /** How many entries the log of the leader keeps. */
  | { readonly type: "verified"; readonly kept: number }
  | { readonly type: "failed"; readonly message: string };
