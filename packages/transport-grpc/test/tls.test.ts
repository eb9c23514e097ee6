import { connect as connectTls } from "node:tls";
import { ForeignNodeError, UnreachableError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../src/address.js";
import type { TlsOptions } from "../src/index.js";
import { nodeUri } from "../src/index.js";
import { makeAuthority } from "./certificates.js";
import { GrpcNode, found, write } from "./grpc-cluster.js";
import { HEADER, VOTE, append, connectTo, entry, failure, listen, serves } from "./messages.js";

const authority = makeAuthority("cluster");
const stranger = makeAuthority("somebody else");
const uri = (id: number, cluster = "seshat"): string => `URI:${nodeUri(cluster, id)}`;
const one = authority.issue([uri(1)]);
const two = authority.issue([uri(2), "DNS:elsewhere.example"]);

describe("with mutual TLS", () => {
  test("nodes with certificates of their own reach each other, whatever their addresses are", async () => {
    await using listener = await listen(undefined, { tls: two });
    expect(await serves(listener, { tls: one })).toBe(true);
    using network = connectTo(listener.address, { tls: one });
    expect((await network.appendEntries(append(entry(2, 100_000)))).type).toBe("success");
  });

  test("three nodes elect and replicate", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes: GrpcNode[] = [];
    for (const [i, tls] of [one, two, authority.issue([uri(3)])].entries()) {
      nodes.push(stack.use(await GrpcNode.start(i + 1, { tls })));
    }
    await found(nodes);
    const index = await write(nodes, "safe", "yes");
    for (const node of nodes) {
      await node.applied(index);
      expect(node.get("safe")).toBe("yes");
    }
  });

  const foreignClients: readonly (readonly [string, Pick<TlsOptions, "ca" | "cert" | "key">, string])[] = [
    ["of another node", authority.issue([uri(3)]), "its certificate is that of node 3, not of node 1"],
    ["of another cluster", authority.issue([uri(1, "green")]), 'its certificate is for cluster "green"'],
    ["of nobody", authority.issue([]), "its certificate names no node"],
    ["of two nodes", authority.issue([uri(1), uri(3)]), "its certificate names no node"],
    [
      "whose name only looks like one",
      authority.issue([`DNS:a.example`, `URI:seshat://seshat/node/1/more`]),
      "its certificate names no node",
    ],
  ];

  test.for(foreignClients)(
    "whoever connects with a certificate %s is told why, and the node goes on serving",
    async ([, tls, why]) => {
      await using listener = await listen(undefined, { tls: two });
      using network = connectTo(listener.address, { tls });
      for (const call of [network.vote(VOTE), network.appendEntries(append(entry(2, 10)))]) {
        const error = await failure(call);
        expect(error).toBeInstanceOf(ForeignNodeError);
        expect(error.message).toContain(why);
      }
      expect(await serves(listener, { tls: one })).toBe(true);
    },
  );

  test("whoever has a certificate of its own cannot speak for another in a later request either", async () => {
    await using listener = await listen(undefined, { tls: two });
    using network = connectTo(listener.address, { tls: one });
    expect((await network.vote(VOTE)).granted).toBe(true);
    const foreign = failure(network.vote({ ...VOTE, candidateId: 3, header: { ...HEADER, from: 3 } }));
    expect((await foreign).message).toContain("its certificate is that of node 1, not of node 3");
    expect((await network.vote(VOTE)).granted).toBe(true);
  });

  test("a connection that was made for one cluster carries nothing for another", async () => {
    await using listener = await listen(undefined, { tls: two });
    using network = connectTo(listener.address, { tls: one });
    expect((await network.vote(VOTE)).granted).toBe(true);
    const other = failure(network.vote({ ...VOTE, header: { ...HEADER, clusterId: "green" } }));
    expect(await other).toStrictEqual(new ForeignNodeError("the connection was made for another cluster"));
  });

  const foreignServers: readonly (readonly [string, Pick<TlsOptions, "ca" | "cert" | "key">, string])[] = [
    ["of another node", one, "its certificate is that of node 1, not of node 2"],
    ["of another cluster", authority.issue([uri(2, "green")]), 'its certificate is for cluster "green"'],
    ["of nobody", authority.issue(["DNS:localhost", "IP:127.0.0.1"]), "its certificate names no node"],
  ];

  test.for(foreignServers)(
    "who is reached and has a certificate %s gets no request",
    async ([, tls, why]) => {
      await using listener = await listen(undefined, { tls });
      using network = connectTo(listener.address, { tls: one });
      const error = await failure(network.vote(VOTE));
      expect(error).toBeInstanceOf(ForeignNodeError);
      expect(error.message).toContain(why);
      // Asked again at once, it is the same.
      expect(await failure(network.vote(VOTE))).toBeInstanceOf(ForeignNodeError);
    },
  );

  test("certificates that somebody else has signed count for nothing, on either side", async () => {
    const forged = stranger.issue([uri(1)]);
    await using listener = await listen(undefined, { tls: two });
    using impostor = connectTo(listener.address, { tls: forged });
    expect(await failure(impostor.vote(VOTE))).toBeInstanceOf(UnreachableError);
    using partly = connectTo(listener.address, { tls: { ...forged, ca: one.ca } });
    expect(await failure(partly.vote(VOTE))).toBeInstanceOf(UnreachableError);
    await using false2 = await listen(undefined, { tls: stranger.issue([uri(2)]) });
    using network = connectTo(false2.address, { tls: one });
    expect(await failure(network.vote(VOTE))).toBeInstanceOf(UnreachableError);
    expect(await serves(listener, { tls: one })).toBe(true);
  });

  test("who has no certificate, or does not speak TLS, gets no answer", async () => {
    await using listener = await listen(undefined, { tls: two });
    using plain = connectTo(listener.address);
    expect(await failure(plain.vote(VOTE))).toBeInstanceOf(UnreachableError);
    const bare = connectTls({
      ...parseAddress("listener", listener.address),
      ca: String(one.ca),
      servername: "",
      checkServerIdentity: () => undefined,
      ALPNProtocols: ["h2"],
    });
    bare.on("error", () => {});
    bare.resume();
    await new Promise((resolve) => {
      bare.once("close", resolve);
    });
    expect(await serves(listener, { tls: one })).toBe(true);
  });

  test("an application can say by other means whose a certificate is", async () => {
    const identityOf: NonNullable<TlsOptions["identityOf"]> = ({ subjectaltname }) => {
      const [, id] = /DNS:node-(\d+)\.example/.exec(subjectaltname ?? "") ?? [];
      if (id === undefined) throw new Error("no such name");
      return { nodeId: Number(id), clusterId: null };
    };
    await using listener = await listen(undefined, {
      tls: { ...authority.issue(["DNS:node-2.example"]), identityOf },
    });
    expect(await serves(listener, { tls: { ...authority.issue(["DNS:node-1.example"]), identityOf } })).toBe(
      true,
    );
    using network = connectTo(listener.address, { tls: { ...one, identityOf: () => null } });
    expect(await failure(network.vote(VOTE))).toBeInstanceOf(ForeignNodeError);
    // What it throws is a refusal as well.
    using other = connectTo(listener.address, {
      tls: { ...one, identityOf: () => ({ nodeId: 2, clusterId: null }) },
    });
    expect((await failure(other.vote(VOTE))).message).toContain(
      "its certificate cannot be read: no such name",
    );
  });
});

test("without mutual TLS nodes prove who they are to those that connect, and not the other way round", async () => {
  await using listener = await listen(undefined, { tls: { ...two, mutual: false } });
  expect(await serves(listener, { tls: authority.issue([]) })).toBe(true);
  await using false2 = await listen(undefined, { tls: { ...one, mutual: false } });
  using network = connectTo(false2.address, { tls: one });
  expect(await failure(network.vote(VOTE))).toBeInstanceOf(ForeignNodeError);
});
