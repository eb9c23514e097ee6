import { ErrorReply, NoReplyError } from "./redis-connection.js";

/** What a client knows of what it asked for. */
export interface ClientOutcome {
  readonly type: "ok" | "unknown" | "refused";
  /** What came back when it is `ok`. */
  readonly reply: string | null;
}

/** Replies that promise that a write was not made and never will be. */
const REFUSALS: ReadonlySet<string> = new Set(["NOQUORUM", "CLUSTERDOWN", "TRYAGAIN"]);
/** Replies that say that nobody can tell. */
const UNKNOWNS: ReadonlySet<string> = new Set(["TIMEOUT", "UNKNOWN"]);

/** @throws what is neither: a server that answers with an error that no client can make anything of. */
export async function outcomeOf(reply: Promise<string | null>, isRead: boolean): Promise<ClientOutcome> {
  try {
    return { type: "ok", reply: await reply };
  } catch (error) {
    const isUnknown =
      error instanceof NoReplyError || (error instanceof ErrorReply && UNKNOWNS.has(error.code));
    const isRefused = error instanceof ErrorReply && REFUSALS.has(error.code);
    if (!isUnknown && !isRefused) throw error;
    // A read has no effect, answered or not.
    return { type: isUnknown && !isRead ? "unknown" : "refused", reply: null };
  }
}
