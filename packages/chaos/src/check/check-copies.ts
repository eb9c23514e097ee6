import type { Cluster } from "../cluster/cluster.js";
import { PATIENCE_MS } from "../cluster/cluster.js";
import { ChaosFailure } from "./chaos-failure.js";
import type { RedisHistory } from "./check-history.js";

/** What each node says in the end is part of the history. */
export async function readAll(
  cluster: Cluster,
  id: number,
  keys: readonly string[],
  recorder: RedisHistory,
): Promise<void> {
  for (const key of keys) {
    const open = recorder.invoke(`node ${id}`, { key, f: "get" });
    open.ok(await cluster.answer(id, "GET", key));
  }
}

/** What the nodes have themselves, without asking the leader, is the same. */
export async function checkCopies(cluster: Cluster, keys: readonly string[]): Promise<void> {
  const copies = await Promise.all(
    cluster.members.map(async (id) => {
      const connection = await cluster.connect(id, PATIENCE_MS);
      if (connection === null) throw new ChaosFailure("answers", `node ${id} cannot be reached`);
      try {
        await connection.call("READONLY");
        const values = await Promise.all(keys.map((key) => connection.call("GET", key)));
        return { id, values };
      } finally {
        connection.close();
      }
    }),
  );
  const [first, ...others] = copies as [(typeof copies)[0], ...typeof copies];
  for (const { id, values } of others) {
    const at = values.findIndex((value, index) => value !== first.values[index]);
    if (at === -1) continue;
    const [a, b] = [first.values[at], values[at]].map((value) => JSON.stringify(value)?.slice(0, 200));
    throw new ChaosFailure(
      "same on all nodes",
      `${keys[at]}: node ${first.id} has ${a}, and node ${id} ${b}`,
    );
  }
}
