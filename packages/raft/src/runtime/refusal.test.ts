import {
  AlreadyInitializedError,
  NotAMemberError,
  NotLeaderError,
  OverloadedError,
  PreconditionFailedError,
  QuorumNotEnoughError,
  createMembership,
} from "@seshat/common";
import { describe, expect, test } from "vitest";
import { voters } from "../../test/support/values.js";
import { refusalToError } from "./refusal.js";

describe("refusals as errors", () => {
  test("not leader: with the leader and where it is", () => {
    const error = refusalToError({ code: "notLeader", leaderId: 2 }, 1, voters(1, 2));
    expect(error).toBeInstanceOf(NotLeaderError);
    expect(error).toMatchObject({ leaderId: 2, leaderNode: { addr: "10.0.0.2:7000" } });
  });

  test("not leader: without a leader there is nobody to ask", () => {
    const error = refusalToError({ code: "notLeader", leaderId: null }, 1, voters(1, 2));
    expect(error).toMatchObject({ leaderId: null, leaderNode: null });
  });

  test.each([
    ["nothing", null],
    ["a string", "somewhere"],
    ["no address", {}],
    ["an odd address", { addr: 5 }],
  ])("not leader: a node that is described by %s has no address to give", (_, node) => {
    const membership = createMembership(
      [[1, 2]],
      [
        [1, node],
        [2, node],
      ],
    );
    expect(refusalToError({ code: "notLeader", leaderId: 2 }, 1, membership)).toMatchObject({
      leaderId: 2,
      leaderNode: null,
    });
    expect(refusalToError({ code: "notLeader", leaderId: 9 }, 1, membership)).toMatchObject({
      leaderId: 9,
      leaderNode: null,
    });
  });

  test("already initialized: with what was found", () => {
    const error = refusalToError({ code: "alreadyInitialized", found: "a log up to 1-5" }, 1, voters(1));
    expect(error).toBeInstanceOf(AlreadyInitializedError);
    expect(error.message).toContain("a log up to 1-5");
  });

  test("not a member: with the id of this node", () => {
    const error = refusalToError({ code: "notAMember" }, 4, voters(1));
    expect(error).toBeInstanceOf(NotAMemberError);
    expect(error).toMatchObject({ nodeId: 4 });
  });

  test("the others: each is an error of its own, with its facts", () => {
    expect(refusalToError({ code: "quorumNotEnough" }, 1, voters(1))).toBeInstanceOf(QuorumNotEnoughError);
    const overloaded = refusalToError({ code: "overloaded", limit: 7 }, 1, voters(1));
    expect(overloaded).toBeInstanceOf(OverloadedError);
    expect(overloaded.message).toContain("too many entries are waiting (the limit is 7)");
    const failed = refusalToError(
      { code: "preconditionFailed", found: "the leader's term is 2" },
      1,
      voters(1),
    );
    expect(failed).toBeInstanceOf(PreconditionFailedError);
    expect(failed.message).toContain("the leader's term is 2");
  });
});
