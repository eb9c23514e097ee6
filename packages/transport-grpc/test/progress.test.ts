import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { BytesTypeConfig } from "@seshat/common";
import { ForeignNodeError } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../src/address.js";
import { grpcNetwork, nodeUri } from "../src/index.js";
import { META } from "../src/service.js";
import { makeAuthority } from "./certificates.js";
import { GrpcNode, found, leaderOf, write } from "./grpc-cluster.js";
import { HEADER, VOTE, append, entry, failure } from "./messages.js";
import { RawClient, frame, request } from "./raw-http2.js";

/*
 * A cluster is written to while somebody does to all of its nodes what no peer should. It has to go on, and
 * everybody has what was written in the end.
 */

const WRITES = 30;
const WIRE_HEADER = { clusterId: "seshat", from: 9n, incarnation: 5n, to: 1n, toIncarnation: 0n };
const ENTRIES = { case: "appendEntries", value: { term: 1n, leaderId: 9n, leaderCommit: 9n } } as const;

interface Options {
  readonly nodes?: Parameters<typeof GrpcNode.start>[1];
  /** By id, from 1. */
  readonly each?: (id: number) => Parameters<typeof GrpcNode.start>[1];
}

/** Three nodes that have elected a leader. */
async function cluster(stack: AsyncDisposableStack, { nodes = {}, each }: Options = {}): Promise<GrpcNode[]> {
  const started: GrpcNode[] = [];
  for (const id of [1, 2, 3]) {
    const raft = { electionTimeoutMinMs: 1500, electionTimeoutMaxMs: 3000, ...nodes.raft };
    started.push(stack.use(await GrpcNode.start(id, { ...nodes, ...each?.(id), raft })));
  }
  await found(started);
  await leaderOf(started);
  return started;
}

/** Writes while `attack` is repeated. @returns how much everybody has in the end. */
async function writtenDuring(
  nodes: readonly GrpcNode[],
  attack: (node: GrpcNode) => Promise<void>,
): Promise<number> {
  let isOver = false;
  let attacks = 0;
  const attackers = nodes.map(async (node) => {
    while (!isOver || attacks < nodes.length) {
      await attack(node);
      attacks++;
    }
  });
  let index = 0;
  const writing = (async () => {
    // Some before the attackers are there is as good as none.
    while (attacks < nodes.length) await pause(1);
    for (let i = 0; i < WRITES; i++) index = await write(nodes, `key-${i}`, `value-${i}`);
  })().finally(() => {
    isOver = true;
  });
  await Promise.all([...attackers, writing]);
  let everywhere = 0;
  for (const node of nodes) await node.applied(index);
  for (let i = 0; i < WRITES; i++)
    if (nodes.every((node) => node.get(`key-${i}`) === `value-${i}`)) everywhere++;
  return everywhere;
}

/** Opens a stream, sends these bytes, and waits until it is ended or cut. */
async function send(node: GrpcNode, way: string, bytes: Uint8Array): Promise<string> {
  await using client = new RawClient(node.listener.address);
  const headers = { [META.cluster]: "seshat", [META.from]: "9", [META.to]: String(node.id) };
  const stream = client.open(way, headers);
  stream.send(bytes);
  return await stream.status;
}

