import type { RespValue } from "@seshat/resp";

/** What became of operations that were sent together. */
export type Outcome =
  /** One reply for each, in their order. */
  | { readonly type: "done"; readonly replies: readonly RespValue[] }
  /** Certainly not done, and never will be. With `isFinal` it would be refused again, however often it is tried. */
  | { readonly type: "refused"; readonly error: Error; readonly isFinal?: boolean }
  /** Done, now or later, or never: nobody can tell. */
  | { readonly type: "unknown"; readonly error: Error };

export type Failure = Exclude<Outcome, { readonly type: "done" }>;
