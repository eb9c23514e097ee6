import { setImmediate as turn } from "node:timers/promises";
import type { NodeId } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import { expect, it } from "vitest";
import { Gateway } from "./gateway.js";
import type { GatewayParts } from "./gateway.js";
import { LeaderClock } from "./leader-clock.js";

const REFUSAL = { type: "error", message: "CLUSTERDOWN The write was not made: the cluster has no leader" };
const ARGS = [Buffer.from("SET"), Buffer.from("a"), Buffer.from("1")];

/** On a node that leads once it is told so. Raft never answers. */
function gatewayOf(): {
  readonly gateway: Gateway;
  readonly written: unknown[];
  readonly lead: () => void;
} {
  let leaderChanged: (leader: NodeId | null) => void = () => {};
  let leader: NodeId | null = null;
  const written: unknown[] = [];
  const raft = {
    isLeader: () => leader === 1,
    leaderId: () => leader,
    onLeaderChange: (told: typeof leaderChanged) => {
      leaderChanged = told;
      return () => {};
    },
    clientWrite: (request: unknown) => {
      written.push(request);
      return new Promise(() => {});
    },
  };
  const clock = new LeaderClock(
    () => 1,
    () => 0,
  );
  const gateway = new Gateway({
    raft,
    clock,
    machine: {},
    read: () => null,
    link: { isFreeFor: () => true, close: () => {} },
    addressOf: () => null,
    timeoutMs: 60_000,
    maxMessageBytes: 1000,
    delivered: () => {},
  } as unknown as GatewayParts);
  const lead = (): void => {
    leader = 1;
    leaderChanged(1);
  };
  return { gateway, written, lead };
}

it("what was not handed over to Raft when the gateway closes is refused, for it was not done", async () => {
  const { gateway, written, lead } = gatewayOf();
  const delivered: RespValue[] = [];
  const owner = { deliver: (reply: RespValue) => void delivered.push(reply), resume: () => {} };
  const add = (): void => gateway.writes.add({ type: "command", args: ARGS }, 100, owner);
  add();
  // Somebody leads now: what waits is sent, and is to be handed over at the end of the turn.
  lead();
  const closing = gateway.close();
  add();
  await closing;
  expect(delivered).toEqual([REFUSAL, REFUSAL]);
  expect(written).toEqual([]);
});

it("who asks again when the gateway was closed is refused too, in that turn and later", async () => {
  const { gateway } = gatewayOf();
  const delivered: RespValue[] = [];
  const ask = (): void => gateway.writes.add({ type: "command", args: ARGS }, 100, owner);
  const owner = {
    deliver: (reply: RespValue) => {
      delivered.push(reply);
      if (delivered.length === 1) ask();
    },
    resume: () => {},
  };
  const closing = gateway.close();
  // Its turn ends after that of the one who closes.
  ask();
  await closing;
  await turn();
  expect(delivered).toEqual([REFUSAL, REFUSAL]);
  ask();
  await turn();
  expect(delivered).toEqual([REFUSAL, REFUSAL, REFUSAL]);
});
