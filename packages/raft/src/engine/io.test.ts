import { describe, expect, test } from "vitest";
import { entries, id, makeContext } from "../../test/engine-harness.js";
import type { Context } from "./context.js";
import {
  noteDurableSnapshot,
  notePersisted,
  writeEntries,
  writePurge,
  writeTruncation,
  writeVote,
} from "./io.js";

function append(ctx: Context, first: number, ...terms: number[]): number {
  writeEntries(ctx, entries(first, ...terms), first + terms.length - 1);
  return ctx.state.io.issued;
}

describe("every durable write", () => {
  test("gets the next number, votes and log alike, in the order in which they are asked for", () => {
    const ctx = makeContext();
    const vote = { term: 1, votedFor: 2, committed: false };
    expect(writeVote(ctx, vote)).toBe(1);
    const added = entries(1, 1, 1);
    writeEntries(ctx, added, 2);
    writeTruncation(ctx, 2);
    writePurge(ctx, id(1, 1));
    expect(ctx.out).toEqual([
      { type: "saveVote", ioSeq: 1, vote },
      { type: "append", ioSeq: 2, entries: added },
      { type: "truncate", ioSeq: 3, since: 2 },
      { type: "purge", ioSeq: 4, upto: id(1, 1) },
    ]);
    expect(ctx.state.io.issued).toBe(4);
  });

  test("counts only once it is reported, together with all before it", () => {
    const ctx = makeContext();
    append(ctx, 1, 1, 1);
    writeVote(ctx, { term: 2, votedFor: null, committed: false });
    append(ctx, 3, 2);
    expect(ctx.state.io.durableIndex).toBe(0);
    notePersisted(ctx, 2);
    expect(ctx.state.io).toMatchObject({ persisted: 2, durableIndex: 2 });
    notePersisted(ctx, 3);
    expect(ctx.state.io).toMatchObject({ persisted: 3, durableIndex: 3, outstanding: [] });
  });

  test("a vote or a purge makes no entry durable", () => {
    const ctx = makeContext({ terms: [1, 1] });
    writeVote(ctx, { term: 2, votedFor: null, committed: false });
    writePurge(ctx, id(1, 1));
    notePersisted(ctx, 2);
    expect(ctx.state.io.durableIndex).toBe(2);
  });
});

describe("votes of one step", () => {
  const seen = { term: 4, votedFor: null, committed: false };
  const given = { term: 4, votedFor: 2, committed: false };

  test("are saved once: the last one says all that the first did", () => {
    const ctx = makeContext();
    expect(writeVote(ctx, seen)).toBe(1);
    expect(writeVote(ctx, given)).toBe(1);
    expect(ctx.out).toEqual([{ type: "saveVote", ioSeq: 1, vote: given }]);
    expect(ctx.state.io).toMatchObject({ issued: 1, outstanding: [{ seq: 1, lastIndex: 0 }] });
  });

  test("keep their place among other writes: one that follows on entries is a write of its own", () => {
    const ctx = makeContext();
    writeVote(ctx, seen);
    append(ctx, 1, 4);
    expect(writeVote(ctx, given)).toBe(3);
    expect(ctx.out.map(({ type }) => type)).toEqual(["saveVote", "append", "saveVote"]);
  });

  test("are not joined with those of the step before, which may be on their way to the disk", () => {
    const ctx = makeContext();
    writeVote(ctx, seen);
    ctx.out = [];
    expect(writeVote(ctx, given)).toBe(2);
    expect(ctx.out).toEqual([{ type: "saveVote", ioSeq: 2, vote: given }]);
  });
});

describe("a truncation lowers what outstanding appends make durable (the ABA race)", () => {
  test("an index that is written again does not count as durable by the old write", () => {
    const ctx = makeContext({ terms: [1, 1] });
    const old = append(ctx, 3, 1, 1, 1);
    writeTruncation(ctx, 4);
    const replacement = append(ctx, 4, 2, 2);
    notePersisted(ctx, old);
    expect(ctx.state.io.durableIndex).toBe(3);
    notePersisted(ctx, old + 1);
    expect(ctx.state.io.durableIndex).toBe(3);
    notePersisted(ctx, replacement);
    expect(ctx.state.io.durableIndex).toBe(5);
  });

  test("what was durable and is truncated is not durable any more", () => {
    const ctx = makeContext({ terms: [1, 1, 1] });
    writeTruncation(ctx, 2);
    expect(ctx.state.io.durableIndex).toBe(1);
    append(ctx, 2, 2);
    notePersisted(ctx, 1);
    expect(ctx.state.io.durableIndex).toBe(1);
  });

  test("two truncations lower it twice", () => {
    const ctx = makeContext();
    const old = append(ctx, 1, 1, 1, 1);
    writeTruncation(ctx, 3);
    append(ctx, 3, 2);
    writeTruncation(ctx, 2);
    notePersisted(ctx, old);
    expect(ctx.state.io.durableIndex).toBe(1);
    notePersisted(ctx, 3);
    expect(ctx.state.io.durableIndex).toBe(1);
  });
});

describe("a report that no log lane can give is a bug", () => {
  test("of a write that was reported before", () => {
    const ctx = makeContext();
    append(ctx, 1, 1);
    notePersisted(ctx, 1);
    expect(() => notePersisted(ctx, 1)).toThrow("persisted write 1 is not between 1 and 1");
  });

  test("of a write that was never asked for", () => {
    const ctx = makeContext();
    append(ctx, 1, 1);
    expect(() => notePersisted(ctx, 2)).toThrow("persisted write 2 is not between 0 and 1");
  });
});

test("what a snapshot holds is durable, whatever the log has of it, and lowers nothing", () => {
  const ctx = makeContext({ terms: [1, 1, 1] });
  noteDurableSnapshot(ctx, 2);
  expect(ctx.state.io.durableIndex).toBe(3);
  noteDurableSnapshot(ctx, 9);
  expect(ctx.state.io.durableIndex).toBe(9);
});
