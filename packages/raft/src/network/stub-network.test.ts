import type { BytesTypeConfig } from "@seshat/common";
import { UnreachableError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { addressed } from "../../test/support/addressed.js";
import { RecordingLogger } from "../../test/support/instruments.js";
import { rejection } from "../../test/support/promises.js";
import { logId, voters } from "../../test/support/values.js";
import { StubNetwork } from "./stub-network.js";

const VOTE = addressed(1, 3, { term: 1, candidateId: 1, lastLogId: logId(0, 0), transfer: false });
const APPEND = addressed(1, 3, {
  term: 1,
  leaderId: 1,
  prevLogId: logId(0, 0),
  entries: [],
  leaderCommit: 0,
});
const SNAPSHOT = addressed(1, 3, {
  term: 1,
  leaderId: 1,
  meta: {
    lastLogId: logId(1, 1),
    lastMembership: { logId: logId(0, 1), membership: voters(1, 3) },
    snapshotId: "1",
  },
  size: 0,
  offset: 0,
  data: new Uint8Array(0),
});
const TIMEOUT_NOW = addressed(1, 3, { term: 1, leaderId: 1, lastLogId: logId(0, 0) });

describe("the stub network", () => {
  test("reaches nobody: it invents neither a vote nor an acknowledgement, and logs each attempt", async () => {
    const logger = new RecordingLogger();
    const peer = new StubNetwork<BytesTypeConfig>(logger).connect(3);
    const errors = [
      await rejection(peer.preVote(VOTE)),
      await rejection(peer.vote(VOTE)),
      await rejection(peer.appendEntries(APPEND)),
      await rejection(peer.installSnapshot(SNAPSHOT)),
      await rejection(peer.timeoutNow(TIMEOUT_NOW)),
      await rejection(peer.readIndex(addressed(1, 3, { lease: false }))),
    ];
    for (const error of errors) {
      expect(error).toBeInstanceOf(UnreachableError);
      expect(error).toMatchObject({ target: 3 });
    }
    expect(logger.records).toEqual(
      ["preVote", "vote", "appendEntries", "installSnapshot", "timeoutNow", "readIndex"].map((rpc) => ({
        level: "warn",
        event: "raft.network.stub",
        fields: { target: 3, rpc },
      })),
    );
    expect(() => peer.close()).not.toThrow();
  });

  test("without a logger it is silent", async () => {
    const error = await rejection(new StubNetwork<BytesTypeConfig>().connect(2).vote(VOTE));
    expect(error).toBeInstanceOf(UnreachableError);
  });
});
