import type { Bench } from "../bench.js";
import { catchUp } from "./catch-up.js";
import { cluster } from "./cluster.js";
import { durable } from "./durable.js";
import { engine } from "./engine.js";
import { longLog } from "./long-log.js";
import { many } from "./many.js";
import { memory } from "./memory.js";
import { minimal, nodes } from "./minimal.js";
import { observed } from "./observed.js";
import { payload } from "./payload.js";
import { reads } from "./reads.js";
import { redis } from "./redis.js";
import { redisIdle } from "./redis-idle.js";
import { redisKeys } from "./redis-keys.js";
import { restart } from "./restart.js";
import { snapshot } from "./snapshot.js";
import { transfer } from "./transfer.js";

/** Every benchmark, in the order in which `all` runs them. */
export const BENCHES: readonly Bench[] = [
  minimal,
  many,
  payload,
  nodes,
  reads,
  observed,
  catchUp,
  engine,
  longLog,
  memory,
  snapshot,
  durable,
  restart,
  transfer,
  redis,
  redisKeys,
  redisIdle,
  cluster,
];
