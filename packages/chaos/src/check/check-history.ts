import type { HistoryRecorder, RedisStringInput, RedisStringReply } from "@seshat/simulator";
import { checkLinearizability, linearizabilityReport, redisStringModel } from "@seshat/simulator";
import { ChaosFailure } from "./chaos-failure.js";

/** What clients of string keys did and saw. */
export type RedisHistory = HistoryRecorder<RedisStringInput, RedisStringReply>;

/** @throws {ChaosFailure} when nothing explains what clients saw, with the few operations that show it. */
export function checkHistory(recorder: RedisHistory): void {
  const model = redisStringModel();
  const result = checkLinearizability(recorder.history(), model);
  if (result.verdict !== "ok") throw new ChaosFailure("linearizable", linearizabilityReport(result, model));
}
