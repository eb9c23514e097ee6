import { ChaosFailure } from "../check/chaos-failure.js";
import type { Cluster } from "../cluster/cluster.js";
import { PATIENCE_MS } from "../cluster/cluster.js";
import { retry } from "../cluster/sleep.js";
import type { Scenario, Scene } from "./scenario.js";
import { moreAcknowledged, roles, untilNewLeader } from "./steps.js";

const OFF_MS = 30_000;
const LONG_MS = 20_000;
const SHORT_MS = 1000;
/** How often a part is tried again in which another node came to lead. */
const ATTEMPTS = 10;

export const clockOff: Scenario = {
  name: "clock-30s-off",
  what: "the clock of one node is 30 s off, while it follows, while it leads, and after that",
  async run(scene) {
    const { cluster, load, random } = scene;
    const clockMs = random.chance(0.5) ? OFF_MS : -OFF_MS;
    const { others } = await roles(scene);
    const off = others[0] as number;
    scene.note(clockMs > 0 ? "fast" : "slow");
    await cluster.stop(off);
    await cluster.start(off, clockMs);
    await cluster.inStep(off);
    const over = await whileItFollows(scene, off);

    // The key is still there, or over: by the clock in the log, and so for everybody.
    const key = `${scene.prefix}:handed-over`;
    await setWithTime(scene, off, key, ["PXAT", String(Date.now() + LONG_MS)]);
    const before = await cluster.newLeader();
    await cluster.onLeader("SESHAT", "TRANSFER", String(off));
    await moreAcknowledged(load);
    await readEverywhere(scene, key);
    await checkGone(cluster, over);
    const late = `${scene.prefix}:late`;
    await setWithTime(scene, off, late, ["PX", String(LONG_MS)]);
    const leading = await cluster.newLeader(before.term);
    await untilNewLeader(scene, leading.term, () => cluster.kill(leading.id));
    await readEverywhere(scene, key);
    await readEverywhere(scene, late);
    await checkGone(cluster, over);
    await checkTimeLeft(cluster, late, LONG_MS);
    await cluster.start(leading.id, leading.id === off ? clockMs : 0);
    await moreAcknowledged(load);
  },
};

/** Keys live as long as they were said to by the clock of the leader, whichever node is asked. @returns one that is over. */
async function whileItFollows(scene: Scene, off: number): Promise<string> {
  const { cluster } = scene;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const leader = await cluster.newLeader();
    const [long, short] = [`${scene.prefix}:long-${attempt}`, `${scene.prefix}:short-${attempt}`];
    const startedAt = Date.now();
    const problems: string[] = [];
    for (const [key, ms] of [
      [long, LONG_MS],
      [short, SHORT_MS],
    ] as const) {
      await cluster.answer(off, "SET", key, "there", "PXAT", String(startedAt + ms));
      const value = await cluster.answer(off, "GET", key);
      if (value === null && Date.now() - startedAt < ms) problems.push(`${key} was over before its time`);
    }
    await retry(
      async () => ((await cluster.answer(off, "GET", short)) === null ? true : null),
      PATIENCE_MS,
      () => new ChaosFailure("expires", `${short} is still there`),
    );
    if (Date.now() - startedAt < SHORT_MS) problems.push(`${short} was over before its time`);
    for (const id of cluster.running) {
      const [gone, there] = [await cluster.answer(id, "GET", short), await cluster.answer(id, "GET", long)];
      if (gone !== null) problems.push(`${short} is there again at node ${id}`);
      if (there === null && Date.now() - startedAt < LONG_MS)
        problems.push(`${long} was over before its time`);
    }
    // What was seen says nothing if the node with the wrong clock led meanwhile.
    const after = await cluster.newLeader();
    if (leader.id === off || after.term !== leader.term) continue;
    if (problems.length > 0) throw new ChaosFailure("expiry", problems.join("; "));
    return short;
  }
  throw new ChaosFailure("expiry", `no leader stayed in ${ATTEMPTS} attempts`);
}

/** A key that may be over at any moment from now on, once. */
async function setWithTime(
  { cluster, recorder }: Scene,
  id: number,
  key: string,
  time: readonly string[],
): Promise<void> {
  const open = recorder.invoke(`set ${key}`, { key, f: "set", value: "there" });
  recorder.invoke(`expiry ${key}`, { key, f: "del" });
  await cluster.answer(id, "SET", key, "there", ...time);
  open.ok("OK");
}

async function readEverywhere({ cluster, recorder }: Scene, key: string): Promise<void> {
  for (const id of cluster.running) {
    const open = recorder.invoke(`read ${id}`, { key, f: "get" });
    open.ok(await cluster.answer(id, "GET", key));
  }
}

/** What was over stays so, whoever leads. */
async function checkGone(cluster: Cluster, key: string): Promise<void> {
  for (const id of cluster.running) {
    if ((await cluster.answer(id, "GET", key)) !== null)
      throw new ChaosFailure("expiry", `${key} is there again at node ${id}`);
  }
}

/** A leader whose clock is behind gives no key more time than it was given: the clock of the log does not go back. */
async function checkTimeLeft(cluster: Cluster, key: string, ms: number): Promise<void> {
  for (const id of cluster.running) {
    const left = Number(await cluster.answer(id, "PTTL", key));
    if (left > ms)
      throw new ChaosFailure("expiry", `${key} was given ${ms} ms, and has ${left} at node ${id}`);
  }
}
