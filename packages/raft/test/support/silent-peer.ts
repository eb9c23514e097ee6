import type { BytesTypeConfig } from "@seshat/common";
import type { RaftNetwork } from "../../src/network/raft-network.js";

const never = (): Promise<never> => new Promise(() => {});

/** A connection to a peer that answers nothing. */
export const SILENT_PEER: RaftNetwork<BytesTypeConfig> = {
  preVote: never,
  vote: never,
  appendEntries: never,
  installSnapshot: never,
  timeoutNow: never,
  readIndex: never,
  close: () => {},
};
