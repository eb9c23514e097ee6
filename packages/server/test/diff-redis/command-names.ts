import { Connection } from "./connection.ts";
import type { Target } from "./target.ts";

/** What a server says that it knows. */
export async function commandNames(target: Target): Promise<string[]> {
  const connection = await Connection.open(target.address);
  const [list] = await connection.send([["COMMAND", "LIST"]]);
  connection.close();
  return Array.isArray(list)
    ? list.map((name) => (name instanceof Uint8Array ? Buffer.from(name).toString("latin1") : ""))
    : [];
}
