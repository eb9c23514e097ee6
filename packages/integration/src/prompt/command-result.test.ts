import { describe, expect, test } from "vitest";
import { bytes } from "../../test/support/bytes.js";
import type { KeyValueClusterStatus } from "../cluster/key-value-cluster-status.js";
import { statusWith } from "../../test/support/fake-target.js";
import type { CommandResult } from "./command-result.js";
import { formatResult } from "./command-result.js";

const ANY_BYTES: CommandResult = { type: "bytes", value: bytes('a\n"\0\xff') };

describe("formatResult", () => {
  test.each<[CommandResult, string]>([
    [{ type: "ok" }, "OK\n"],
    [{ type: "integer", value: 12 }, "(integer) 12\n"],
    [{ type: "nil" }, "(nil)\n"],
    [ANY_BYTES, '"a\\n\\"\\x00\\xff"\n'],
    [{ type: "bytes", value: bytes("(nil)") }, '"(nil)"\n'],
    [{ type: "text", text: "two\nlines" }, "two\nlines\n"],
  ])("%j is written as redis-cli shows it on a terminal", (result, written) => {
    expect(formatResult(result, "quoted")).toBe(written);
    expect(formatResult(result, "terminal")).toBe(written);
  });

  test.each<[CommandResult, string | Uint8Array]>([
    [{ type: "ok" }, "OK\n"],
    [{ type: "integer", value: 12 }, "12\n"],
    [{ type: "nil" }, "\n"],
    [ANY_BYTES, bytes('a\n"\0\xff\n')],
  ])("raw, %j is written as redis-cli writes it to a pipe", (result, written) => {
    expect(formatResult(result, "raw")).toEqual(written);
  });

  const status = statusWith({
    term: 3,
    lastApplied: { term: 3, index: 40 },
    snapshot: { term: 2, index: 30 },
    keys: 5,
    snapshotsTaken: 4,
    restarts: 2,
  });

  test("a status is one line of JSON, for programs", () => {
    const line = formatResult({ type: "status", status }, "quoted") as string;
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual(status);
    expect(formatResult({ type: "status", status }, "raw")).toBe(line);
  });

  test("on a terminal a status is a table, for people", () => {
    const table = formatResult({ type: "status", status }, "terminal");
    expect(table).toContain("node          1, leader in term 3\n");
    expect(table).toContain("last applied  3-40\n");
    expect(table).toContain("snapshot      2-30 (4 taken)\n");
    expect(table).toContain("purged        none\n");
    expect(table).toContain("restarts      2\n");
  });

  const id = (term: number, index: number) => ({ term, index });
  const clusterStatus: KeyValueClusterStatus = {
    leaderId: 2,
    nodes: [
      {
        nodeId: 1,
        state: "down",
        term: null,
        lastLogId: null,
        committed: null,
        lastApplied: null,
        snapshot: null,
        purged: null,
        lag: null,
      },
      {
        nodeId: 2,
        state: "leader",
        term: 3,
        lastLogId: id(3, 1205),
        committed: id(3, 1205),
        lastApplied: id(3, 1204),
        snapshot: id(2, 1000),
        purged: id(0, 0),
        lag: 1,
      },
      {
        nodeId: 3,
        state: "follower",
        term: 2,
        lastLogId: id(2, 900),
        committed: id(2, 899),
        lastApplied: id(2, 899),
        snapshot: id(0, 0),
        purged: id(0, 0),
        lag: 306,
      },
    ],
    partition: [[1, 2], [3]],
    lastApplied: id(3, 1204),
    keys: 1,
    snapshotsTaken: 2,
  };

  test("the status of several nodes is one line of JSON, for programs", () => {
    const line = formatResult({ type: "clusterStatus", status: clusterStatus }, "quoted") as string;
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual(clusterStatus);
    expect(formatResult({ type: "clusterStatus", status: clusterStatus }, "raw")).toBe(line);
  });

  test("on a terminal the status of several nodes is a table with a row for each, and says which links are cut", () => {
    expect(formatResult({ type: "clusterStatus", status: clusterStatus }, "terminal")).toBe(
      [
        "node  role      term  last log  committed  applied  snapshot  lag",
        "1     down      -     -         -          -        -         -",
        "2     leader    3     3-1205    3-1205     3-1204   2-1000    1",
        "3     follower  2     2-900     2-899      2-899    none      306",
        "links: cut between 1,2 | 3; 1 key, 2 snapshots taken",
        "",
      ].join("\n"),
    );
    const whole = formatResult(
      { type: "clusterStatus", status: { ...clusterStatus, partition: null, keys: 2 } },
      "terminal",
    );
    expect(whole).toContain("links: whole; 2 keys, 2 snapshots taken\n");
  });

  test("on a terminal the status says which nodes cannot catch up, because the leader has purged what they lack", () => {
    const purgedUpto = (index: number): string =>
      formatResult(
        {
          type: "clusterStatus",
          status: {
            ...clusterStatus,
            nodes: clusterStatus.nodes.map((node) =>
              node.nodeId === 2 ? { ...node, purged: id(2, index) } : node,
            ),
          },
        },
        "terminal",
      ) as string;
    expect(purgedUpto(901)).toMatch(
      /\nnode 3 cannot catch up: what it lacks was purged from the log of the leader\n$/,
    );
    expect(purgedUpto(900)).not.toContain("cannot catch up");
  });
});
