import { sleep } from "../cluster/sleep.js";
import type { Scenario } from "./scenario.js";
import { moreAcknowledged, moreFailed, roles, untilNewLeader } from "./steps.js";

export const leaderKilled: Scenario = {
  name: "leader-killed",
  what: "kill -9 of the leader",
  async run(scene) {
    const { cluster, load } = scene;
    const { leader } = await roles(scene);
    await untilNewLeader(scene, leader.term, () => cluster.kill(leader.id));
    await moreAcknowledged(load);
    await cluster.start(leader.id);
  },
};

export const followerKilled: Scenario = {
  name: "follower-killed",
  what: "kill -9 of a follower",
  async run(scene) {
    const { cluster, load } = scene;
    const { others } = await roles(scene);
    await cluster.kill(others[0] as number);
    await moreAcknowledged(load);
    await cluster.start(others[0] as number);
  },
};

export const leaderKilledDuringWrites: Scenario = {
  name: "leader-killed-during-writes",
  what: "kill -9 of one leader after the other while pipelines of writes are under way",
  load: { clients: 3, keys: 8, pauseMs: 0, pipeline: 4 },
  async run(scene) {
    const { cluster, load, random } = scene;
    for (let kills = 0; kills < 2; kills++) {
      const { leader } = await roles(scene);
      await sleep(random.integer(0, 100));
      await untilNewLeader(scene, leader.term, () => cluster.kill(leader.id));
      await moreAcknowledged(load);
      await cluster.start(leader.id);
    }
  },
};

export const leaderPaused: Scenario = {
  name: "leader-paused",
  what: "the leader stands still while another is elected, and goes on where it stopped",
  async run(scene) {
    const { cluster, load } = scene;
    const { leader } = await roles(scene);
    await untilNewLeader(scene, leader.term, async () => cluster.pause(leader.id));
    await moreAcknowledged(load);
    cluster.resume(leader.id);
    await moreAcknowledged(load);
  },
};

export const cascadingFailures: Scenario = {
  name: "cascading-failures",
  what: "the leader is killed, then the next, until none can be; one comes back, and the one that leads is killed again",
  async run(scene) {
    const { cluster, load } = scene;
    const { leader: first } = await roles(scene);
    const second = await untilNewLeader(scene, first.term, () => cluster.kill(first.id));
    await cluster.kill(second.id);
    await moreFailed(load);
    await cluster.start(first.id);
    const third = await untilNewLeader(scene, second.term);
    await moreAcknowledged(load, 5);
    await cluster.kill(third.id);
    await cluster.start(second.id);
    await untilNewLeader(scene, third.term);
    await moreAcknowledged(load);
    await cluster.start(third.id);
  },
};

export const fullRestart: Scenario = {
  name: "full-restart",
  what: "kill -9 of all nodes at once, and all start again",
  async run(scene) {
    const { cluster, load } = scene;
    const { leader } = await roles(scene);
    await Promise.all(cluster.members.map((id) => cluster.kill(id)));
    await Promise.all(cluster.members.map((id) => cluster.start(id)));
    await untilNewLeader(scene, leader.term);
    await moreAcknowledged(load);
  },
};
