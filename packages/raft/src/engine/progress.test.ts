import { describe, expect, test } from "vitest";
import type { InFlight, Progress } from "./progress.js";
import { newProgress, noteConflict, noteFailure, noteSent, noteSuccess, takeInFlight } from "./progress.js";

let seq = 0;

function send(progress: Progress, prevIndex: number, upto: number, round = 0): InFlight {
  const request = { seq: ++seq, prevIndex, upto, round };
  noteSent(progress, request, 0, 1000);
  return request;
}

/** A follower that is known to have everything up to `matchIndex`. */
function pipelined(matchIndex: number): Progress {
  const progress = newProgress(matchIndex + 1);
  noteSuccess(progress, matchIndex, 0);
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
    noteSent(progress, { seq: 1, prevIndex: 4, upto: 4, round: 0 }, 4, 1000);
    noteSent(progress, { seq: 2, prevIndex: 4, upto: 4, round: 0 }, 3, 1000);
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
});

describe("success", () => {
  test("raises what matches and opens the pipeline", () => {
    const progress = newProgress(5);
    noteSuccess(progress, 7, 3);
    expect(progress).toMatchObject({ matchIndex: 7, nextIndex: 8, mode: "pipeline", ackedRound: 3 });
  });

  test("that comes late lowers nothing", () => {
    const progress = pipelined(9);
    noteSuccess(progress, 10, 5);
    noteSuccess(progress, 6, 4);
    expect(progress).toMatchObject({ matchIndex: 10, nextIndex: 11, ackedRound: 5 });
  });

  test("leaves what the pipeline has sent ahead", () => {
    const progress = pipelined(4);
    send(progress, 4, 9);
    noteSuccess(progress, 6, 0);
    expect(progress).toMatchObject({ matchIndex: 6, nextIndex: 10 });
  });

  test("ends the pause after failures", () => {
    const progress = pipelined(4);
    noteFailure(progress, 1000, 20, 100);
    noteFailure(progress, 1000, 20, 100);
    noteSuccess(progress, 4, 0);
    expect(progress).toMatchObject({ failures: 0, retryAt: Number.NEGATIVE_INFINITY });
  });
});

describe("a conflict", () => {
  test("goes back to where the logs can agree, and asks one by one", () => {
    const progress = pipelined(0);
    const later = send(progress, 8, 9);
    expect(noteConflict(progress, 8, 5, 2)).toBe(true);
    expect(progress).toMatchObject({ nextIndex: 5, mode: "probe", ackedRound: 2, inFlightData: 0 });
    expect(takeInFlight(progress, later.seq)).toBeUndefined();
  });

  test("goes back at least one step, whatever the hint says", () => {
    const progress = newProgress(9);
    noteConflict(progress, 8, 20, 0);
    expect(progress.nextIndex).toBe(8);
  });

  test("never goes back to what is known to match", () => {
    const progress = pipelined(6);
    noteConflict(progress, 8, 2, 0);
    expect(progress.nextIndex).toBe(7);
  });

  test("at or below what matches is an old answer and moves nothing", () => {
    const progress = pipelined(6);
    send(progress, 6, 9);
    expect(noteConflict(progress, 6, 3, 4)).toBe(false);
    expect(progress).toMatchObject({ matchIndex: 6, nextIndex: 10, mode: "pipeline", ackedRound: 4 });
    expect(progress.inFlight).toHaveLength(1);
  });

  test("is an answer: the peer is there, and the pause ends", () => {
    const progress = newProgress(9);
    noteFailure(progress, 1000, 20, 100);
    noteConflict(progress, 8, 5, 0);
    expect(progress).toMatchObject({ failures: 0, retryAt: Number.NEGATIVE_INFINITY });
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
