import type { Fleet } from "./fleet.js";
import { POOL } from "./fleet.js";

/** How every node sees itself, a line for each. */
export function describeNodes(fleet: Fleet): string {
  const lines = POOL.map((id) => {
    const node = fleet.running.get(id);
    if (node === undefined) return `node ${id} ${fleet.busy.has(id) ? "starts or stops" : "is down"}`;
    const { state, term, currentLeader, lastLogId, committed, lastApplied, snapshot, purged, ...rest } =
      node.raft.metrics();
    const { membership, storageStalled, transferTarget } = rest;
    const followers = [...(rest.replication ?? [])].map(
      ([to, { mode, matchIndex, inFlight, snapshot: sent, sinceLastAckMs }]) =>
        `${to}: ${mode} ${matchIndex} +${inFlight} ${sent === null ? "" : `${sent.offset}/${sent.size} `}${sinceLastAckMs?.toFixed(0)} ms ago`,
    );
    const { configs, nodes } = membership.membership;
    return [
      `node ${id} ${state} of term ${term} (leader ${currentLeader}), log ${purged.index}-${lastLogId.index}, committed ${committed.index},`,
      `applied ${lastApplied.index}, snapshot ${snapshot.index}, ${JSON.stringify(configs)} of ${[...nodes.keys()].join()} by ${membership.logId.index},`,
      `at ${fleet.addresses.get(id)}, stalled ${storageStalled}, transfer ${transferTarget}; ${followers.join(", ")}`,
    ].join(" ");
  });
  return lines.join("\n");
}
