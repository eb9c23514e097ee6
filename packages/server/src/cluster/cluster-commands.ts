import type { LocalCommand } from "../commands/local-command.js";
import { localCommands } from "../commands/local-command.js";
import { CommandError, SYNTAX_ERROR } from "../commands/command-error.js";
import { OK, word } from "../commands/text.js";
import { readOnly, runCluster } from "./cluster-command.js";

/** Commands about the cluster that this server belongs to. */
export const CLUSTER_COMMANDS: readonly LocalCommand[] = localCommands("cluster", [
  {
    name: "cluster",
    arity: -2,
    flags: "loading stale",
    since: "3.0.0",
    summary: "A container for cluster commands",
    subcommands: ["info", "nodes", "slots", "shards", "myid", "keyslot"].map((name) => ({
      name,
      arity: name === "keyslot" ? 3 : 2,
      flags: "loading stale",
      summary: `CLUSTER ${name.toUpperCase()}`,
    })),
    run: runCluster,
  },
  {
    name: "readonly",
    arity: 1,
    flags: "fast loading stale",
    since: "3.0.0",
    summary: "Reads of this connection see the state of this node as it is, which may be old",
    run: readOnly(true),
  },
  {
    name: "readwrite",
    arity: 1,
    flags: "fast loading stale",
    since: "3.0.0",
    summary: "Reads of this connection are linearizable again",
    run: readOnly(false),
  },
  {
    name: "cluster-redirect",
    arity: 2,
    flags: "fast loading stale",
    since: "7.0.0",
    summary: "Whether this connection is told where the leader is (ON), or served through this node (OFF)",
    run: ({ state }, args) => {
      const value = word(args, 1);
      if (value !== "on" && value !== "off") throw new CommandError(SYNTAX_ERROR);
      state.redirects = value === "on";
      return OK;
    },
  },
]);
