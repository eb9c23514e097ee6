import { compareLogIds } from "@seshat/common";
import type { Context } from "./context.js";
import { campaign } from "./election.js";
import type { TimeoutNowRequestEvent } from "./event.js";
import { mayStand } from "./role.js";

/**
 * The leader hands over to this node: it stands at once, without waiting for its timeout or asking for pre-votes (Raft thesis section
 * 3.10). Only for the leader it follows, with the whole log.
 */
export function onTimeoutNow(ctx: Context, event: TimeoutNowRequestEvent): void {
  const { state } = ctx;
  const { role, vote, log } = state;
  const { request, rpcId } = event;
  const accepted =
    role.type === "follower" &&
    role.leaderId === request.leaderId &&
    vote.term === request.term &&
    mayStand(state) &&
    compareLogIds(log.last, request.lastLogId) >= 0;
  ctx.out.push({
    type: "answerTimeoutNow",
    rpcId,
    response: { term: vote.term, accepted },
    afterIo: state.io.issued,
  });
  if (accepted) campaign(ctx, true);
}
