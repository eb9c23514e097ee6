import type { CommandFlag, CommandGroup, CommandSpec } from "@seshat/kv";
import type { RespValue } from "@seshat/resp";
import type { Client } from "../client/client.js";
import type { Args } from "../gateway/op.js";
import type { ServerContext } from "../server/context.js";

/** Said by a command that has replied by itself, or says nothing. */
export const NO_REPLY: unique symbol = Symbol("no reply");

export type LocalReply = RespValue | typeof NO_REPLY;

/** What a command of the connection or the server does. What it throws as a `CommandError` is its reply. */
export type RunLocal = (
  client: Client,
  args: Args,
  server: ServerContext,
) => LocalReply | Promise<LocalReply>;

/** A command that is about the connection, the server or the cluster, and not about data. */
export interface LocalCommand extends CommandSpec {
  /**
   * What may be under way when it begins: `any`thing, because it has nothing to do with data; operations of the lane that it adds to;
   * or `none`. Its reply comes in its place in any case.
   */
  readonly lane: "any" | "write" | "read" | "none";
  /** It is not queued by MULTI but carried out at once. */
  readonly isImmediate: boolean;
  readonly run: RunLocal;
}

/** What differs from row to row. */
export interface LocalRow {
  readonly name: string;
  readonly arity: number;
  /** Separated by blanks. */
  readonly flags: string;
  readonly group?: CommandGroup;
  readonly lane?: LocalCommand["lane"];
  readonly isImmediate?: boolean;
  readonly since?: string;
  readonly summary: string;
  readonly subcommands?: readonly Omit<LocalRow, "run">[];
  readonly run: RunLocal;
}

/** Makes the commands of a group. */
export function localCommands(group: CommandGroup, rows: readonly LocalRow[]): LocalCommand[] {
  return rows.map((row) => ({
    ...specOf(row.group ?? group, row.name, row),
    lane: row.lane ?? "none",
    isImmediate: row.isImmediate ?? false,
    run: row.run,
  }));
}

function specOf(group: CommandGroup, name: string, row: Omit<LocalRow, "run">): CommandSpec {
  const flags = row.flags.split(" ").filter((flag) => flag !== "") as CommandFlag[];
  const acl = [
    ...(flags.includes("admin") ? ["@admin"] : []),
    flags.includes("fast") ? "@fast" : "@slow",
    ...(flags.includes("admin") ? ["@dangerous"] : []),
    ...(group === "connection" ? ["@connection"] : []),
    ...(group === "transactions" ? ["@transaction"] : []),
  ];
  return {
    name,
    arity: row.arity,
    flags,
    firstKey: 0,
    lastKey: 0,
    step: 0,
    acl,
    group,
    summary: row.summary,
    since: row.since ?? "1.0.0",
    ...(row.subcommands && {
      subcommands: row.subcommands.map((inner) => specOf(group, `${name}|${inner.name}`, inner)),
    }),
  };
}
