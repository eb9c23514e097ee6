import { InvalidValueError } from "../errors.js";
import type { EntryPayload, LogEntry } from "../log-entry.js";
import { BLANK_PAYLOAD } from "../log-entry.js";
import type { Membership } from "../membership.js";
import type { BasicNode } from "../node.js";
import type { Request } from "../request.js";
import type { Entry } from "./messages.js";
import { EntryType } from "./messages.js";
import { fromU64 } from "./u64.js";

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * Turns an entry of a raft-rs log into a log entry. Its bytes are shared, not copied.
 *
 * - `EntryNormal` with data becomes a normal payload; without data, as a new leader writes it, a blank one.
 * - `EntryConfChange` and `EntryConfChangeV2` say what to change, not what results; Seshat's entry
 *   carries the result, so `membershipAt` has to give it. Their data and context are not read.
 *   raft-rs puts a change in force when it is applied, Seshat when it is appended: a change past the
 *   commit index is in force in the converted log from the start.
 *
 * @param membershipAt the membership that the change of configuration at `index` led to: the ConfState
 *   that raft-rs answered when it was applied, by way of `confStateToMembership`.
 * @throws {InvalidValueError} when a field is out of range, when a normal entry has a context (a
 *   {@link Request} has no place for it), or when a change of configuration has no resulting membership.
 */
export function entryToLogEntry<N = BasicNode>(
  entry: Entry,
  membershipAt?: (index: number) => Membership<N> | undefined,
): LogEntry<Request, N> {
  const index = fromU64("entry.index", entry.index, 1);
  const term = fromU64("entry.term", entry.term, 1);
  return { logId: { term, index }, payload: payloadOf(entry, index, membershipAt) };
}

function payloadOf<N>(
  entry: Entry,
  index: number,
  membershipAt?: (index: number) => Membership<N> | undefined,
): EntryPayload<Request, N> {
  switch (entry.entryType) {
    case EntryType.EntryNormal: {
      if (checkBytes("entry.context", entry.context).length > 0) {
        throw new InvalidValueError(
          "entry.context",
          entry.context,
          "empty, because a request cannot carry it",
        );
      }
      const data = checkBytes("entry.data", entry.data);
      return data.length === 0 ? BLANK_PAYLOAD : { type: "normal", data: { data } };
    }
    case EntryType.EntryConfChange:
    case EntryType.EntryConfChangeV2: {
      const membership = membershipAt?.(index);
      if (membership === undefined || membership.configs.length === 0) {
        throw new InvalidValueError(
          `membershipAt(${index})`,
          membership,
          "the membership that this change of configuration led to, which the entry itself does not say",
        );
      }
      return { type: "membership", membership };
    }
    default:
      throw new InvalidValueError(
        "entry.entryType",
        entry.entryType satisfies never,
        "0 (EntryNormal), 1 (EntryConfChange) or 2 (EntryConfChangeV2)",
      );
  }
}

/**
 * Turns a log entry into an entry for raft-rs. The bytes are shared, not copied.
 *
 * @throws {InvalidValueError} for what raft-rs cannot hold: a membership, of which its entries carry only
 *   the change; a session, or a command of one; a normal payload without data, which it would take for a blank
 *   entry; a term of 0.
 */
export function logEntryToEntry(logEntry: LogEntry<Request, unknown>): Entry<number> {
  const { payload } = logEntry;
  if (payload.type === "membership") {
    throw new InvalidValueError(
      "logEntry.payload.type",
      payload.type,
      '"blank" or "normal", because an eraftpb entry holds a change of configuration, not its result',
    );
  }
  if (payload.type === "openSession") {
    throw new InvalidValueError(
      "logEntry.payload.type",
      payload.type,
      '"blank" or "normal", because raft-rs has no sessions',
    );
  }
  let data = NO_BYTES;
  if (payload.type === "normal") {
    if (payload.session !== undefined) {
      throw new InvalidValueError(
        "logEntry.payload.session",
        payload.session,
        "left out, because raft-rs has no sessions, and would apply the command as often as it is sent",
      );
    }
    data = checkBytes("logEntry.payload.data.data", payload.data.data);
    if (data.length === 0) {
      throw new InvalidValueError(
        "logEntry.payload.data.data",
        data,
        "at least one byte, because raft-rs takes an entry without data for a blank one",
      );
    }
  }
  return {
    entryType: EntryType.EntryNormal,
    term: fromU64("logEntry.logId.term", logEntry.logId.term, 1),
    index: fromU64("logEntry.logId.index", logEntry.logId.index, 1),
    data,
    context: NO_BYTES,
  };
}

function checkBytes(field: string, value: Uint8Array): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new InvalidValueError(field, value, "a Uint8Array");
  return value;
}
