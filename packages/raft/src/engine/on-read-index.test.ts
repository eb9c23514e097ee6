import { describe, expect, test } from "vitest";
import { TestEngine, elected, id, voters } from "../../test/engine-harness.js";

describe("a read", () => {
  test("is served at once by a leader that is alone", () => {
    const node = elected({ membership: voters(1) });
    expect(node.read(7)).toEqual([{ type: "readReady", requestId: 7, readIndex: id(1, 1) }]);
  });

  test("waits on a leader that has followers, and asks them", () => {
    const node = elected();
    expect(node.read(7).map(({ type }) => type)).toEqual(["sendAppendEntries", "sendAppendEntries"]);
  });

  test("is refused by who does not lead, with the leader's name if it is known", () => {
    const node = new TestEngine();
    expect(node.read(7)).toEqual([
      { type: "refuseReads", requestId: 7, refusal: { code: "notLeader", leaderId: null } },
    ]);
    node.append({ term: 1, leaderId: 3, prevLogId: id(0, 0) });
    expect(node.read(8)).toEqual([
      { type: "refuseReads", requestId: 8, refusal: { code: "notLeader", leaderId: 3 } },
    ]);
  });
});
