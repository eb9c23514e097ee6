import {
  InvalidChangeError,
  NotLeaderError,
  QuorumNotEnoughError,
  TimeoutError,
  TransferFailedError,
} from "@seshat/common";
import { expect, test } from "vitest";
import { adviceFor } from "./advice.js";

test.each([
  [new TransferFailedError(3, "notAVoter"), "; ADD 3 makes it one"],
  [new TransferFailedError(3, "timeout"), "linked and in step"],
  [new TransferFailedError(3, "otherLeader"), "who leads"],
  [new InvalidChangeError("no other voter answers that could lead"), "who is down"],
  [new NotLeaderError(null, null), "a majority of the voters must run"],
  [new QuorumNotEnoughError(), "RESTART, HEAL"],
  [new TimeoutError("the election of a leader", 1), "STATUS shows who is down or cut off"],
])("%s comes with what to do", (error, words) => {
  expect(adviceFor(error)).toContain(words);
});

test.each([new TimeoutError("something else", 1), new Error("any")])(
  "%s says all there is to say",
  (error) => {
    expect(adviceFor(error)).toBe("");
  },
);
