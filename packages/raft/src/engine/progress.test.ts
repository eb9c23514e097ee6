import { describe, expect, test } from "vitest";
import type { InFlight, Progress } from "./progress.js";
import {
  isConfirming,
  newProgress,
  noteAnswer,
  noteConflict,
  noteFailure,
  noteSent,
  noteSuccess,
  takeInFlight,
} from "./progress.js";

let seq = 0;

function send(progress: Progress, prevIndex: number, upto: number, round = 0, sentAt = 1000): InFlight {
  const request = { seq: ++seq, prevIndex, upto, round, sentAt };
  noteSent(progress, request, 0);
  return request;
}

/** A follower that is known to have everything up to `matchIndex`. */
function pipelined(matchIndex: number): Progress {
  const progress = newProgress(matchIndex + 1);
  noteSuccess(progress, matchIndex);
  return progress;
}

describe("a new leader", () => {
  test("knows nothing of a follower and probes where its own log ends (figure 2)", () => {
    expect(newProgress(8)).toMatchObject({ matchIndex: 0, nextIndex: 8, mode: "probe", inFlight: [] });
  });
});

describe("a request that goes out", () => {
  test("moves the pipeline on at once", () => {
    const progress = pipelined(4);
    send(progress, 4, 7);
    expect(progress).toMatchObject({ matchIndex: 4, nextIndex: 8, inFlightData: 1, lastSentAt: 1000 });
  });

  test("moves nothing while probing", () => {
    const progress = newProgress(5);
    send(progress, 4, 7);
    expect(progress).toMatchObject({ nextIndex: 5, inFlightData: 1 });
  });

  test("without entries takes no place in the window", () => {
    const progress = pipelined(4);
    send(progress, 4, 4);
    expect(progress).toMatchObject({ nextIndex: 5, inFlightData: 0 });
    expect(progress.inFlight).toHaveLength(1);
  });

  test("remembers the highest commit index that the follower was told", () => {
    const progress = newProgress(5);
    noteSent(progress, { seq: 1, prevIndex: 4, upto: 4, round: 0, sentAt: 1000 }, 4);
    noteSent(progress, { seq: 2, prevIndex: 4, upto: 4, round: 0, sentAt: 1000 }, 3);
    expect(progress.toldCommit).toBe(4);
  });
});

describe("an answer", () => {
  test("is taken once: repeated or late, it answers nothing", () => {
    const progress = pipelined(4);
    const request = send(progress, 4, 7);
    expect(takeInFlight(progress, request.seq)).toEqual(request);
    expect(progress.inFlightData).toBe(0);
    expect(takeInFlight(progress, request.seq)).toBeUndefined();
    expect(progress.inFlightData).toBe(0);
  });

  test("may come out of order", () => {
    const progress = pipelined(4);
    const first = send(progress, 4, 5);
    const second = send(progress, 5, 6);
    expect(takeInFlight(progress, second.seq)).toEqual(second);
    expect(progress.inFlight).toEqual([first]);
  });

  test("of any kind ends the pause after failures", () => {
    const progress = pipelined(4);
    noteFailure(progress, 1000, 20, 100);
    noteFailure(progress, 1000, 20, 100);
    noteAnswer(progress, send(progress, 4, 4));
    expect(progress).toMatchObject({ failures: 0, retryAt: Number.NEGATIVE_INFINITY });
  });

  test("tells which round it confirms and when it was asked for, and one that comes late lowers neither", () => {
    const progress = pipelined(4);
    expect(progress).toMatchObject({ ackedRound: 0, ackedSentAt: Number.NEGATIVE_INFINITY });
    const older = send(progress, 4, 4, 2, 1000);
    const newer = send(progress, 4, 4, 3, 1070);
    noteAnswer(progress, newer);
    expect(progress).toMatchObject({ ackedRound: 3, ackedSentAt: 1070 });
    noteAnswer(progress, older);
    expect(progress).toMatchObject({ ackedRound: 3, ackedSentAt: 1070 });
  });

  test("counts from when its request was sent, not from when something was last sent", () => {
    const progress = pipelined(4);
    const first = send(progress, 4, 4, 0, 1000);
    send(progress, 4, 4, 0, 1070);
    noteAnswer(progress, first);
    expect(progress).toMatchObject({ ackedSentAt: 1000, lastSentAt: 1070 });
  });
});

