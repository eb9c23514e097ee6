import type {
  BasicNode,
  LogEntry,
  LogId,
  NormalPayload,
  SnapshotData,
  SnapshotMeta,
  StoredMembership,
} from "@seshat/common";
import {
  CodecError,
  EMPTY_STORED_MEMBERSHIP,
  SeshatError,
  StorageError,
  ZERO_LOG_ID,
  compareLogIds,
  formatLogId,
} from "@seshat/common";
import type { Section } from "../sessions/framed-content.js";
import { takeSection, withSection } from "../sessions/framed-content.js";
import type { ResponseCodec } from "../sessions/response-codec.js";
import { SessionRefusal } from "../sessions/session-refusal.js";
import { SessionTable } from "../sessions/session-table.js";
import type { StateMachine } from "../state-machine.js";
import type { AppliedState, ApplyResponse } from "../traits/raft-state-machine.js";

/** What stands in a snapshot in place of sessions where there can be none. */
const NO_SESSIONS: Section = { size: 0, chunks: () => [] };

/** What entries of one call may take, in nanoseconds: with the entry that comes to more, the call ends. */
const MAX_CALL_WORK = 20_000_000;

/** A state on its way into a snapshot: it does not change any more. */
export interface CapturedState<N> {
  readonly meta: SnapshotMeta<N>;
  /** The content, sessions first. To be read once. */
  chunks(): AsyncIterable<Uint8Array>;
}

/**
 * An application's state machine in memory with what Raft needs to know of it: the last applied entry and membership, and the
 * clients' sessions. It applies each entry once however often it is replayed. Where snapshots are kept is the business of
 * whoever holds it.
 */
export class AppliedMachine<D, R, N = BasicNode> {
  readonly inner: StateMachine<D, R>;
  readonly #responseCodec: ResponseCodec<R> | undefined;
  #lastAppliedLogId: LogId = ZERO_LOG_ID;
  #lastMembership: StoredMembership<N> = EMPTY_STORED_MEMBERSHIP;
  /** Null when there can be none, for want of a codec. */
  #sessions: SessionTable<R> | null;
  #captures = 0;
  #installing = false;

  /** @param inner the application's state machine, to which nothing has been applied yet. */
  constructor(inner: StateMachine<D, R>) {
    this.inner = inner;
    this.#responseCodec = inner.responseCodec;
    this.#sessions = this.#responseCodec === undefined ? null : SessionTable.empty(this.#responseCodec);
  }

