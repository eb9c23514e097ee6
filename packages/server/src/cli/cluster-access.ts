import type { ServerStatus } from "../admin/status.js";
import { CliError } from "./exit-codes.js";
import type { Target } from "./resp-connection.js";
import { ReplyError, RespConnection, textOf } from "./resp-connection.js";

/** What the server at `target` says of itself and its cluster. */
export async function statusOf(target: Target): Promise<ServerStatus> {
  using connection = await RespConnection.open(target);
  return JSON.parse(textOf(await connection.call("SESHAT", "STATUS"))) as ServerStatus;
}

/** How often another node is asked that is said to lead. */
const MAX_HOPS = 5;
const PAUSE_MS = 300;

/**
 * Does something on the leader of the cluster that `target` belongs to: found by asking who it is, and again when that has changed meanwhile.
 *
 * @throws {CliError} when there is none.
 */
export async function onLeader<T>(
  target: Target,
  act: (connection: RespConnection) => Promise<T>,
): Promise<T> {
  let address = target.address;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const status = await statusOf({ ...target, address });
    const leader = status.members.find(({ id }) => id === status.leaderId);
    if (leader !== undefined) {
      if (leader.id !== status.id) address = leader.clientAddr;
      using connection = await RespConnection.open({ ...target, address });
      try {
        return await act(connection);
      } catch (error) {
        if (!(error instanceof ReplyError) || error.code !== "NOTLEADER") throw error;
      }
    }
    await new Promise((resolve) => {
      setTimeout(resolve, PAUSE_MS);
    });
  }
  throw new CliError(`the cluster of ${target.address} has no leader`);
}
