import type { BasicNode, BytesTypeConfig, Response } from "@seshat/common";
import { EMPTY_STORED_MEMBERSHIP, ZERO_LOG_ID } from "@seshat/common";
import { ByteReader, ByteWriter } from "@seshat/common/binary";
import type { AppliedState } from "@seshat/storage";
import { RESPONSE_CODEC, SessionTable } from "@seshat/storage/parts";
import { APPLIED_KEY, SESSIONS_END, SESSIONS_START } from "../keys.js";
import type { RocksDatabase } from "../native/rocksdb.js";
import type { StateRecords } from "../records/state-records.js";

/** What the database says of the data in it. */
export interface StoredState {
  readonly applied: AppliedState<BasicNode>;
  /** Which of the generations counts: an installation writes the next one beside it. */
  readonly generation: number;
  readonly sessions: SessionTable<Response>;
}

/** What goes with the data, in the same batch. */
export function encodeStored(
  records: StateRecords<BytesTypeConfig>,
  applied: AppliedState<BasicNode>,
  generation: number,
): Uint8Array {
  return new ByteWriter(256).u32(generation).raw(records.encodeApplied(applied)).finish();
}

/** @throws when what the database holds does not decode. */
export async function readStored(
  database: RocksDatabase,
  records: StateRecords<BytesTypeConfig>,
): Promise<StoredState> {
  const bytes = await database.get(APPLIED_KEY);
  const encoded: Uint8Array[] = [];
  for await (const { value } of database.iterator({ gte: SESSIONS_START, lt: SESSIONS_END })) {
    encoded.push(value);
  }
  const sessions = SessionTable.load(RESPONSE_CODEC, encoded);
  if (bytes === null) {
    const applied = { lastAppliedLogId: ZERO_LOG_ID, lastMembership: EMPTY_STORED_MEMBERSHIP };
    return { applied, generation: 0, sessions };
  }
  const reader = new ByteReader("applied state", bytes);
  const generation = reader.u32();
  const applied = records.decodeApplied(reader.raw(reader.remaining));
  return { applied, generation, sessions };
}
