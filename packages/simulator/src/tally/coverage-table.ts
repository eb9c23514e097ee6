import { noFaultCounts } from "../disk/sim-disk-faults.js";
import { ACT_TYPES } from "../faults/act.js";
import { noNetworkCounts } from "../network/network-faults.js";
import { PROTOCOL_ROWS } from "./protocol-coverage.js";

/** A part of the coverage table. */
interface Group {
  readonly title: string;
  /** What should have happened. */
  readonly wanted: readonly string[];
}

const PARTITION_ROWS = ["isolate", "split", "leaderInMinority", "oneWay", "ring", "bridge"].map(
  (kind) => `partition ${kind}`,
);

const GROUPS: readonly Group[] = [
  {
    title: "Faults and operations",
    wanted: [...ACT_TYPES, ...PARTITION_ROWS],
  },
  {
    title: "What came of them",
    wanted: [
      ...[
        "addVoter",
        "addLearner",
        "demote",
        "remove",
        "replace",
        "reuse",
        "move",
        "transfer",
        "snapshot",
        "bringSnapshot",
      ].map((what) => `${what}: done`),
      "crash between two disk operations",
      "crash during recovery",
      "node stopped by a disk error",
      "damage: noticed",
      "damage: did not matter",
      "erased voter replaced",
      "disaster: recovered",
      "rival founding: the first succeeds",
      "rival founding: the second succeeds",
      "histories ok",
    ],
  },
  {
    title: "What disks did",
    // No call fails that neither reads, writes, names nor syncs.
    wanted: Object.keys(noFaultCounts())
      .filter((what) => what !== "failedOther")
      .map((what) => `disk ${what}`),
  },
  {
    title: "What the network did",
    wanted: Object.keys(noNetworkCounts()).map((what) => `messages ${what}`),
  },
  { title: "What the protocol came to", wanted: PROTOCOL_ROWS },
];

/** What should have happened in a campaign, and did not. */
export function missing(coverage: ReadonlyMap<string, number>): readonly string[] {
  return GROUPS.flatMap(({ wanted }) => wanted.filter((row) => (coverage.get(row) ?? 0) === 0));
}

/** How often what happened, by groups; what should have happened and did not says "never". */
export function coverageTable(coverage: ReadonlyMap<string, number>): string {
  const known = new Set(GROUPS.flatMap(({ wanted }) => wanted));
  const others = [...coverage.keys()].filter((row) => !known.has(row) && (coverage.get(row) ?? 0) > 0).sort();
  const groups = [
    ...GROUPS.map(({ title, wanted }) => ({ title, rows: wanted })),
    { title: "Beside that", rows: others },
  ];
  const width = Math.max(...groups.flatMap(({ rows }) => rows.map((row) => row.length)));
  return groups
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, rows }) => {
      const lines = rows.map((row) => `  ${row.padEnd(width)}  ${shown(coverage.get(row) ?? 0)}`);
      return [title, ...lines].join("\n");
    })
    .join("\n\n");
}

function shown(count: number): string {
  return (count === 0 ? "never" : String(count)).padStart(10);
}
