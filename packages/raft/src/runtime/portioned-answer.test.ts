import type { AppendEntriesResponse } from "@seshat/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logId } from "../../test/support/values.js";
import { PortionedAnswer } from "./portioned-answer.js";

function success(matchIndex: number): AppendEntriesResponse {
  return { type: "success", term: 2, matchIndex };
}
const CONFLICT: AppendEntriesResponse = { type: "conflict", term: 2, hint: logId(1, 3) };
const REFUSED: AppendEntriesResponse = { type: "refused", term: 9 };
/** The store that answers come from. */
const STORE = 77;

function answerTo(portions: number): {
  answer: PortionedAnswer;
  answers: (AppendEntriesResponse | null)[];
  stores: number[];
} {
  const answers: (AppendEntriesResponse | null)[] = [];
  const stores: number[] = [];
  const answer = new PortionedAnswer(portions, (response, incarnation) => {
    answers.push(response);
    stores.push(incarnation);
  });
  return { answer, answers, stores };
}

describe("the answer to a request in portions", () => {
  test("of one portion is the answer to that, whatever it is", () => {
    for (const response of [success(5), CONFLICT, REFUSED]) {
      const { answer, answers } = answerTo(1);
      expect(answer.settled).toBe(false);
      answer.answered(0, response, STORE);
      expect(answers).toEqual([response]);
      expect(answer.settled).toBe(true);
    }
    const { answer, answers } = answerTo(1);
    answer.lost();
    expect(answers).toEqual([null]);
  });

  test("is the success of the last one, which speaks for all before it", () => {
    const { answer, answers } = answerTo(3);
    answer.answered(0, success(2), STORE);
    answer.answered(2, success(6), STORE);
    expect(answers).toEqual([success(6)]);
    answer.answered(1, success(4), STORE);
    expect(answers).toHaveLength(1);
  });

  test("is a conflict when the first does not fit: the rest need not be sent", () => {
    const { answer, answers } = answerTo(3);
    answer.answered(0, CONFLICT, STORE);
    expect(answers).toEqual([CONFLICT]);
    expect(answer.settled).toBe(true);
  });

  test("is none when it comes from two stores: what the one acknowledged before it was erased, the other does not have", () => {
    for (const second of [CONFLICT, success(6)]) {
      const { answer, answers } = answerTo(3);
      answer.answered(0, success(2), STORE);
      answer.answered(1, second, STORE + 1);
      answer.lost();
      expect(answers).toEqual([null]);
    }
  });

  test("is a refusal when any is refused: the leader's term is over", () => {
    const { answer, answers } = answerTo(3);
    answer.answered(0, success(2), STORE);
    answer.answered(1, REFUSED, STORE);
    expect(answers).toEqual([REFUSED]);
  });

  test("is what arrived when a later one was lost, so that it is not sent again", () => {
    const { answer, answers } = answerTo(3);
    answer.answered(0, success(2), STORE);
    answer.lost();
    expect(answers).toEqual([]);
    answer.answered(2, CONFLICT, STORE);
    expect(answers).toEqual([success(2)]);
  });

  test("is no conflict when a later one overtook the first", () => {
    const { answer, answers } = answerTo(2);
    answer.answered(1, CONFLICT, STORE);
    expect(answers).toEqual([]);
    answer.answered(0, success(2), STORE);
    expect(answers).toEqual([success(2)]);
  });

  test("is the highest success, in whatever order they come", () => {
    const { answer, answers } = answerTo(4);
    answer.answered(2, success(6), STORE);
    answer.answered(0, success(2), STORE);
    answer.lost();
    answer.lost();
    expect(answers).toEqual([success(6)]);
  });

  test("comes from the store that gave it, and from none when nobody did", () => {
    const { answer, stores } = answerTo(2);
    answer.answered(0, success(2), STORE);
    answer.lost();
    expect(stores).toEqual([STORE]);
    const lost = answerTo(1);
    lost.answer.lost();
    expect(lost.stores).toEqual([0]);
  });

  test("comes once, and at the latest with the last portion (property)", () => {
    const outcome = fc.constantFrom("success", "conflict", "refused", "lost");
    fc.assert(
      fc.property(
        fc.array(outcome, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (outcomes, picks) => {
          const { answer, answers } = answerTo(outcomes.length);
          const left = outcomes.map((what, i) => ({ what, i }));
          while (left.length > 0) {
            const [{ what, i }] = left.splice((picks.next().value as number) % left.length, 1) as [
              (typeof left)[0],
            ];
            if (what === "success") answer.answered(i, success(2 * (i + 1)), STORE);
            else if (what === "lost") answer.lost();
            else answer.answered(i, what === "refused" ? REFUSED : CONFLICT, STORE);
            expect(answers.length).toBeLessThanOrEqual(1);
          }
          expect(answers).toHaveLength(1);
        },
      ),
    );
  });
});
