import type { RaftTypeConfig, SnapshotMeta } from "@seshat/common";
import { EntryCodec, readLogId, writeLogId } from "@seshat/common/codec";
import type { AppliedState } from "@seshat/storage";
import type { StoreCodec } from "../codec.js";
import { versionedReader, versionedWriter } from "./versioned.js";

/**
 * What goes with the state of a state machine, in the database or in the file of a snapshot:
 *
 *     applied = version u8 = 1, log id, log id of the membership, membership
 *     meta    = version u8 = 1, meta
 *
 * Log ids, memberships and meta are those of `EntryCodec`.
 */
export class StateRecords<C extends RaftTypeConfig> {
  readonly #codec: EntryCodec<C>;

  constructor(codec: StoreCodec<C>) {
    this.#codec = new EntryCodec<C>(codec);
  }

  encodeApplied({ lastAppliedLogId, lastMembership }: AppliedState<C["Node"]>): Uint8Array {
    const writer = writeLogId(versionedWriter(256), lastAppliedLogId);
    this.#codec.writeStoredMembership(writer, lastMembership);
    return writer.finish();
  }

  /** @throws when the bytes are not what {@link encodeApplied} gives. */
  decodeApplied(bytes: Uint8Array): AppliedState<C["Node"]> {
    const reader = versionedReader("applied state", bytes);
    const lastAppliedLogId = readLogId(reader);
    const lastMembership = this.#codec.readStoredMembership(reader);
    reader.end();
    return { lastAppliedLogId, lastMembership };
  }

  encodeMeta(meta: SnapshotMeta<C["Node"]>): Uint8Array {
    return versionedWriter(256).raw(this.#codec.encodeMeta(meta)).finish();
  }

  /** @throws when the bytes are not what {@link encodeMeta} gives. */
  decodeMeta(bytes: Uint8Array): SnapshotMeta<C["Node"]> {
    const reader = versionedReader("snapshot meta", bytes);
    return this.#codec.decodeMeta(reader.raw(reader.remaining));
  }
}