  readAppliedState(): AppliedState<N> {
    return { lastAppliedLogId: this.#lastAppliedLogId, lastMembership: this.#lastMembership };
  }

  /**
   * @returns a response to each of the first entries: to all of them, unless by what the application's state machine says of its work they take long.
   * @throws {StorageError} when an entry is missing before these or between them, or a term falls: then
   *   none of them was applied; or when the application's state machine or its codec throws: then those before it were.
   */
  apply(entries: readonly LogEntry<D, N>[]): ApplyResponse<R>[] {
    this.#checkNotInstalling("apply");
    checkConsecutive(entries, this.#lastAppliedLogId);
    const responses: ApplyResponse<R>[] = [];
    let work = 0;
    for (const entry of entries) {
      if (work > MAX_CALL_WORK) break;
      if (entry.logId.index <= this.#lastAppliedLogId.index) {
        responses.push(undefined);
        continue;
      }
      responses.push(this.#applyOne(entry));
      this.#lastAppliedLogId = entry.logId;
      work += this.inner.work ?? 0;
    }
    return responses;
  }

  /** Captures the state at once. Several captures may be written, beside applies and an installation. */
  capture(): CapturedState<N> {
    // While a snapshot is installed the content may already be the new one and the log id still the old.
    this.#checkNotInstalling("build snapshot");
    const { term, index } = this.#lastAppliedLogId;
    const capture = this.inner.capture();
    const sessions = this.#sessions?.capture(index) ?? NO_SESSIONS;
    this.#captures += 1;
    const meta: SnapshotMeta<N> = {
      lastLogId: this.#lastAppliedLogId,
      lastMembership: this.#lastMembership,
      // A counter and nothing random: the same run always gives the same ids.
      snapshotId: `${term}-${index}-${this.#captures}`,
    };
    return { meta, chunks: () => withSection(sessions, capture.chunks()) };
  }

  /**
   * Replaces the state by the content of a snapshot. Until everything has been decoded the old state stands.
   *
   * @param load gives the content, once nothing can be applied any more.
   * @param pause awaited after each chunk.
   * @returns what `load` gave.
   * @throws {StorageError} when the snapshot is older than what is applied, or cannot be read.
   * @throws {CodecError} when its content is damaged.
   */
  async install<S extends SnapshotData>(
    meta: SnapshotMeta<N>,
    load: () => Promise<S>,
    pause: () => Promise<void>,
  ): Promise<S> {
    this.#checkNotInstalling("install snapshot");
    checkNotOlder(meta.lastLogId, this.#lastAppliedLogId);
    this.#installing = true;
    try {
      const data = await load();
      const { section, content } = await takeSection(withPauses(data.read(0), pause), data.size);
      const sessions = this.#decodeSessions(meta.lastLogId.index, section);
      await this.inner.restore(content);
      this.#sessions = sessions;
      this.#lastAppliedLogId = meta.lastLogId;
      this.#lastMembership = meta.lastMembership;
      return data;
    } catch (cause) {
      throw asStorageError("install snapshot", cause);
    } finally {
      this.#installing = false;
    }
  }

  #applyOne({ logId, payload }: LogEntry<D, N>): ApplyResponse<R> {
    switch (payload.type) {
      case "blank":
        return undefined;
      case "membership":
        this.#lastMembership = { logId, membership: payload.membership };
        return undefined;
      case "openSession":
        if (this.#sessions === null) return new SessionRefusal("unsupported");
        return this.#sessions.open(logId.index, payload.expiresAfter);
      case "normal":
        try {
          return this.#applyCommand(logId.index, payload);
        } catch (cause) {
          throw new StorageError("apply", `entry ${formatLogId(logId)}: ${messageOf(cause)}`, { cause });
        }
      default:
        return payload satisfies never;
    }
  }

  #applyCommand(index: number, { data, session }: NormalPayload<D>): ApplyResponse<R> {
    if (session === undefined) return this.inner.apply(index, data);
    if (this.#sessions === null) return new SessionRefusal("unsupported");
    return this.#sessions.carryOut(index, session, () => this.inner.apply(index, data));
  }

  #decodeSessions(index: number, section: Uint8Array): SessionTable<R> | null {
    if (this.#responseCodec !== undefined) return SessionTable.decode(this.#responseCodec, index, section);
    if (section.length === 0) return null;
    throw new CodecError("sessions", 0, "this state machine has no codec for responses, and so no sessions");
  }

  #checkNotInstalling(verb: "apply" | "build snapshot" | "install snapshot"): void {
    if (this.#installing) throw new StorageError(verb, "a snapshot is being installed");
  }
}

/** @throws {StorageError} when an entry is missing between `last` and `entries` or among them, or a term falls. */
export function checkConsecutive(entries: readonly LogEntry<unknown, unknown>[], last: LogId): void {
  let before = last;
  for (const { logId } of entries) {
    if (logId.index <= before.index) continue;
    if (logId.index !== before.index + 1 || !(logId.term >= before.term)) {
      throw new StorageError(
        "apply",
        `entry ${formatLogId(logId)} does not follow on ${formatLogId(before)}`,
      );
    }
    before = logId;
  }
}

/** @throws {StorageError} when a snapshot that ends at `last` is older than what is applied. */
export function checkNotOlder(last: LogId, applied: LogId): void {
  if (last.index >= applied.index && compareLogIds(last, applied) >= 0) return;
  const problem = `it ends at ${formatLogId(last)}, but ${formatLogId(applied)} is applied already`;
  throw new StorageError("install snapshot", problem);
}

/** The same chunks, with a pause after each. */
export async function* withPauses(
  chunks: AsyncIterable<Uint8Array>,
  pause: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    await pause();
  }
}

export function asStorageError(verb: "build snapshot" | "install snapshot", cause: unknown): SeshatError {
  if (cause instanceof SeshatError) return cause;
  return new StorageError(verb, messageOf(cause), { cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
