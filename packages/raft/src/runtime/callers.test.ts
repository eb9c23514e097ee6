import { ShutdownError, UnknownOutcomeError } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { outcomeOf, settled } from "../../test/support/promises.js";
import { Callers } from "./callers.js";

describe("callers", () => {
  test("of an operator are answered by their own id, whichever of the two kinds they are", async () => {
    const callers = new Callers(10);
    const ids: number[] = [];
    const reply = outcomeOf(callers.replies.open((id) => ids.push(id)));
    const change = outcomeOf(callers.changes.open((id) => ids.push(id)));
    const refused = outcomeOf(callers.changes.open((id) => ids.push(id)));
    expect(new Set(ids).size).toBe(3);
    const error = new Error("no");
    callers.reply(ids[2] as number, error);
    callers.reply(ids[1] as number, null);
    callers.reply(ids[0] as number, null);
    callers.reply(ids[0] as number, error);
    await settled();
    expect([reply.values, change.values, refused.errors]).toEqual([[undefined], [null], [error]]);
  });

  test("are bounded, each kind by itself", () => {
    const callers = new Callers(2);
    for (let i = 0; i < 2; i++) void outcomeOf(callers.votes.open(() => {}));
    expect(callers.tooMany(callers.votes)).toMatchObject({ code: "overloaded", what: "requests", limit: 2 });
    expect(callers.tooMany(callers.preVotes)).toBeNull();
  });

  test("get an answer at the end, all of them: who may have changed something an unknown outcome", async () => {
    const callers = new Callers(10);
    const { preVotes, votes, appends, installs, takeOvers, replies, changes } = callers;
    const certain = [preVotes, votes, appends, installs, takeOvers, replies].map((requests) =>
      outcomeOf<unknown>(requests.open(() => {})),
    );
    const change = outcomeOf(changes.open(() => {}));
    const refusal = new ShutdownError();
    const unknown = new UnknownOutcomeError("x");
    callers.rejectAll(refusal, unknown);
    await settled();
    expect(certain.map(({ errors }) => errors)).toEqual(certain.map(() => [refusal]));
    expect(change.errors).toEqual([unknown]);
  });
});
