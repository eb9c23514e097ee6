import type { NodeId } from "@seshat/common";
import type { Configs } from "./joint-config.js";
import { jointQuorumValue } from "./joint-config.js";

/**
 * When the newest message was sent that a quorum has answered, on the leader's clock. Until the least election timeout
 * after that moment the quorum elects nobody else (Raft thesis section 6.4.1); it counts from the sending, because the
 * followers' timeouts began after it.
 *
 * @returns infinity when the leader is a quorum by itself.
 * @param ackedSentAt when the newest message that the peer answered was sent.
 */
export function quorumAckedAt(configs: Configs, self: NodeId, ackedSentAt: (id: NodeId) => number): number {
  return jointQuorumValue(configs, (id) => (id === self ? Number.POSITIVE_INFINITY : ackedSentAt(id)));
}
