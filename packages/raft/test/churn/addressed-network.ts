import type { BytesTypeConfig, NodeId } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import type { RaftNetwork, RaftNetworkFactory } from "../../src/network/raft-network.js";
import type { Fleet } from "./fleet.js";

/** The in-process network by address: a message to where its target does not listen is lost. */
export function addressedNetwork(fleet: Fleet, from: NodeId): RaftNetworkFactory<BytesTypeConfig> {
  const factory = fleet.network.from(from);
  return {
    connect: (to, node): RaftNetwork<BytesTypeConfig> => {
      const peer = factory.connect(to, node);
      const call = async <T>(send: () => Promise<T>): Promise<T> => {
        fleet.messages += 2;
        if (node.addr !== fleet.addresses.get(to)) {
          await fleet.sleep(1);
          throw new UnreachableError(to, `nobody listens at ${node.addr}`);
        }
        return send();
      };
      return {
        preVote: (request) => call(() => peer.preVote(request)),
        vote: (request) => call(() => peer.vote(request)),
        appendEntries: (request) => call(() => peer.appendEntries(request)),
        installSnapshot: (request) => {
          if (request.offset === 0) fleet.coverage.add("snapshot transfers");
          const answer = call(() => peer.installSnapshot(request));
          answer.catch(() => fleet.coverage.add("snapshot parts lost"));
          return answer;
        },
        timeoutNow: (request) => call(() => peer.timeoutNow(request)),
        readIndex: (request) => call(() => peer.readIndex(request)),
        close: () => peer.close(),
      };
    },
  };
}
