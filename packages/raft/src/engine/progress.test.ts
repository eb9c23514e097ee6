import { describe, expect, test } from "vitest";
import type { InFlight, Progress } from "./progress.js";
import {
  countFrom,
  isConfirming,
  newProgress,
  noteAnswer,
  noteConflict,
  noteFailure,
  noteIncarnation,
  noteSent,
  noteSnapshotFailed,
  noteSnapshotInstalled,
  noteSnapshotSent,
  noteSuccess,
  takeInFlight,
  usualTrip,
} from "./progress.js";

let seq = 0;

function send(progress: Progress, prevIndex: number, upto: number, round = 0, sentAt = 1000): InFlight {
  const request = { seq: ++seq, prevIndex, upto, round, sentAt };
  noteSent(progress, request, 0);
  return request;
}

/** A follower that is known to have everything up to `matchIndex`. */
function pipelined(matchIndex: number): Progress {
  const progress = newProgress(matchIndex + 1, 0);
  noteSuccess(progress, matchIndex);
  return progress;
}

describe("a new leader", () => {
  test("knows nothing of a follower and probes where its own log ends (figure 2)", () => {
    expect(newProgress(8, 0)).toMatchObject({ matchIndex: 0, nextIndex: 8, mode: "probe", inFlight: [] });
  });
});

describe("a request that goes out", () => {
  test("moves the pipeline on at once", () => {
    const progress = pipelined(4);
    send(progress, 4, 7);
    expect(progress).toMatchObject({ matchIndex: 4, nextIndex: 8, inFlightData: 1, lastSentAt: 1000 });
  });

  test("moves nothing while probing", () => {
    const progress = newProgress(5, 0);
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
    const progress = newProgress(5, 0);
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
    noteAnswer(progress, send(progress, 4, 4), 1000);
    expect(progress).toMatchObject({ failures: 0, retryAt: Number.NEGATIVE_INFINITY });
  });

  test("tells which round it confirms and when it was asked for, and one that comes late lowers neither", () => {
    const progress = pipelined(4);
    expect(progress).toMatchObject({ ackedRound: 0, ackedSentAt: Number.NEGATIVE_INFINITY });
    const older = send(progress, 4, 4, 2, 1000);
    const newer = send(progress, 4, 4, 3, 1070);
    noteAnswer(progress, newer, 1000);
    expect(progress).toMatchObject({ ackedRound: 3, ackedSentAt: 1070 });
    noteAnswer(progress, older, 1000);
    expect(progress).toMatchObject({ ackedRound: 3, ackedSentAt: 1070 });
  });

  test("counts from when its request was sent, not from when something was last sent", () => {
    const progress = pipelined(4);
    const first = send(progress, 4, 4, 0, 1000);
    send(progress, 4, 4, 0, 1070);
    noteAnswer(progress, first, 1000);
    expect(progress).toMatchObject({ ackedSentAt: 1000, lastSentAt: 1070 });
  });
});

describe("how long a follower takes", () => {
  test("is smoothed over its answers to entries: heartbeats wait for no disk", () => {
    const progress = pipelined(4);
    expect(usualTrip(progress, 5000)).toBe(0);
    noteAnswer(progress, send(progress, 4, 5, 0, 1000), 1008);
    expect(progress.tripMs).toBe(8);
    noteAnswer(progress, send(progress, 5, 6, 0, 1000), 1016);
    expect(progress.tripMs).toBe(9);
    noteAnswer(progress, send(progress, 6, 6, 0, 1000), 1100);
    expect(progress.tripMs).toBe(9);
  });

  test("is at least how long it has been waited for", () => {
    const progress = pipelined(4);
    progress.tripMs = 8;
    const first = send(progress, 4, 5, 0, 1000);
    send(progress, 5, 6, 0, 1010);
    expect(usualTrip(progress, 1006)).toBe(8);
    expect(usualTrip(progress, 1020)).toBe(20);
    takeInFlight(progress, first.seq);
    expect(usualTrip(progress, 1020)).toBe(10);
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
    noteAnswer(progress, later, 1000);
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
    const progress = newProgress(5, 0);
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
    const progress = newProgress(9, 0);
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
    const progress = newProgress(5, 0);
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

describe("a snapshot on its way", () => {
  function sending(): Progress {
    const progress = pipelined(4);
    send(progress, 4, 7);
    noteSnapshotSent(progress, 40, 9);
    return progress;
  }

  test("takes the place of all requests, and is known by its name and its end", () => {
    expect(sending()).toMatchObject({
      mode: "snapshot",
      snapshotSeq: 40,
      snapshotIndex: 9,
      inFlight: [],
      inFlightData: 0,
      matchIndex: 4,
    });
  });

  test("leaves the place of the next entry to heartbeats, which carry none", () => {
    const progress = sending();
    const { nextIndex } = progress;
    send(progress, 9, 9);
    expect(progress).toMatchObject({ nextIndex, inFlightData: 0 });
  });

  test("is what a conflict asks for: it is no news, and no old answer", () => {
    const progress = sending();
    const heartbeat = send(progress, 9, 9);
    expect(noteConflict(progress, 9, 5)).toBe(true);
    expect(progress).toMatchObject({ mode: "snapshot", snapshotSeq: 40 });
    expect(progress.inFlight).toEqual([heartbeat]);
  });

  test("goes on when a heartbeat fails, and pauses those", () => {
    const progress = sending();
    const { nextIndex } = progress;
    noteFailure(progress, 1000, 20, 100);
    expect(progress).toMatchObject({
      mode: "snapshot",
      snapshotSeq: 40,
      nextIndex,
      failures: 1,
      retryAt: 1020,
    });
  });

  test("that is installed opens the pipeline after its end, whatever failed meanwhile", () => {
    const progress = sending();
    noteFailure(progress, 1000, 20, 100);
    noteSnapshotInstalled(progress, 9);
    expect(progress).toMatchObject({
      mode: "pipeline",
      matchIndex: 9,
      nextIndex: 10,
      snapshotSeq: 0,
      failures: 0,
      retryAt: Number.NEGATIVE_INFINITY,
    });
  });

  test("that did not get through leaves what is known, to be found out anew", () => {
    const progress = sending();
    noteSnapshotFailed(progress);
    expect(progress).toMatchObject({ mode: "probe", snapshotSeq: 0, matchIndex: 4 });
  });

  test("is not needed any more when the follower turns out to have what comes before the next entry", () => {
    const progress = sending();
    noteSuccess(progress, 9);
    expect(progress).toMatchObject({ mode: "pipeline", snapshotSeq: 0, matchIndex: 9 });
  });
});

test("a follower is counted from when it was told, and answers from the store it said last", () => {
  const progress = newProgress(5, 1000);
  expect(progress).toMatchObject({ countedSince: 1000, incarnation: 0 });
  countFrom(progress, 1070);
  noteIncarnation(progress, 12);
  expect(progress).toMatchObject({
    countedSince: 1070,
    incarnation: 12,
    ackedSentAt: Number.NEGATIVE_INFINITY,
  });
});
