import type { EntryPayload, Membership, NodeId, StorageVerb } from "@seshat/common";
import type { EngineSwitches, Event, MembershipChange, ReadPolicy } from "../../src/engine/event.js";
import type { Copy } from "./disk.js";
import { Host } from "./host.js";

/** A node, and what its clients and its operator ask of it. */
export class SimNode extends Host {
  initialize(membership: Membership): void {
    this.ask({ type: "initialize" }, (requestId) => ({ type: "initialize", requestId, membership }));
  }

  write(payloads: readonly EntryPayload<unknown, unknown>[]): void {
    const { life } = this;
    if (life === null) return;
    life.writing = payloads;
    this.step({ type: "clientWrite", payloads });
  }

  takeSnapshot(): void {
    const applied = this.state?.applied.index ?? 0;
    this.ask({ type: "snapshot", applied }, (requestId) => ({ type: "takeSnapshot", requestId }));
  }

  change(
    change: MembershipChange<unknown>,
    options: Pick<Extract<Event, { type: "changeMembership" }>, "retain" | "allowLagging" | "expect">,
  ): void {
    const { state } = this;
    const isSure =
      state?.role.type === "leader" && state.memberships.length === 1 && state.role.change === null;
    const before = isSure ? this.membership() : null;
    const { retain, expect } = options;
    this.ask({ type: "change", change, retain, expect, before }, (requestId) => ({
      type: "changeMembership",
      requestId,
      change,
      ...options,
    }));
  }

  transferLeader(target: NodeId | null, timeoutMs: number): void {
    const term = this.state?.vote.term ?? 0;
    this.ask({ type: "transfer", target, term }, (requestId) => ({
      type: "transferLeader",
      requestId,
      target,
      timeoutMs,
    }));
  }

  /** Brings a snapshot by hand. */
  offer(copy: Copy): void {
    const { life } = this;
    if (life === null || life.complete !== null) return;
    const { meta } = copy;
    this.ask({ type: "install", lastLogId: meta.lastLogId }, (requestId) => {
      life.complete = {
        copy,
        parts: this.world.hosts.snapshotParts,
        requestId,
        step: "offered",
        told: false,
        afterIo: 0,
      };
      return { type: "snapshotReceived", meta, requestId };
    });
  }

  configure(switches: Partial<EngineSwitches>): void {
    this.step({ type: "configure", switches });
  }

  /** Storage ceases to answer: the disk, the state machine, or neither (null). */
  stall(verb: StorageVerb | null): void {
    const { life } = this;
    if (life === null || life.hangs === (verb !== null)) return;
    life.hangs = verb !== null;
    this.step({ type: "storageStalled", verb });
  }

  read(policy: ReadPolicy = "readIndex"): void {
    this.serveRead(policy, null);
  }
}
