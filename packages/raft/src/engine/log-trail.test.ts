import type { LogId } from "@seshat/common";
import { ZERO_LOG_ID } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { id, trail } from "../../test/engine-harness.js";
import { LogTrail } from "./log-trail.js";

/** The same log as a plain array of terms, told by looking at every entry. */
class Model {
  purged: LogId = ZERO_LOG_ID;
  terms: number[] = [];

  get last(): LogId {
    const term = this.terms.at(-1);
    return term === undefined ? this.purged : id(term, this.purged.index + this.terms.length);
  }

  termAt(index: number): number | undefined {
    return index === this.purged.index ? this.purged.term : this.terms[index - this.purged.index - 1];
  }

  lastNoNewerThan(index: number, term: number): LogId {
    for (let i = Math.min(index, this.last.index); i > this.purged.index; i--) {
      const found = this.termAt(i) as number;
      if (found <= term) return id(found, i);
    }
    return this.purged;
  }
}

type Change =
  | { readonly type: "extend"; readonly newer: number; readonly count: number }
  | { readonly type: "truncate"; readonly back: number }
  | { readonly type: "purge"; readonly ahead: number; readonly newer: number };

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("extend" as const),
      newer: fc.nat(2),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("truncate" as const), back: fc.nat(6) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("purge" as const), ahead: fc.nat(8), newer: fc.nat(1) }),
  },
);

function change(log: LogTrail, model: Model, step: Change): void {
  switch (step.type) {
    case "extend": {
      const term = model.last.term + step.newer;
      log.extend(term, model.last.index + step.count);
      for (let i = 0; i < step.count; i++) model.terms.push(term);
      return;
    }
    case "truncate": {
      const since = Math.max(model.purged.index + 1, model.last.index + 1 - step.back);
      log.truncate(since);
      model.terms.length = since - model.purged.index - 1;
      return;
    }
    case "purge": {
      const index = model.purged.index + step.ahead;
      const upto = id((model.termAt(index) ?? model.last.term) + step.newer, index);
      if (upto.index <= model.purged.index) return log.purge(upto);
      const keeps = model.termAt(index) === upto.term;
      model.terms = keeps ? model.terms.slice(step.ahead) : [];
      model.purged = upto;
      return log.purge(upto);
    }
    default:
      return step satisfies never;
  }
}

test("a trail answers as an array of all terms would, whatever was appended, truncated and purged", () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 20 }), fc.nat(30), fc.nat(20), (changes, index, term) => {
      const log = new LogTrail();
      const model = new Model();
      for (const step of changes) {
        change(log, model, step);
        expect(log.last).toEqual(model.last);
        expect(log.purged).toEqual(model.purged);
      }
      for (let i = 0; i <= model.last.index + 2; i++) expect(log.termAt(i)).toBe(model.termAt(i));
      expect(log.lastNoNewerThan(index, term)).toEqual(model.lastNoNewerThan(index, term));
      expect(new LogTrail(log.purged, log.last, log.ranges())).toEqual(log);
    }),
    { numRuns: 300 },
  );
});

describe("which entries a trail has", () => {
  const log = trail([2, 2, 5], id(1, 10));

  test("those between the purged one and the last, and the purged one itself", () => {
    expect([id(1, 10), id(2, 11), id(2, 12), id(5, 13)].map((each) => log.has(each))).toEqual(
      Array(4).fill(true),
    );
  });

  test("none of another term, past the end, or before the purged one", () => {
    expect([id(2, 10), id(2, 13), id(5, 14), id(1, 9), ZERO_LOG_ID].map((each) => log.has(each))).toEqual(
      Array(5).fill(false),
    );
  });

  test("an unknown index has no log id, and asking for it is a bug", () => {
    expect(log.at(12)).toEqual(id(2, 12));
    expect(() => log.at(9)).toThrow("index 9 is not between 10 and 13");
    expect(() => log.at(14)).toThrow("index 14 is not between 10 and 13");
  });

  test("the position before the first entry belongs to a whole log", () => {
    expect(new LogTrail().has(ZERO_LOG_ID)).toBe(true);
  });
});

describe("where two logs can still agree (section 5.3)", () => {
  const log = trail([1, 1, 2, 2, 4]);

  test("at the newest entry that is no newer by index and by term", () => {
    expect(log.lastNoNewerThan(5, 4)).toEqual(id(4, 5));
    expect(log.lastNoNewerThan(5, 3)).toEqual(id(2, 4));
    expect(log.lastNoNewerThan(9, 1)).toEqual(id(1, 2));
    expect(log.lastNoNewerThan(3, 9)).toEqual(id(2, 3));
  });

  test("before the log when everything in it is newer", () => {
    expect(log.lastNoNewerThan(5, 0)).toEqual(ZERO_LOG_ID);
    expect(trail([3], id(2, 7)).lastNoNewerThan(8, 2)).toEqual(id(2, 7));
  });
});

describe("truncation is inclusive", () => {
  test("the entry at the bound goes", () => {
    const log = trail([1, 1, 2]);
    log.truncate(2);
    expect(log.last).toEqual(id(1, 1));
  });

  test("the first entry of a term takes its term along", () => {
    const log = trail([1, 1, 2]);
    log.truncate(3);
    expect(log.last).toEqual(id(1, 2));
    expect(log.ranges()).toEqual([{ term: 1, firstIndex: 1 }]);
  });

  test("down to what is purged, and no further", () => {
    const log = trail([3, 3], id(2, 5));
    log.truncate(6);
    expect(log.last).toEqual(id(2, 5));
    expect(() => log.truncate(5)).toThrow("cannot truncate the purged entry 5");
  });
});

describe("a trail objects to", () => {
  test("entries that are there already", () => {
    expect(() => trail([1, 1]).extend(1, 2)).toThrow("cannot extend 2 to 2");
  });

  test("a term that falls", () => {
    expect(() => trail([3]).extend(2, 2)).toThrow("term 2 after 3");
    expect(() => trail([], id(3, 9)).extend(2, 10)).toThrow("term 2 after 3");
  });

  test("ranges without entries, and entries without ranges", () => {
    expect(() => new LogTrail(ZERO_LOG_ID, id(1, 1), [])).toThrow("ranges do not cover the log");
    expect(() => new LogTrail(ZERO_LOG_ID, ZERO_LOG_ID, [{ term: 1, firstIndex: 1 }])).toThrow("ranges");
  });
});

describe("purging", () => {
  test("keeps the term of the purged entry, and the range it cuts", () => {
    const log = trail([1, 1, 1, 2]);
    log.purge(id(1, 2));
    expect(log.termAt(2)).toBe(1);
    expect(log.ranges()).toEqual([
      { term: 1, firstIndex: 3 },
      { term: 2, firstIndex: 4 },
    ]);
  });

  test("an entry that is purged already changes nothing", () => {
    const log = trail([1, 1], id(1, 5));
    log.purge(id(1, 3));
    expect(log.purged).toEqual(id(1, 5));
  });

  test("past the end, or against what stood there, empties the log, which goes on after it", () => {
    const past = trail([1, 1]);
    past.purge(id(4, 9));
    expect(past.last).toEqual(id(4, 9));
    const against = trail([1, 1, 1]);
    against.purge(id(2, 2));
    expect(against.last).toEqual(id(2, 2));
    against.extend(2, 3);
    expect(against.termAt(3)).toBe(2);
  });
});
