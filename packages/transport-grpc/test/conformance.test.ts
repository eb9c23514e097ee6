import type { BytesTypeConfig } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import type { TransportFactory } from "@seshat/raft/conformance";
import { transportConformance } from "@seshat/raft/conformance";
import { describe, expect, test } from "vitest";
import type { GrpcListener } from "../src/index.js";
import { grpcNetwork, listenGrpc } from "../src/index.js";

const factory: TransportFactory<BytesTypeConfig> = {
  create: () => {
    const listeners: GrpcListener[] = [];
    return {
      async start(_id, handlers, at) {
        const listener = await listenGrpc<BytesTypeConfig>({
          raft: handlers,
          codec: BYTES_CODEC,
          address: at?.addr ?? "127.0.0.1:0",
        });
        listeners.push(listener);
        return {
          node: { addr: listener.address },
          network: grpcNetwork<BytesTypeConfig>({ codec: BYTES_CODEC }),
          stop: () => listener.close(),
        };
      },
      // Discard, which nobody offers.
      nowhere: () => ({ addr: "127.0.0.1:9" }),
      async dispose() {
        await Promise.all(listeners.map((listener) => listener.close()));
      },
    };
  },
  command: (data) => ({ data }),
  node: (id) => ({ addr: `10.0.0.${id}:7000` }),
};

describe("a transport over gRPC", () => {
  for (const { group, name, run } of transportConformance(factory, { rounds: 30 })) {
    test(`${group}: ${name}`, async () => {
      await expect(run()).resolves.toBeUndefined();
    });
  }
});
