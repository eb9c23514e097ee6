import { describe, expect, test } from "vitest";
import {
  command,
  entries,
  id,
  makeContext,
  membershipEntry,
  memberships,
  voters,
} from "../../test/engine-harness.js";
import { appendEntries, appendPayloads, replaceLog, truncateLog } from "./log-writer.js";
import { membershipOf } from "./membership-state.js";

const withoutOne = memberships([[2, 3]], 3);

describe("appending", () => {
  test("payloads gives them the next indexes, in the given term, as one write", () => {
    const ctx = makeContext({ terms: [1, 1], vote: { term: 2 } });
    expect(appendPayloads(ctx, 2, [command("a"), command("b")])).toBe(3);
    expect(ctx.state.log.last).toEqual(id(2, 4));
    expect(ctx.out).toEqual([
      {
        type: "append",
        ioSeq: 1,
        entries: [
          { logId: id(2, 3), payload: command("a") },
          { logId: id(2, 4), payload: command("b") },
        ],
      },
    ]);
  });

  test("entries of several terms keeps each under its own", () => {
    const ctx = makeContext({ vote: { term: 4 } });
    appendEntries(ctx, entries(1, 1, 1, 3, 4));
    expect([1, 2, 3, 4].map((index) => ctx.state.log.termAt(index))).toEqual([1, 1, 3, 4]);
  });

  test("makes nothing durable by itself", () => {
    const ctx = makeContext({ vote: { term: 1 } });
    appendEntries(ctx, entries(1, 1));
    expect(ctx.state.io.durableIndex).toBe(0);
  });

  test("a membership puts it in force, and the role follows", () => {
    const ctx = makeContext({ terms: [1] });
    appendEntries(ctx, [membershipEntry(id(1, 2), withoutOne), ...entries(3, 1)]);
    expect(membershipOf(ctx.state)).toEqual(withoutOne);
    // It may still be needed to lead, until that is committed.
    expect(ctx.state.role.type).toBe("follower");
    const learner = makeContext({ terms: [1], membership: withoutOne });
    appendEntries(learner, [membershipEntry(id(1, 2), voters(1, 2))]);
    expect(learner.state.role.type).toBe("follower");
  });

  test("two memberships keeps both, the later one in force", () => {
    const ctx = makeContext({ terms: [1] });
    appendEntries(ctx, [membershipEntry(id(1, 2), withoutOne), membershipEntry(id(1, 3), voters(1, 2))]);
    expect(ctx.state.memberships.map(({ logId }) => logId.index)).toEqual([0, 2, 3]);
    expect(ctx.state.role.type).toBe("follower");
  });
});

describe("truncating", () => {
  test("moves the trail, the memberships, the role and the durable write together", () => {
    const ctx = makeContext({ terms: [1, 1] });
    appendEntries(ctx, [membershipEntry(id(1, 3), withoutOne)]);
    ctx.out = [];
    truncateLog(ctx, 3);
    expect(ctx.state.log.last).toEqual(id(1, 2));
    expect(membershipOf(ctx.state)).toEqual(voters(1, 2, 3));
    expect(ctx.state.role.type).toBe("follower");
    expect(ctx.out).toEqual([{ type: "truncate", ioSeq: 2, since: 3 }]);
  });

  test("never touches what is committed", () => {
    const ctx = makeContext({ terms: [1, 1, 1], committed: 2 });
    expect(() => truncateLog(ctx, 2)).toThrow("everything up to 2 is committed");
    expect(ctx.state.log.last).toEqual(id(1, 3));
    truncateLog(ctx, 3);
    expect(ctx.state.log.last).toEqual(id(1, 2));
  });
});

describe("a log that a snapshot takes the place of", () => {
  test("goes on after it: what is shorter is purged", () => {
    const ctx = makeContext({ terms: [1, 1] });
    replaceLog(ctx, id(3, 9));
    expect(ctx.out).toEqual([{ type: "purge", ioSeq: 1, upto: id(3, 9) }]);
    expect([ctx.state.log.purged, ctx.state.log.last]).toEqual([id(3, 9), id(3, 9)]);
  });

  test("loses first what stands in its place, so that storage never purges up to an entry that it does not have", () => {
    for (const length of [9, 12]) {
      const ctx = makeContext({ terms: Array<number>(length).fill(1) });
      replaceLog(ctx, id(3, 9));
      expect(ctx.out).toEqual([
        { type: "truncate", ioSeq: 1, since: 9 },
        { type: "purge", ioSeq: 2, upto: id(3, 9) },
      ]);
      expect(ctx.state.log.last).toEqual(id(3, 9));
    }
  });

  test("is never one that contradicts what is committed", () => {
    const ctx = makeContext({ terms: Array<number>(12).fill(1), committed: 9 });
    expect(() => replaceLog(ctx, id(3, 9))).toThrow("everything up to 9 is committed");
  });
});
