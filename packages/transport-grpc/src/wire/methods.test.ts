import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { BytesTypeConfig, LogEntry, Request } from "@seshat/common";
import { BYTES_CODEC } from "@seshat/common/codec";
import { expect, test, vi } from "vitest";
import { RequestSchema } from "../generated/seshat/raft/v1/raft_pb.js";
import { methodCodecs } from "./methods.js";

const PREV = { term: 1, index: 1 };
const ENTRIES: readonly LogEntry<Request>[] = [2, 3].map((index) => ({
  logId: { term: 1, index },
  payload: { type: "normal", data: { data: Uint8Array.of(index, index) } },
}));
const APPEND = { term: 1, leaderId: 1, prevLogId: PREV, leaderCommit: 1 };

test("entries that go to several followers are encoded once", () => {
  const encode = vi.fn((request: Request) => BYTES_CODEC.command.encode(request));
  const { appendEntries } = methodCodecs<BytesTypeConfig>({
    ...BYTES_CODEC,
    command: { ...BYTES_CODEC.command, encode },
  });
  for (let follower = 0; follower < 3; follower++)
    appendEntries.encodeRequest({ ...APPEND, entries: ENTRIES });
  expect(encode).toHaveBeenCalledTimes(ENTRIES.length);
});

test("what is received keeps no more of a packet in memory than its entries", () => {
  const { appendEntries } = methodCodecs<BytesTypeConfig>(BYTES_CODEC);
  const body = appendEntries.encodeRequest({ ...APPEND, entries: ENTRIES });
  const message = toBinary(RequestSchema, create(RequestSchema, { id: 1, body }));
  // As it comes from a socket, with much else around it.
  const packet = Buffer.alloc(100_000);
  packet.set(message, 50_000);
  const read = fromBinary(RequestSchema, packet.subarray(50_000, 50_000 + message.length));
  if (read.body.case !== "appendEntries") throw new Error("it is something else");
  const { entries } = appendEntries.decodeRequest(read.body.value);
  expect(entries).toEqual(ENTRIES);
  for (const { payload } of entries)
    if (payload.type === "normal") expect(payload.data.data.buffer.byteLength).toBeLessThan(message.length);
});
