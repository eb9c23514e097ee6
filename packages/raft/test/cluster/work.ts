import type { Event } from "../../src/engine/event.js";
import { copyOf } from "./disk.js";
import type { Life } from "./life.js";

/** What the disk and the state machine of a node do when they come to it. Each says what the engine has to be told, or null. */

/** Makes the first `count` writes durable. */
export function persistSome(life: Life, count: number): Event | null {
  if (life.hangs || life.pending.length === 0) return null;
  let ioSeq = 0;
  for (const write of life.pending.splice(0, count)) {
    life.disk.perform(write);
    if (write.type !== "saveCommitted") ioSeq = write.ioSeq;
  }
  if (ioSeq === 0) return null;
  life.persisted = ioSeq;
  while ((life.gate[0]?.afterIo ?? Number.POSITIVE_INFINITY) <= ioSeq) life.gate.shift()?.release();
  return { type: "persisted", ioSeq };
}

/** Applies up to `count` entries. */
export function applySome(life: Life, count: number): Event | null {
  const { hosts, oracle } = life.world;
  const since = life.machine.applied.index + 1;
  const upto = Math.min(life.dispatched, since + count - 1);
  if (life.hangs || upto < since) return null;
  let bytes = 0;
  for (const { logId, payload } of life.log.slice(since, upto)) {
    const text = payload.type === "normal" ? String(payload.data) : payload.type;
    bytes += text.length;
    let { hash } = life.machine;
    for (const char of `${logId.term}-${text}`) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
    const membership =
      payload.type === "membership" ? { logId, membership: payload.membership } : life.machine.membership;
    life.machine = { applied: logId, hash, membership };
    oracle.applied(logId, hash);
  }
  if (hosts.keepMachines) life.disk.kept = life.machine;
  return { type: "applied", logId: life.machine.applied, bytes };
}

/** Captures the state that a snapshot is to hold, after what had been asked to be applied; or keeps the snapshot. */
export function buildOn(life: Life): Event | null {
  const { building, disk, machine } = life;
  if (building === null) return null;
  const { state } = building;
  if (state === null) {
    if (machine.applied.index >= building.after) building.state = machine;
    return null;
  }
  life.building = null;
  life.world.oracle.checkCopy(copyOf(state));
  // A newer one may have been installed since.
  if (state.applied.index > disk.snapshot.applied.index) disk.snapshot = state;
  return { type: "snapshotBuilt", lastLogId: state.applied };
}
