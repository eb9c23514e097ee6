import type { LogId } from "@seshat/common";
import { describe, expect, test } from "vitest";
import { nodeWith, statusWith } from "../../test/support/fake-target.js";
import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";
import { statusTable } from "./status-table.js";

const id = (term: number, index: number): LogId => ({ term, index });

const STATUS: KeyValueClusterStatus = statusWith({
  leaderId: 2,
  membership: { configs: [[1, 2, 3]], learners: [4], joint: false },
  nodes: [
    nodeWith({
      nodeId: 1,
      state: "down",
      term: null,
      lastLogId: null,
      committed: null,
      lastApplied: null,
      snapshot: null,
      purged: null,
      lag: null,
      mode: "probe",
    }),
    nodeWith({
      nodeId: 2,
      term: 3,
      lastLogId: id(3, 1206),
      committed: id(3, 1205),
      lastApplied: id(3, 1204),
      snapshot: id(2, 1000),
      purged: id(2, 900),
      lag: 1,
    }),
    nodeWith({ nodeId: 3, state: "follower", term: 2, lastLogId: id(2, 900), lag: 306, mode: "pipeline" }),
    nodeWith({
      nodeId: 4,
      state: "learner",
      member: "learner",
      term: 3,
      lag: 1205,
      mode: "snapshot",
      snapshotProgress: { offset: 459, size: 1000 },
    }),
  ],
  partition: [[1, 2, 4], [3]],
  lastApplied: id(3, 1204),
  keys: 1,
  snapshotsTaken: 2,
});

function lastLines(changes: Partial<KeyValueClusterStatus>): readonly string[] {
  const status = { ...STATUS, ...changes };
  return statusTable(status)
    .trimEnd()
    .split("\n")
    .slice(1 + status.nodes.length);
}

describe("statusTable", () => {
  test("has a row for each node, then who belongs to the cluster and which links are cut", () => {
    expect(statusTable(STATUS)).toBe(
      [
        "node  role      member   term  last log  committed  applied  snapshot  purged  lag   mode",
        "1     down      voter    -     -         -          -        -         -       -     probe",
        "2     leader    voter    3     3-1206    3-1205     3-1204   2-1000    2-900   1     -",
        "3     follower  voter    2     2-900     none       none     none      none    306   pipeline",
        "4     learner   learner  3     none      none       none     none      none    1205  snapshot 45%",
        "members: voters 1, 2, 3; learners 4",
        "links: cut between 1,2,4 | 3; 1 key, 2 snapshots taken",
        "",
      ].join("\n"),
    );
    expect(lastLines({ partition: null, keys: 2 })).toContain("links: whole; 2 keys, 2 snapshots taken");
  });

  test("shows a joint membership as the move that it is", () => {
    const membership = {
      configs: [
        [1, 2, 3],
        [3, 4, 5],
      ],
      learners: [],
      joint: true,
    };
    expect(lastLines({ membership })[0]).toBe("members: joint, from the voters 1, 2, 3 to 3, 4, 5");
  });

  test("knows no members while no node leads", () => {
    expect(lastLines({ membership: null, leaderId: null })[0]).toBe("members: unknown while no node leads");
  });

  test("tells of a leadership that is handed over, and of storage that hangs", () => {
    const nodes = [nodeWith({ nodeId: 3, state: "follower", stalled: "append" }), nodeWith({ nodeId: 2 })];
    expect(lastLines({ nodes, transferTarget: 4 })).toEqual([
      "node 3 is stalled: its storage has been trying to append for too long",
      "members: voters 1, 2, 3; learners 4",
      "node 2 is handing the leadership over to node 4",
      "links: cut between 1,2,4 | 3; 1 key, 2 snapshots taken",
    ]);
  });

  test("an empty snapshot on its way has arrived", () => {
    const nodes = [nodeWith({ mode: "snapshot", snapshotProgress: { offset: 0, size: 0 } })];
    expect(statusTable({ ...STATUS, nodes })).toContain("snapshot 100%\n");
  });
});
