import { isVoter } from "@seshat/common";
import type { Context } from "./context.js";
import { campaign } from "./election.js";
import { membershipOf } from "./membership-state.js";

/** An operator wants this node to stand now. The leader stays what it is, and who does not vote cannot stand. */
export function onElect(ctx: Context): void {
  const { state } = ctx;
  if (state.role.type !== "leader" && isVoter(membershipOf(state), state.id)) campaign(ctx);
}