describe("a follower is being asked to confirm a round", () => {
  test("from the message without entries that asks it to its answer", () => {
    const progress = pipelined(4);
    expect(isConfirming(progress)).toBe(false);
    const asked = send(progress, 4, 4, 1);
    expect(isConfirming(progress)).toBe(true);
    takeInFlight(progress, asked.seq);
    expect(isConfirming(progress)).toBe(false);
  });

  test("no more when it has answered a later one", () => {
    const progress = pipelined(4);
    send(progress, 4, 4, 1);
    const later = send(progress, 4, 4, 2);
    takeInFlight(progress, later.seq);
    noteAnswer(progress, later);
    expect(isConfirming(progress)).toBe(false);
  });

  test("not by entries, whose answer waits for a disk, nor by a heartbeat from before the round", () => {
    const progress = pipelined(4);
    send(progress, 4, 4, 0);
    send(progress, 4, 7, 1);
    expect(isConfirming(progress)).toBe(false);
  });
});

describe("success", () => {
  test("raises what matches and opens the pipeline", () => {
    const progress = newProgress(5);
    noteSuccess(progress, 7);
    expect(progress).toMatchObject({ matchIndex: 7, nextIndex: 8, mode: "pipeline" });
  });

  test("that comes late lowers nothing", () => {
    const progress = pipelined(9);
    noteSuccess(progress, 10);
    noteSuccess(progress, 6);
    expect(progress).toMatchObject({ matchIndex: 10, nextIndex: 11 });
  });

  test("leaves what the pipeline has sent ahead", () => {
    const progress = pipelined(4);
    send(progress, 4, 9);
    noteSuccess(progress, 6);
    expect(progress).toMatchObject({ matchIndex: 6, nextIndex: 10 });
  });
});

describe("a conflict", () => {
  test("goes back to where the logs can agree, and asks one by one", () => {
    const progress = pipelined(0);
    const later = send(progress, 8, 9);
    expect(noteConflict(progress, 8, 5)).toBe(true);
    expect(progress).toMatchObject({ nextIndex: 5, mode: "probe", inFlightData: 0 });
    expect(takeInFlight(progress, later.seq)).toBeUndefined();
  });

  test("goes back at least one step, whatever the hint says", () => {
    const progress = newProgress(9);
    noteConflict(progress, 8, 20);
    expect(progress.nextIndex).toBe(8);
  });

  test("never goes back to what is known to match", () => {
    const progress = pipelined(6);
    noteConflict(progress, 8, 2);
    expect(progress.nextIndex).toBe(7);
  });

  test("at or below what matches is an old answer and moves nothing", () => {
    const progress = pipelined(6);
    send(progress, 6, 9);
    expect(noteConflict(progress, 6, 3)).toBe(false);
    expect(progress).toMatchObject({ matchIndex: 6, nextIndex: 10, mode: "pipeline" });
    expect(progress.inFlight).toHaveLength(1);
  });
});

describe("a failure", () => {
  test("begins again after what is known to match, and counts nothing that was in flight", () => {
    const progress = pipelined(4);
    const lost = send(progress, 4, 7);
    noteFailure(progress, 1000, 20, 100);
    expect(progress).toMatchObject({ matchIndex: 4, nextIndex: 5, mode: "probe", inFlightData: 0 });
    expect(takeInFlight(progress, lost.seq)).toBeUndefined();
  });

  test("before anything is known keeps the place to probe", () => {
    const progress = newProgress(5);
    noteFailure(progress, 1000, 20, 100);
    expect(progress.nextIndex).toBe(5);
  });

  test("pauses for twice as long each time, up to a limit", () => {
    const progress = pipelined(4);
    const pauses = [1, 2, 3, 4, 5].map(() => {
      noteFailure(progress, 1000, 20, 100);
      return progress.retryAt - 1000;
    });
    expect(pauses).toEqual([20, 40, 80, 100, 100]);
  });

  test("after thousands of others still pauses for the limit", () => {
    const progress = pipelined(4);
    for (let i = 0; i < 5000; i++) noteFailure(progress, 1000, 20, 100);
    expect(progress.retryAt).toBe(1100);
  });
});
