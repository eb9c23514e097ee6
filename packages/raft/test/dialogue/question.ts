import type { LogEntry, NodeId } from "@seshat/common";
import type {
  Command,
  SendAppendEntriesCommand,
  SendPreVoteCommand,
  SendTimeoutNowCommand,
  SendVoteCommand,
} from "../../src/engine/command.js";
import type { Event } from "../../src/engine/event.js";

/** What one engine asks another. */
export type Kind = "preVote" | "vote" | "append" | "snapshot" | "timeoutNow";

/** A command that asks a peer something, and is answered at once. */
export type Asking = SendPreVoteCommand | SendVoteCommand | SendAppendEntriesCommand | SendTimeoutNowCommand;

/** What is asked: how it arrives there, and how its answer arrives here. */
export interface Question {
  readonly kind: Kind;
  /** It leaves once this write is durable. */
  readonly afterIo: number;
  readonly asked: (rpcId: number) => Event;
  /** Null for a command that is no answer to this. */
  readonly answered: (answer: Command) => Event | null;
}

/**
 * What `command` asks.
 *
 * @param log the asking node's entries, from index 1 on.
 */
export function question(
  from: NodeId,
  command: Asking,
  log: readonly LogEntry<unknown, unknown>[],
): Question {
  switch (command.type) {
    case "sendPreVote":
      return {
        kind: "preVote",
        afterIo: 0,
        asked: (rpcId) => ({ type: "preVoteRequest", rpcId, request: command.request }),
        answered: (answer) =>
          answer.type === "answerPreVote"
            ? {
                type: "preVoteResponse",
                from: command.to,
                requestTerm: command.request.term,
                response: answer.response,
              }
            : null,
      };
    case "sendVote":
      return {
        kind: "vote",
        afterIo: command.afterIo,
        asked: (rpcId) => ({ type: "voteRequest", rpcId, request: command.request }),
        answered: (answer) =>
          answer.type === "answerVote"
            ? {
                type: "voteResponse",
                from: command.to,
                requestTerm: command.request.term,
                response: answer.response,
              }
            : null,
      };
    case "sendTimeoutNow":
      return {
        kind: "timeoutNow",
        afterIo: 0,
        asked: (rpcId) => ({ type: "timeoutNowRequest", rpcId, request: command.request }),
        answered: (answer) =>
          answer.type === "answerTimeoutNow"
            ? {
                type: "timeoutNowAnswered",
                from: command.to,
                requestTerm: command.request.term,
                ...answer.response,
              }
            : null,
      };
    case "sendAppendEntries":
      return appendQuestion(from, command, log);
  }
}

function appendQuestion(
  leaderId: NodeId,
  { to, seq, term, prevLogId, upto, leaderCommit }: SendAppendEntriesCommand,
  log: readonly LogEntry<unknown, unknown>[],
): Question {
  const entries = log.slice(prevLogId.index, upto);
  return {
    kind: "append",
    afterIo: 0,
    asked: (rpcId) => ({
      type: "appendEntriesRequest",
      rpcId,
      request: { term, leaderId, prevLogId, entries, leaderCommit },
    }),
    answered: (answer) =>
      answer.type === "answerAppendEntries"
        ? {
            type: "appendEntriesResponse",
            from: to,
            requestTerm: term,
            seq,
            response: answer.response,
            incarnation: 0,
          }
        : null,
  };
}
