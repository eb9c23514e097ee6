import type { RespValue } from "@seshat/resp";

/** What became of operations that were sent together. */
export type Outcome =
  /** One reply for each, in their order. */
  | { readonly type: "done"; readonly replies: readonly RespValue[] }
  /** Certainly not done, and never will be. */
  | { readonly type: "refused"; readonly error: Error }
  /** Done, now or later, or never: nobody can tell. */
  | { readonly type: "unknown"; readonly error: Error };

export type Failure = Exclude<Outcome, { readonly type: "done" }>;
