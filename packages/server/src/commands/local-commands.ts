import { ADMIN_COMMANDS } from "../admin/admin-command.js";
import { CLUSTER_COMMANDS } from "../cluster/cluster-commands.js";
import { CONNECTION_COMMANDS } from "./connection-commands.js";
import type { LocalCommand } from "./local-command.js";
import { SERVER_COMMANDS } from "./server-commands.js";
import { TRANSACTION_COMMANDS } from "./transaction-commands.js";

/** Every command that is not about data. */
export const LOCAL_COMMANDS: readonly LocalCommand[] = [
  ...CONNECTION_COMMANDS,
  ...TRANSACTION_COMMANDS,
  ...SERVER_COMMANDS,
  ...CLUSTER_COMMANDS,
  ...ADMIN_COMMANDS,
];
