import type { NodeId } from "@seshat/common";
import type { RespValue } from "@seshat/resp";
import { expect, it } from "vitest";
import { Gateway } from "./gateway.js";
import type { GatewayParts } from "./gateway.js";
import { LeaderClock } from "./leader-clock.js";

it("what was not handed over to Raft when the gateway closes is refused, for it was not done", async () => {
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
  const delivered: RespValue[] = [];
  const owner = { deliver: (reply: RespValue) => void delivered.push(reply), resume: () => {} };
  const args = [Buffer.from("SET"), Buffer.from("a"), Buffer.from("1")];
  const add = (): void => gateway.writes.add({ type: "command", args }, 100, owner);
  add();
  // Somebody leads now: what waits is sent, and is to be handed over at the end of the turn.
  leader = 1;
  leaderChanged(1);
  const closing = gateway.close();
  add();
  await closing;
  const refusal = { type: "error", message: "CLUSTERDOWN The write was not made: the cluster has no leader" };
  expect(delivered).toEqual([refusal, refusal]);
  expect(written).toEqual([]);
});
