import type { MemberStatus, ServerStatus } from "../admin/status.js";
import { statusOf } from "./cluster-access.js";
import type { CliIo } from "./io.js";
import type { Target } from "./resp-connection.js";

/** How long a member has to say how it is, in milliseconds. */
const MEMBER_TIMEOUT_MS = 1000;
const DEFAULT_WATCH_MS = 1000;

/** Shows a cluster as a table: what its members say of themselves, and what the leader says of them. */
export async function showStatus(target: Target, watchMs: number | true | null, io: CliIo): Promise<void> {
  const isTerminal = io.stdout.isTTY === true;
  const hasColour = isTerminal && (io.env["NO_COLOR"] ?? "") === "";
  if (watchMs === null) {
    io.stdout.write(statusTable(await look(target), hasColour));
    return;
  }
  const pauseMs = watchMs === true ? DEFAULT_WATCH_MS : watchMs;
  let lines = 0;
  let last = "";
  const gone = new AbortController();
  // Nobody looks any more.
  io.stdout.once("error", () => gone.abort());
  const ended = AbortSignal.any([io.interrupt, gone.signal]);
  while (!ended.aborted) {
    const table = await look(target).then(
      (view) => statusTable(view, hasColour),
      (error: unknown) => `${error instanceof Error ? error.message : String(error)}\n`,
    );
    if (isTerminal) {
      io.stdout.write(`${lines === 0 ? "" : `\u001B[${lines}A`}\u001B[J${table}`);
      lines = table.split("\n").length - 1;
    } else if (table !== last) io.stdout.write(last === "" ? table : `\n${table}`);
    last = table;
    await pause(pauseMs, ended);
  }
}

/** A cluster, as its members told. */
interface View {
  readonly asked: ServerStatus;
  /** What a member says of itself; null when it does not answer. */
  readonly members: readonly { readonly member: MemberStatus; readonly status: ServerStatus | null }[];
}

async function look(target: Target): Promise<View> {
  const asked = await statusOf(target);
  const timeoutMs = Math.min(target.timeoutMs, MEMBER_TIMEOUT_MS);
  const members = await Promise.all(
    asked.members.map(async (member) => ({
      member,
      status:
        member.id === asked.id
          ? asked
          : await statusOf({ ...target, address: member.clientAddr, timeoutMs }).catch(() => null),
    })),
  );
  return { asked, members };
}

const HEAD = [
  "node",
  "role",
  "member",
  "term",
  "last log",
  "committed",
  "applied",
  "snapshot",
  "lag",
  "keys",
  "clients",
  "address",
];

function statusTable({ asked, members }: View, hasColour: boolean): string {
  if (asked.isNew) {
    return `node ${asked.id} at ${asked.clientAddr} belongs to no cluster yet: bootstrap one, or join it to one\n`;
  }
  const leader = members.find(({ status }) => status?.state === "leader")?.status ?? null;
  const rows = members.map(({ member, status }) => {
    const told = leader?.members.find(({ id }) => id === member.id);
    const lag = status?.state === "leader" ? "0" : (told?.lag ?? "-");
    return [
      String(member.id),
      status?.state ?? "unreachable",
      member.votes ? "voter" : "learner",
      String(status?.term ?? "-"),
      status?.lastLog ?? "-",
      status?.committed ?? "-",
      status?.applied ?? "-",
      status?.snapshot ?? "-",
      String(lag),
      String(status?.keys ?? "-"),
      String(status?.clients ?? "-"),
      member.clientAddr,
    ];
  });
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const paint = (row: readonly string[]): string => {
    const code = row[1] === "leader" ? "32" : row[1] === "unreachable" ? "31" : null;
    return hasColour && code !== null ? `\u001B[${code}m${line(row)}\u001B[0m` : line(row);
  };
  const notes = [
    ...(leader === null ? ["no leader"] : []),
    ...(asked.isJoint ? ["the voters are changing"] : []),
    ...(asked.transferTarget === null ? [] : [`the leadership goes to node ${asked.transferTarget}`]),
    ...members.flatMap(({ member, status }) =>
      (status?.storageStalled ?? null) === null
        ? []
        : [`the disk of node ${member.id} hangs: ${status?.storageStalled}`],
    ),
  ];
  const summary = `cluster "${asked.clusterId}"${notes.length === 0 ? "" : `: ${notes.join("; ")}`}`;
  return `${[line(HEAD), ...rows.map(paint), summary].join("\n")}\n`;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