describe("the cluster makes progress during", () => {
  const byBytes: readonly (readonly [string, string, Uint8Array, string])[] = [
    ["malformed frames", "replicate", frame(Buffer.from("ffffffffffffffff", "hex")), "3"],
    ["oversized frames", "replicate", frame(new Uint8Array(10), 2 ** 32 - 1), "8"],
    ["an unknown method", "/seshat.raft.v1.RaftService/Overthrow", frame(new Uint8Array(0)), "12"],
    ["snapshots that are none", "snapshot", frame(Buffer.from("0a", "hex")), "3"],
  ];
  test.for(byBytes)("%s", async ([, way, bytes, status]) => {
    await using stack = new AsyncDisposableStack();
    const nodes = await cluster(stack);
    expect(
      await writtenDuring(nodes, async (node) => expect(await send(node, way, bytes)).toBe(status)),
    ).toBe(WRITES);
  });

  test("frames of HTTP/2 that are malformed or oversized", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await cluster(stack);
    const greeting = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const written = await writtenDuring(nodes, async ({ listener }) => {
      const socket = connect(parseAddress("listener", listener.address));
      socket.on("error", () => {});
      socket.resume();
      socket.write(Buffer.concat([greeting, Buffer.from("000000040000000000ffffff000100000001", "hex")]));
      await once(socket, "close");
    });
    expect(written).toBe(WRITES);
  });

  test("a peer with the wrong cluster, one with the wrong id, and one that speaks for the leader", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await cluster(stack);
    const written = await writtenDuring(nodes, async ({ id, listener }) => {
      const network = grpcNetwork<BytesTypeConfig>({ codec: BYTES_CODEC });
      const connection = network.connect(id, { addr: listener.address });
      const to = (header: object): typeof HEADER => ({ ...HEADER, from: 9, to: id, ...header });
      const headers = [to({ clusterId: "green" }), to({ to: id + 1 }), to({ from: id })];
      for (const header of headers) {
        const calls = [
          connection.vote({ ...VOTE, term: 1000, candidateId: header.from, header }),
          connection.appendEntries({ ...append(entry(2, 10)), term: 1000, leaderId: header.from, header }),
        ];
        for (const error of await Promise.all(calls.map(failure)))
          expect(error).toBeInstanceOf(ForeignNodeError);
      }
      connection.close();
    });
    expect(written).toBe(WRITES);
    for (const { node } of nodes) expect(node.metrics().term).toBeLessThan(1000);
  });

  test("a peer with the wrong certificate", async () => {
    await using stack = new AsyncDisposableStack();
    const authority = makeAuthority("cluster");
    const of = (id: number): ReturnType<typeof authority.issue> =>
      authority.issue([`URI:${nodeUri("seshat", id)}`]);
    const nodes = await cluster(stack, { each: (id) => ({ tls: of(id) }) });
    // It is a node of the cluster by its certificate, and says that it is another one. The other has it from somebody else.
    const wrong = [of(9), makeAuthority("stranger").issue([`URI:${nodeUri("seshat", 1)}`])];
    const written = await writtenDuring(nodes, async ({ id, listener }) => {
      for (const tls of wrong) {
        const network = grpcNetwork<BytesTypeConfig>({ codec: BYTES_CODEC, tls });
        const connection = network.connect(id, { addr: listener.address });
        const from = id === 1 ? 2 : 1;
        const header = { ...HEADER, from, to: id };
        await failure(connection.vote({ ...VOTE, term: 1000, candidateId: from, header }));
        connection.close();
      }
    });
    expect(written).toBe(WRITES);
    for (const { node } of nodes) expect(node.metrics().term).toBeLessThan(1000);
  });

  test("a slow reader: peers that ask and never take an answer", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await cluster(stack, { nodes: { grpc: { maxInFlightRequests: 50 } } });
    const written = await writtenDuring(nodes, async ({ id, listener }) => {
      const client = stack.use(new RawClient(listener.address, { settings: { initialWindowSize: 0 } }));
      const header = { ...WIRE_HEADER, to: BigInt(id) };
      const headers = { [META.cluster]: "seshat", [META.from]: "9", [META.to]: String(id) };
      const streams = ["control", "replicate"].map((way) => client.open(way, headers));
      for (const stream of streams)
        for (let i = 1; i <= 200; i++) stream.send(request({ id: i, header, body: ENTRIES }));
      await pause(50);
    });
    expect(written).toBe(WRITES);
  });

  test("a peer that accepts and never answers", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await cluster(stack);
    const leader = await leaderOf(nodes);
    const silent = nodes.find((node) => node !== leader) as GrpcNode;
    // Who connects to it is accepted from now on, and hears nothing.
    silent.proxy.hold();
    silent.proxy.cut();
    const others = nodes.filter((node) => node !== silent);
    expect(await writtenDuring(others, () => pause(1))).toBe(WRITES);
  });

  test("half-open connections", async () => {
    await using stack = new AsyncDisposableStack();
    const grpc = { keepaliveTimeMs: 200, keepaliveTimeoutMs: 300 };
    const nodes = await cluster(stack, { nodes: { grpc } });
    const leader = await leaderOf(nodes);
    const open = new Set<Socket>();
    stack.defer(() => {
      for (const socket of open) socket.destroy();
    });
    let rounds = 0;
    const written = await writtenDuring(nodes, async (node) => {
      if (node === leader) return pause(1);
      const socket = connect(parseAddress("listener", node.listener.address));
      open.add(socket);
      socket.on("error", () => {});
      // One follower after the other: what is connected carries nothing any more, and nobody is told.
      if (rounds++ % 2 === 0) {
        node.proxy.hold();
        node.proxy.mend();
      }
      await pause(500);
    });
    expect(written).toBe(WRITES);
  });

  test("reordering by reconnects: what was sent over a connection that was given up arrives after all, late", async () => {
    await using stack = new AsyncDisposableStack();
    const nodes = await cluster(stack);
    const leader = await leaderOf(nodes);
    const held: (() => void)[] = [];
    const written = await writtenDuring(nodes, async (node) => {
      if (node === leader) return pause(1);
      held.push(node.proxy.holdBack());
      // What is sent meanwhile goes nowhere. Then the leader connects anew, and what is new comes before what is old.
      await pause(100);
      node.proxy.drop();
      await pause(100);
      if (held.length > 2) held.shift()?.();
    });
    expect(written).toBe(WRITES);
    for (const release of held) release();
    const index = await write(nodes, "last", "one");
    for (const node of nodes) {
      await node.applied(index);
      expect(node.node.raft.metrics().lastLogId).toEqual(leader.node.raft.metrics().lastLogId);
    }
  });
});
