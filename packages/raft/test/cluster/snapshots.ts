import type { ReceiveSnapshotCommand, SendSnapshotCommand } from "../../src/engine/command.js";
import type { Event } from "../../src/engine/event.js";
import { answer, mustKnowTerm } from "./answers.js";
import { copyOf } from "./disk.js";
import type { Copy } from "./disk.js";
import type { Life, Outgoing } from "./life.js";
import type { PartRequest, PartsTaken } from "./network.js";
import { must } from "./must.js";
import { ask } from "./post.js";

/** How the hosts carry snapshots from node to node, a part at a time, and install them. */

/** A part that has no answer is sent again after this long, in milliseconds. */
const PART_TIMEOUT_MS = 100;

/** A snapshot of which nothing gets through for this long is given up, in milliseconds. */
const SNAPSHOT_TIMEOUT_MS = 500;

/** Sends the newest snapshot, in place of what was on its way to the same node. */
export function beginToSend(life: Life, { to, seq, term }: SendSnapshotCommand): void {
  const copy = copyOf(life.disk.snapshot);
  const transfer = { to, seq, term, copy, taken: -1, sentAt: life.now, movedAt: life.now };
  life.outgoing.set(to, transfer);
  sendPart(life, transfer);
}

/** The receiver has so many parts: sends it the next. Who has them all is asked again later. */
export function goOn(life: Life, from: number, { seq, term, parts }: PartsTaken): void {
  const transfer = life.outgoing.get(from);
  if (transfer?.seq !== seq || transfer.term !== term || !isAwaited(life, transfer)) return;
  const hasAll = parts === life.world.hosts.snapshotParts;
  if (parts > transfer.taken || hasAll) transfer.movedAt = life.now;
  const asks = transfer.taken < 0;
  const moved = parts > transfer.taken;
  transfer.taken = parts;
  if ((moved || asks) && !hasAll) sendPart(life, transfer);
}

/** What came of a snapshot is known. */
export function endSending(life: Life, to: number, seq: number): void {
  if (life.outgoing.get(to)?.seq === seq) life.outgoing.delete(to);
}

/** Sends parts again that got lost. @returns what the engine has to be told. */
export function resendParts(life: Life): Event[] {
  const events: Event[] = [];
  for (const transfer of life.outgoing.values()) {
    const { to, seq, term } = transfer;
    if (!isAwaited(life, transfer)) life.outgoing.delete(to);
    else if (life.now - transfer.movedAt >= SNAPSHOT_TIMEOUT_MS) {
      life.outgoing.delete(to);
      events.push({ type: "installSnapshotFailed", from: to, requestTerm: term, seq });
    } else if (life.now - transfer.sentAt >= PART_TIMEOUT_MS) sendPart(life, transfer);
  }
  return events;
}

/** When `resendParts` next has something to do, by this node's clock. */
export function nextResend(life: Life): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { sentAt } of life.outgoing.values()) earliest = Math.min(earliest, sentAt + PART_TIMEOUT_MS);
  return earliest;
}

function sendPart(life: Life, transfer: Outgoing): void {
  const { to, seq, term, copy, taken } = transfer;
  const parts = life.world.hosts.snapshotParts;
  transfer.sentAt = life.now;
  const part = taken < 0 || taken >= parts ? null : taken;
  ask(life, to, { type: "installSnapshot", seq, body: { term, leaderId: life.id, copy, part, parts } });
}

/** True while the engine waits for the outcome. */
function isAwaited({ engine }: Life, { to, seq, term }: Outgoing): boolean {
  const { role, vote } = engine.state;
  return role.type === "leader" && vote.term === term && role.progress.get(to)?.snapshotSeq === seq;
}

/** Takes a part of a snapshot that the engine wants, and says how many there are. */
export function takePart(life: Life, { rpcId, term, afterIo }: ReceiveSnapshotCommand): void {
  const request = life.requests.get(rpcId)?.request;
  if (request?.type !== "installSnapshot") throw new Error(`node ${life.id} receives what is no snapshot`);
  const parts = take(life, request.body);
  answer(life, "installSnapshot", rpcId, afterIo, ({ seq, body }) => {
    mustKnowTerm(life, term);
    return { type: "partsTaken", seq, term: body.term, parts };
  });
}

function take(life: Life, body: PartRequest): number {
  const { complete } = life;
  if (complete !== null) return isSame(complete.copy, body.copy) ? complete.parts : 0;
  let { incoming } = life;
  if (incoming === null || !isContinued(incoming.body, body)) incoming = life.incoming = { body, taken: 0 };
  if (body.part === incoming.taken) incoming.taken += 1;
  if (incoming.taken === body.parts) {
    life.incoming = null;
    life.complete = {
      copy: body.copy,
      parts: body.parts,
      requestId: null,
      step: "arrived",
      told: false,
      afterIo: 0,
    };
  }
  return incoming.taken;
}

function isSame(one: Copy, other: Copy): boolean {
  return one.meta.snapshotId === other.meta.snapshotId;
}

function isContinued(one: PartRequest, other: PartRequest): boolean {
  return one.leaderId === other.leaderId && isSame(one.copy, other.copy);
}

/**
 * Goes one step on with a snapshot that is all there: offers it to the engine, installs it, tells the engine so. A crash can come between
 * any two of these.
 *
 * @returns what the engine has to be told, or null.
 */
export function installOn(life: Life): Event | null {
  const { complete, disk, world } = life;
  if (complete === null) return null;
  const { copy, requestId } = complete;
  const { lastLogId, lastMembership } = copy.meta;
  switch (complete.step) {
    case "arrived":
      complete.step = "offered";
      return { type: "snapshotReceived", meta: copy.meta, requestId };
    case "offered":
      throw new Error(`node ${life.id} neither installs nor drops a snapshot`);
    case "installing":
      if (complete.afterIo > life.persisted || life.machine.applied.index < life.dispatched) return null;
      if (life.building?.state === null) return null;
      if (world.random.chance(world.hosts.damagedSnapshots)) {
        complete.step = "damaged";
        return null;
      }
      must(
        lastLogId.index > life.machine.applied.index,
        `node ${life.id} installs a snapshot over newer state`,
      );
      world.oracle.checkCopy(copy);
      world.oracle.count("installs");
      disk.snapshot = copy.machine;
      if (world.hosts.keepMachines) disk.kept = copy.machine;
      life.machine = copy.machine;
      life.dispatched = lastLogId.index;
      complete.step = "installed";
      return null;
    default:
      complete.told = true;
      return {
        type: "snapshotInstalled",
        lastLogId,
        lastMembership,
        installed: complete.step === "installed",
      };
  }
}

/** The engine knows how it ended: writes that the snapshot holds are done, though nobody knows how they were answered. */
export function endInstall(life: Life): void {
  const { complete, waiting, questions } = life;
  if (complete === null) return;
  life.complete = null;
  if (complete.step === "damaged") {
    if (complete.requestId !== null) questions.delete(complete.requestId);
    return;
  }
  for (const index of waiting) if (index <= complete.copy.meta.lastLogId.index) waiting.delete(index);
}
